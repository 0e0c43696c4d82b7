"""Changing a client over HTTP, and the history that changes leave."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest

from models.db.database import Database
from models.ids import new_id
from models.tables.clients import HistoryEvent
from tests.api.conftest import TenantPeople, made
from tests.api.people.client_calls import URL, found, history, locations, outsiders
from tests.factories.agents import TenantMade
from tests.factories.clients import make_client
from tests.factories.records import Records


@pytest.fixture
def here(tenant_a: TenantPeople) -> TenantMade:
    return made(tenant_a)


@pytest.fixture
def elsewhere(tenant_b: TenantPeople) -> TenantMade:
    return made(tenant_b)


async def test_each_field_that_changes_has_an_event_with_both_values(
    http: httpx.AsyncClient, tenant_a: TenantPeople, here: TenantMade, db: Database
) -> None:
    company_id = await make_client(
        db, here, next_qbr_date=date(2026, 4, 1), last_qbr_date=date(2026, 1, 1)
    )
    body = {
        "status": "dormant",
        "assigned_dm_id": here.member_id,
        "next_qbr_date": "2026-05-01",
        "last_qbr_date": None,
        "onboarding_started_at": "2026-01-02T10:00:00.75+02:00",
        "onboarding_completed_at": "2026-01-02T08:00:00Z",
        "offboarding_started_at": "2026-02-02T08:00:00Z",
        "offboarding_completed_at": "2026-02-03T08:00:00Z",
    }
    answer = await http.patch(f"{URL}/{company_id}", json=body, headers=tenant_a.member.headers)
    assert answer.status_code == 200, answer.text
    shown = answer.json()["client"]
    expected = {**body, "onboarding_started_at": "2026-01-02T08:00:00Z"}
    assert {name: shown[name] for name in expected} == expected
    events = await history(http, tenant_a, company_id)
    before = dict.fromkeys(expected) | {
        "status": "active", "next_qbr_date": "2026-04-01", "last_qbr_date": "2026-01-01",
    }  # fmt: skip
    kinds = {name: f"client.{name}_changed" for name in expected}
    kinds["assigned_dm_id"] = "client.assigned_dm_changed"
    assert {
        event["field"]: (event["event_type"], event["old_value"], event["new_value"])
        for event in events
    } == {name: (kinds[name], before[name], expected[name]) for name in expected}
    assert {event["actor_name"] for event in events} == {tenant_a.member.name}


async def test_what_was_read_can_be_sent_back_and_changes_nothing(
    http: httpx.AsyncClient,
    tenant_a: TenantPeople,
    here: TenantMade,
    db: Database,
    records: Records,
) -> None:
    company_id = await make_client(
        db, here, next_qbr_date=date(2026, 4, 1), assigned_dm_id=here.admin_id,
        onboarding_started_at=datetime(2026, 1, 2, 8, tzinfo=UTC),
        updated_at=datetime(2026, 1, 2, 8, tzinfo=UTC),
    )  # fmt: skip
    await outsiders(db, records, here, here)
    body = {
        "status": "active",
        "assigned_dm_id": here.admin_id,
        "next_qbr_date": "2026-04-01",
        "onboarding_started_at": "2026-01-02T08:00:00Z",
        "offboarding_started_at": None,
    }
    answer = await http.patch(f"{URL}/{company_id}", json=body, headers=tenant_a.member.headers)
    assert answer.status_code == 200, answer.text
    assert answer.json()["client"]["updated_at"] == "2026-01-02T08:00:00Z"
    assert await history(http, tenant_a, company_id) == []


async def test_a_phase_cannot_end_before_it_began_whichever_end_is_sent(
    http: httpx.AsyncClient, tenant_a: TenantPeople, here: TenantMade, db: Database
) -> None:
    company_id = await make_client(
        db, here, onboarding_completed_at=datetime(2026, 1, 2, 8, tzinfo=UTC),
        offboarding_started_at=datetime(2026, 1, 2, 8, tzinfo=UTC),
    )  # fmt: skip
    for body, location in (
        ({"onboarding_started_at": "2026-01-02T08:00:01Z"}, "body.onboarding_started_at"),
        ({"offboarding_completed_at": "2026-01-02T07:59:59Z"}, "body.offboarding_completed_at"),
    ):
        answer = await http.patch(f"{URL}/{company_id}", json=body, headers=tenant_a.member.headers)
        assert (answer.status_code, locations(answer)) == (400, [location])
    assert await history(http, tenant_a, company_id) == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"status": None},
        {"status": "asleep"},
        {"tier": "core"},
        {"next_qbr_date": "2026-02-30"},
        {"next_qbr_date": "2026-02-03T00:00:00Z"},
        {"next_qbr_date": 5},
        {"onboarding_started_at": 5},
        {"onboarding_started_at": "5"},
        {"onboarding_started_at": "yesterday"},
        {"onboarding_started_at": "0001-01-01T00:00:00+14:00"},
        {"onboarding_started_at": "9999-12-31T23:59:59-14:00"},
        {"onboarding_started_at": "9999-12-31T23:59:59Z"},
    ],
)
async def test_a_change_that_makes_no_sense_is_refused(
    http: httpx.AsyncClient,
    tenant_a: TenantPeople,
    here: TenantMade,
    db: Database,
    body: dict[str, Any],
) -> None:
    company_id = await make_client(db, here)
    answer = await http.patch(f"{URL}/{company_id}", json=body, headers=tenant_a.member.headers)
    assert answer.status_code == 400


async def test_the_ends_of_time_can_be_kept(
    http: httpx.AsyncClient, tenant_a: TenantPeople, here: TenantMade, db: Database
) -> None:
    company_id = await make_client(db, here)
    body = {
        "last_qbr_date": "9999-12-31",
        "next_qbr_date": None,
        "onboarding_started_at": "0002-01-01T00:00:00Z",
        "onboarding_completed_at": "9998-12-31T23:59:59Z",
    }
    answer = await http.patch(f"{URL}/{company_id}", json=body, headers=tenant_a.member.headers)
    assert answer.status_code == 200, answer.text
    assert {name: answer.json()["client"][name] for name in body} == body
    assert (await found(http, tenant_a))["total"] == 1


async def test_only_an_active_user_can_become_delivery_manager(
    http: httpx.AsyncClient,
    tenant_a: TenantPeople,
    here: TenantMade,
    elsewhere: TenantMade,
    db: Database,
    records: Records,
) -> None:
    company_id = await make_client(db, here)
    for somebody in await outsiders(db, records, here, elsewhere):
        body = {"assigned_dm_id": somebody, "status": "dormant"}
        answer = await http.patch(f"{URL}/{company_id}", json=body, headers=tenant_a.member.headers)
        assert (answer.status_code, locations(answer)) == (422, ["body.assigned_dm_id"])
    assert await history(http, tenant_a, company_id) == []


async def test_a_delivery_manager_can_be_taken_off(
    http: httpx.AsyncClient, tenant_a: TenantPeople, here: TenantMade, db: Database
) -> None:
    company_id = await make_client(db, here, assigned_dm_id=here.admin_id)
    body = {"assigned_dm_id": None}
    answer = await http.patch(f"{URL}/{company_id}", json=body, headers=tenant_a.member.headers)
    assert answer.json()["client"]["assigned_dm_name"] is None
    (event,) = await history(http, tenant_a, company_id)
    assert (event["old_value"], event["new_value"]) == (here.admin_id, None)


async def test_the_history_is_read_backwards_in_pieces(
    http: httpx.AsyncClient, tenant_a: TenantPeople, here: TenantMade, db: Database
) -> None:
    company_id = await make_client(db, here)
    other = await make_client(db, here)
    noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
    records = Records(db, here.id, here.admin_id)
    for number in range(5):
        await records.insert(
            HistoryEvent, id=new_id(), resource_type="client", resource_id=company_id,
            event_type="client.goal_progress", created_at=noon + timedelta(seconds=number),
            new_value=number, details={"number": number},
        )  # fmt: skip
    for kind, resource in (("client", other), ("project", company_id)):
        await records.insert(
            HistoryEvent, id=new_id(), resource_type=kind, resource_id=resource,
            event_type="client.goal_progress", created_at=noon,
        )  # fmt: skip
    assert [event["new_value"] for event in await history(http, tenant_a, company_id)] == [
        4, 3, 2, 1, 0,
    ]  # fmt: skip
    url = f"{URL}/{company_id}/history"
    query = {"limit": "2", "before": "2026-03-02T12:00:03Z"}
    answer = await http.get(url, params=query, headers=tenant_a.reviewer.headers)
    shown = answer.json()["history"]
    assert [event["new_value"] for event in shown] == [2, 1]
    shown[0].pop("id")
    assert shown[0] == {
        "resource_type": "client",
        "resource_id": company_id,
        "event_type": "client.goal_progress",
        "field": None,
        "old_value": None,
        "new_value": 2,
        "metadata": {"number": 2},
        "actor_id": None,
        "actor_name": None,
        "created_at": "2026-03-02T12:00:02Z",
    }
    for wrong in ("limit=0", "limit=1001", "before=yesterday", "before=5"):
        answer = await http.get(f"{url}?{wrong}", headers=tenant_a.reviewer.headers)
        assert answer.status_code == 400
