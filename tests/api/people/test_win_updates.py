"""Wins edited, confirmed, dismissed and put off, over HTTP."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from models.ids import new_id
from models.rules.moments import iso_seconds
from models.tables.clients import AdoptionWeek, HistoryEvent
from models.tables.clients_reviews import Win
from tests.api.conftest import Person, TenantPeople, made
from tests.factories.clients import make_client, make_goal, make_win
from tests.factories.records import Records

LATER = datetime.now(UTC).replace(microsecond=0) + timedelta(days=2)
LATEST = LATER + timedelta(days=2)
PAST = LATER - timedelta(days=4)


@pytest.fixture
async def company_id(records: Records, tenant_a: TenantPeople) -> str:
    return await make_client(records.database, made(tenant_a), "Acme")


@pytest.fixture
async def goal_id(records: Records, tenant_a: TenantPeople, company_id: str) -> str:
    return await make_goal(records.database, made(tenant_a), company_id)


async def change(
    http: httpx.AsyncClient, company_id: str, win_id: str, person: Person, body: Any
) -> httpx.Response:
    url = f"/api/clients/{company_id}/wins/{win_id}"
    return await http.patch(url, json=body, headers=person.headers)


async def test_what_is_sent_changes_and_the_history_names_it(
    http: httpx.AsyncClient,
    tenant_a: TenantPeople,
    records: Records,
    company_id: str,
    goal_id: str,
) -> None:
    win_id = await make_win(
        records.database, made(tenant_a), company_id, title="Old", description="Kept"
    )
    body = {
        "title": "New",
        "description": "Kept",
        "outcome_text": "Better",
        "metric_delta": 0.1,
        "metric_delta_unit": "x",
        "linked_goal_id": goal_id,
    }
    answer = await change(http, company_id, win_id, tenant_a.member, body)
    assert answer.status_code == 200, answer.text
    win = answer.json()["win"]
    assert {name: win[name] for name in body} == body
    assert win["linked_goal"]["id"] == goal_id
    assert win["updated_at"] > win["created_at"]
    (event,) = await records.all(HistoryEvent)
    assert (event.event_type, event.actor_id) == ("client.win_updated", tenant_a.member.id)
    assert event.details == {
        "win_id": win_id,
        "title": "New",
        "status": "confirmed",
        "changed": ["linked_goal_id", "metric_delta", "metric_delta_unit", "outcome_text", "title"],
    }


async def test_null_clears_what_may_be_empty(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records, company_id: str, goal_id: str
) -> None:
    filled = {
        "description": "a", "outcome_text": "b", "metric_delta": 1, "metric_delta_unit": "x",
        "linked_goal_id": goal_id,
    }  # fmt: skip
    win_id = await make_win(records.database, made(tenant_a), company_id, **filled)
    body = dict.fromkeys(filled)
    win = (await change(http, company_id, win_id, tenant_a.member, body)).json()["win"]
    assert {name: win[name] for name in filled} == body
    assert win["linked_goal"] is None
    (event,) = await records.all(HistoryEvent)
    assert event.details["changed"] == sorted(filled)


async def test_an_update_that_changes_nothing_leaves_no_trace(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records, company_id: str
) -> None:
    win_id = await make_win(
        records.database, made(tenant_a), company_id, title="Same", metric_delta=2
    )
    (before,) = await records.all(Win)
    body = {"title": "Same", "metric_delta": 2.0, "status": "confirmed", "snoozed_until": None}
    answer = await change(http, company_id, win_id, tenant_a.member, body)
    assert answer.status_code == 200
    assert await records.all(Win) == [before]
    assert await records.count(HistoryEvent) == 0


async def test_a_win_counts_as_adoption_when_it_is_confirmed(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records, company_id: str
) -> None:
    win_id = await make_win(records.database, made(tenant_a), company_id, status="suggested")
    await change(http, company_id, win_id, tenant_a.member, {"title": "Other"})
    await change(http, company_id, win_id, tenant_a.member, {"status": "dismissed"})
    assert await records.count(AdoptionWeek) == 0
    await change(http, company_id, win_id, tenant_a.member, {"status": "confirmed"})
    assert await records.count(AdoptionWeek) == 1


@pytest.mark.parametrize(
    ("kept", "body", "shown"),
    [
        (("suggested", None), {"status": "confirmed"}, ("confirmed", None)),
        (("confirmed", None), {"status": "dismissed"}, ("dismissed", None)),
        (("dismissed", None), {"status": "suggested"}, ("suggested", None)),
        (("suggested", None), {"snoozed_until": LATER}, ("snoozed", LATER)),
        (("suggested", None), {"status": "snoozed", "snoozed_until": LATER}, ("snoozed", LATER)),
        (("snoozed", LATER), {"status": "snoozed"}, ("snoozed", LATER)),
        (("snoozed", LATER), {"snoozed_until": LATEST}, ("snoozed", LATEST)),
        (("snoozed", LATER), {"title": "x"}, ("snoozed", LATER)),
        (("snoozed", LATER), {"snoozed_until": None}, ("suggested", None)),
        (("snoozed", LATER), {"status": "confirmed"}, ("confirmed", None)),
        (("snoozed", LATER), {"status": "dismissed", "snoozed_until": LATEST}, ("dismissed", None)),
        (("snoozed", PAST), {"title": "x"}, ("suggested", None)),
        (("confirmed", None), {"snoozed_until": None}, ("confirmed", None)),
    ],
)
async def test_statuses_and_snoozes_go_together(
    http: httpx.AsyncClient,
    tenant_a: TenantPeople,
    records: Records,
    company_id: str,
    kept: tuple[str, datetime | None],
    body: dict[str, Any],
    shown: tuple[str, datetime | None],
) -> None:
    win_id = await make_win(
        records.database, made(tenant_a), company_id, status=kept[0], snoozed_until=kept[1]
    )
    sent = {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in body.items()
    }
    answer = await change(http, company_id, win_id, tenant_a.member, sent)
    assert answer.status_code == 200, answer.text
    win = answer.json()["win"]
    until = iso_seconds(shown[1]) if shown[1] else None
    assert (win["status"], win["snoozed_until"]) == (shown[0], until)
    (row,) = await records.all(Win)
    assert (row.status, row.snoozed_until) == shown


@pytest.mark.parametrize(
    ("kept", "body", "location"),
    [
        (("suggested", None), {"status": "snoozed"}, "body.snoozed_until"),
        (("snoozed", PAST), {"status": "snoozed"}, "body.snoozed_until"),
        (("suggested", None), {"snoozed_until": PAST.isoformat()}, "body.snoozed_until"),
        (
            ("snoozed", LATER),
            {"status": "snoozed", "snoozed_until": None},
            "body.snoozed_until",
        ),
        (("suggested", None), {"snoozed_until": "soon"}, "body.snoozed_until"),
        (
            ("suggested", None),
            {"snoozed_until": "9999-12-31T23:59:59-01:00"},
            "body.snoozed_until",
        ),
        (("suggested", None), {"snoozed_until": 4102444800}, "body.snoozed_until"),
        (("suggested", None), {"snoozed_until": "4102444800"}, "body.snoozed_until"),
        # In the time zone of PostgreSQL it may lie in a year that there is not.
        (("suggested", None), {"snoozed_until": "9999-12-31T23:59:59Z"}, "body.snoozed_until"),
        (("suggested", None), {}, "body"),
        (("suggested", None), {"title": " "}, "body.title"),
        (("suggested", None), {"title": None}, "body.title"),
        (("suggested", None), {"title": "x" * 301}, "body.title"),
        (("suggested", None), {"status": None}, "body.status"),
        (("suggested", None), {"status": "won"}, "body.status"),
        (("suggested", None), {"metric_delta": "1"}, "body.metric_delta"),
        (("suggested", None), {"description": "x" * 10_001}, "body.description"),
        (("suggested", None), {"project_id": None}, "body.project_id"),
        (("suggested", None), {"metric_key": "roas"}, "body.metric_key"),
        (("suggested", None), {"won_at": "2026-01-01"}, "body.won_at"),
        (("suggested", None), {"source": "ai"}, "body.source"),
    ],
)
async def test_an_impossible_update_changes_nothing(
    http: httpx.AsyncClient,
    tenant_a: TenantPeople,
    records: Records,
    company_id: str,
    kept: tuple[str, datetime | None],
    body: dict[str, Any],
    location: str,
) -> None:
    win_id = await make_win(
        records.database, made(tenant_a), company_id, status=kept[0], snoozed_until=kept[1]
    )
    before = await records.all(Win)
    answer = await change(http, company_id, win_id, tenant_a.member, body)
    assert answer.status_code == 400
    assert [item["location"] for item in answer.json()["errors"]] == [location]
    assert await records.all(Win) == before


async def test_a_snooze_is_kept_as_it_is_shown(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records, company_id: str
) -> None:
    win_id = await make_win(records.database, made(tenant_a), company_id)
    body = {"snoozed_until": "9998-12-31T23:59:59.750Z"}
    answer = await change(http, company_id, win_id, tenant_a.member, body)
    shown = answer.json()["win"]["snoozed_until"]
    assert shown == "9998-12-31T23:59:59Z"
    await change(http, company_id, win_id, tenant_a.member, {"snoozed_until": shown})
    assert await records.count(HistoryEvent) == 1


async def test_a_win_is_linked_to_a_goal_of_its_client_alone(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records, company_id: str
) -> None:
    other = await make_client(records.database, made(tenant_a), "Other")
    foreign = await make_goal(records.database, made(tenant_a), other)
    win_id = await make_win(records.database, made(tenant_a), company_id)
    for goal in (foreign, new_id(), "not-an-id"):
        body = {"title": "New", "linked_goal_id": goal}
        answer = await change(http, company_id, win_id, tenant_a.member, body)
        assert answer.status_code == 422
        assert [item["location"] for item in answer.json()["errors"]] == ["body.linked_goal_id"]
    assert [row.title for row in await records.all(Win)] == ["Grew"]
    assert await records.count(HistoryEvent) == 0


async def test_only_those_who_may_change_a_win_that_is_there_do(
    http: httpx.AsyncClient,
    tenant_a: TenantPeople,
    tenant_b: TenantPeople,
    records: Records,
    company_id: str,
) -> None:
    win_id = await make_win(records.database, made(tenant_a), company_id)
    other = await make_client(records.database, made(tenant_a), "Other")
    body = {"title": "New"}
    assert (await change(http, company_id, win_id, tenant_a.reviewer, body)).status_code == 403
    for company, win, person in (
        (company_id, win_id, tenant_b.admin),
        (other, win_id, tenant_a.admin),
        (new_id(), win_id, tenant_a.admin),
        (company_id, new_id(), tenant_a.admin),
        (company_id, "not-an-id", tenant_a.admin),
    ):
        assert (await change(http, company, win, person, body)).status_code == 404
    assert [row.title for row in await records.all(Win)] == ["Grew"]
