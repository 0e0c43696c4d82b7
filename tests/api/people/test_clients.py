"""Clients over HTTP: the list, its badges, promoting, changing, and the history."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest
from sqlalchemy import update

from models.db.database import Database
from models.ids import new_id
from models.rules.clients.vocabulary import ClientStatus, Tier, TierTrack
from models.tables.clients import AdoptionWeek, Client, HistoryEvent
from models.tables.people import Principal
from models.tables.records import AuditEntry
from tests.api.conftest import TenantPeople, made
from tests.factories.agents import TenantMade
from tests.factories.clients import make_client, make_company
from tests.factories.records import Records

URL = "/api/clients"
TODAY = datetime.now(UTC).date()


@pytest.fixture
def here(tenant_a: TenantPeople) -> TenantMade:
    return made(tenant_a)


@pytest.fixture
def elsewhere(tenant_b: TenantPeople) -> TenantMade:
    return made(tenant_b)


async def found(http: httpx.AsyncClient, people: TenantPeople, query: str = "") -> dict[str, Any]:
    answer = await http.get(f"{URL}?{query}", headers=people.reviewer.headers)
    assert answer.status_code == 200, answer.text
    listed: dict[str, Any] = answer.json()
    return listed


async def history(http: httpx.AsyncClient, people: TenantPeople, company_id: str) -> list[Any]:
    answer = await http.get(f"{URL}/{company_id}/history", headers=people.reviewer.headers)
    assert answer.status_code == 200, answer.text
    events: list[Any] = answer.json()["history"]
    return events


def locations(answer: httpx.Response) -> list[str]:
    return [item["location"] for item in answer.json()["errors"]]


# --- the list -----------------------------------------------------------------------------------


async def test_a_client_is_listed_with_what_is_computed_of_it(
    http: httpx.AsyncClient, tenant_a: TenantPeople, here: TenantMade, db: Database
) -> None:
    parent = await make_company(db, here, "Acme Holding")
    company_id = await make_company(db, here, "Acme", parent_company_id=parent)
    scored_at = datetime.now(UTC) - timedelta(days=91)
    client_id = new_id()
    await make_client(
        db, here, company_id=company_id, id=client_id, tier=Tier.CORE,
        tier_track=TierTrack.DELIVERY, tier_score=Decimal("3.25"), tier_scored_at=scored_at,
        health_score=Decimal("49.5"), health_scored_at=scored_at, assigned_dm_id=here.member_id,
        next_qbr_date=TODAY - timedelta(days=3), last_qbr_date=date(2025, 11, 5),
        created_at=scored_at, updated_at=scored_at,
    )  # fmt: skip
    at = f"{scored_at.isoformat()[:19]}Z"
    assert await found(http, tenant_a) == {
        "clients": [
            {
                "id": client_id,
                "company_id": company_id,
                "name": "Acme",
                "status": "active",
                "tier": "core",
                "tier_track": "delivery",
                "tier_score": 3.25,
                "tier_scored_at": at,
                "is_score_stale": True,
                "health_score": 49.5,
                "health_scored_at": at,
                "assigned_dm_id": here.member_id,
                "assigned_dm_name": tenant_a.member.name,
                "last_qbr_date": "2025-11-05",
                "next_qbr_date": str(TODAY - timedelta(days=3)),
                "is_qbr_overdue": True,
                "qbr_overdue_days": 3,
                "parent_company_id": parent,
                "created_at": at,
                "updated_at": at,
            }
        ],
        "total": 1,
        "page": 1,
        "pages": 1,
    }


async def test_filters_and_pages_go_together(
    http: httpx.AsyncClient, tenant_a: TenantPeople, here: TenantMade, db: Database
) -> None:
    for number in range(5):
        await make_client(db, here, f"Acme {number}", tier=Tier.CORE, health_score=number * 10)
    await make_client(db, here, "Acme none", tier=Tier.CORE)
    await make_client(db, here, "Zebra", tier=Tier.REVIEW, status=ClientStatus.DORMANT)
    query = (
        "status=active,prospect&tier=core,platinum&health_score_min=10&health_score_max=40"
        "&search=%20aCm%20&sort=health_score&per_page=3"
    )
    first = await found(http, tenant_a, query)
    assert [one["name"] for one in first["clients"]] == ["Acme 1", "Acme 2", "Acme 3"]
    assert (first["total"], first["page"], first["pages"]) == (4, 1, 2)
    last = await found(http, tenant_a, f"{query}&page=2")
    assert [one["name"] for one in last["clients"]] == ["Acme 4"]
    past = await found(http, tenant_a, f"{query}&page=2147483647")
    assert past == {"clients": [], "total": 4, "page": 2147483647, "pages": 2}


async def test_a_list_of_nothing_has_no_pages(
    http: httpx.AsyncClient, tenant_a: TenantPeople, elsewhere: TenantMade, db: Database
) -> None:
    await make_client(db, elsewhere)
    nothing = {"clients": [], "total": 0, "page": 1, "pages": 0}
    assert await found(http, tenant_a) == nothing
    for nobody in ("", "nobody", elsewhere.admin_id):
        assert await found(http, tenant_a, f"assigned_dm_id={nobody}") == nothing


@pytest.mark.parametrize(
    ("query", "location"),
    [
        ("status=active,asleep", "query.status"),
        ("status=", "query.status"),
        ("tier=gold", "query.tier"),
        ("sort=age", "query.sort"),
        ("health_score_min=60&health_score_max=59.99", "query.health_score_min"),
        ("health_score_min=-1", "query.health_score_min"),
        ("health_score_max=100.01", "query.health_score_max"),
        ("health_score_max=nan", "query.health_score_max"),
        ("page=0", "query.page"),
        ("page=2147483648", "query.page"),
        ("per_page=0", "query.per_page"),
        ("per_page=201", "query.per_page"),
        (f"search={'x' * 201}", "query.search"),
    ],
)
async def test_a_query_that_makes_no_sense_is_refused_by_name(
    http: httpx.AsyncClient, tenant_a: TenantPeople, query: str, location: str
) -> None:
    answer = await http.get(f"{URL}?{query}", headers=tenant_a.admin.headers)
    assert answer.status_code == 400
    assert location in locations(answer)[0]


async def test_bounds_of_health_belong_to_the_range_however_they_are_written(
    http: httpx.AsyncClient, tenant_a: TenantPeople, here: TenantMade, db: Database
) -> None:
    await make_client(db, here, health_score=Decimal("49.99"))
    for query in ("health_score_min=49.99&health_score_max=49.99", "health_score_min=1e-320"):
        assert (await found(http, tenant_a, query))["total"] == 1
    assert (await found(http, tenant_a, "health_score_max=49.989999"))["total"] == 0


async def test_the_badges_count_active_clients_of_the_tenant(
    http: httpx.AsyncClient,
    tenant_a: TenantPeople,
    here: TenantMade,
    elsewhere: TenantMade,
    db: Database,
) -> None:
    late: dict[str, Any] = {
        "next_qbr_date": TODAY - timedelta(days=1),
        "health_score": Decimal("49.99"),
    }
    await make_client(db, here, **late)
    await make_client(db, here, last_qbr_date=date(2024, 1, 31), health_score=50)
    await make_client(db, here, next_qbr_date=TODAY)
    await make_client(db, here, status=ClientStatus.DORMANT, **late)
    await make_client(db, elsewhere, **late)
    answer = await http.get(f"{URL}/stats", headers=tenant_a.reviewer.headers)
    assert answer.json() == {"overdue_qbr_count": 2, "low_health_count": 1}


# --- promoting ----------------------------------------------------------------------------------


async def test_a_promoted_company_is_a_client_without_scores_or_dates(
    http: httpx.AsyncClient,
    tenant_a: TenantPeople,
    here: TenantMade,
    db: Database,
    records: Records,
) -> None:
    company_id = await make_company(db, here, "Ångström")
    body = {"company_id": company_id, "status": "active", "assigned_dm_id": here.admin_id}
    answer = await http.post(URL, json=body, headers=tenant_a.member.headers)
    assert answer.status_code == 201, answer.text
    client = answer.json()["client"]
    known = {
        "id", "company_id", "name", "status", "assigned_dm_id", "assigned_dm_name",
        "is_qbr_overdue", "qbr_overdue_days", "is_score_stale", "created_at", "updated_at",
    }  # fmt: skip
    assert {name for name, value in client.items() if value is not None} == known
    assert (client["name"], client["status"], client["assigned_dm_name"]) == (
        "Ångström", "active", tenant_a.admin.name,
    )  # fmt: skip
    shown = await http.get(f"{URL}/{company_id}", headers=tenant_a.reviewer.headers)
    assert shown.json()["client"] == client
    assert (await found(http, tenant_a, "search=ÅNG"))["total"] == 1
    (event,) = await history(http, tenant_a, company_id)
    assert (event["event_type"], event["actor_id"], event["actor_name"]) == (
        "client.promoted", here.member_id, tenant_a.member.name,
    )  # fmt: skip
    assert event["metadata"] == {"status": "active", "assigned_dm_id": here.admin_id}
    (entry,) = [one for one in await records.all(AuditEntry) if one.entity_id == company_id]
    assert (entry.entity_type, entry.action) == ("client", "promoted")
    assert await records.count(AdoptionWeek) == 0


async def test_a_client_is_a_prospect_unless_said_otherwise(
    http: httpx.AsyncClient, tenant_a: TenantPeople, here: TenantMade, db: Database
) -> None:
    body = {"company_id": await make_company(db, here), "assigned_dm_id": None}
    answer = await http.post(URL, json=body, headers=tenant_a.member.headers)
    client = answer.json()["client"]
    assert (client["status"], client["assigned_dm_id"]) == ("prospect", None)


async def test_a_company_that_is_not_there_cannot_be_promoted(
    http: httpx.AsyncClient, tenant_a: TenantPeople, elsewhere: TenantMade, db: Database
) -> None:
    for company_id in ("", "no-id", new_id(), await make_company(db, elsewhere)):
        answer = await http.post(
            URL, json={"company_id": company_id}, headers=tenant_a.member.headers
        )
        assert answer.status_code == 404


async def test_a_client_cannot_be_promoted_again(
    http: httpx.AsyncClient, tenant_a: TenantPeople, here: TenantMade, db: Database
) -> None:
    body = {"company_id": await make_client(db, here)}
    answer = await http.post(URL, json=body, headers=tenant_a.member.headers)
    assert answer.status_code == 409


async def test_of_two_who_promote_a_company_at_once_one_is_refused(
    http: httpx.AsyncClient,
    tenant_a: TenantPeople,
    here: TenantMade,
    db: Database,
    records: Records,
) -> None:
    for _ in range(5):
        body = {"company_id": await make_company(db, here)}
        calls = [
            http.post(URL, json=body, headers=person.headers)
            for person in (tenant_a.member, tenant_a.admin, tenant_a.member)
        ]
        answers = await asyncio.gather(*calls)
        assert sorted(answer.status_code for answer in answers) == [201, 409, 409]
    assert await records.count(HistoryEvent) == 5


async def outsiders(
    db: Database, records: Records, here: TenantMade, elsewhere: TenantMade
) -> list[str]:
    """Ids of nobody, an agent, a user of another tenant, and one who is not active any more."""
    async with db.tenant(here.id) as session:
        await session.execute(
            update(Principal).where(Principal.id == here.admin_id).values(status="inactive")
        )
    return ["", "no-id", new_id(), records.agent("editor"), elsewhere.admin_id, here.admin_id]


async def test_only_an_active_user_can_be_delivery_manager_of_a_new_client(
    http: httpx.AsyncClient,
    tenant_a: TenantPeople,
    here: TenantMade,
    elsewhere: TenantMade,
    db: Database,
    records: Records,
) -> None:
    company_id = await make_company(db, here)
    for somebody in await outsiders(db, records, here, elsewhere):
        body = {"company_id": company_id, "assigned_dm_id": somebody}
        answer = await http.post(URL, json=body, headers=tenant_a.member.headers)
        assert (answer.status_code, locations(answer)) == (422, ["body.assigned_dm_id"])
    assert await records.count(Client) == 0


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"company_id": None},
        {"company_id": "x", "status": None},
        {"company_id": "x", "status": "asleep"},
        {"company_id": "x", "tier": "core"},
    ],
)
async def test_a_promotion_that_makes_no_sense_is_refused(
    http: httpx.AsyncClient, tenant_a: TenantPeople, body: dict[str, Any]
) -> None:
    answer = await http.post(URL, json=body, headers=tenant_a.member.headers)
    assert answer.status_code == 400


async def test_a_promotion_sent_twice_with_a_key_is_answered_twice_and_done_once(
    http: httpx.AsyncClient,
    tenant_a: TenantPeople,
    here: TenantMade,
    db: Database,
    records: Records,
) -> None:
    body = {"company_id": await make_company(db, here)}
    headers = {**tenant_a.member.headers, "Idempotency-Key": "promote-acme"}
    first = await http.post(URL, json=body, headers=headers)
    again = await http.post(URL, json=body, headers=headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    assert await records.count(HistoryEvent) == 1


# --- changing -----------------------------------------------------------------------------------


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


# --- the history --------------------------------------------------------------------------------


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


# --- who may ------------------------------------------------------------------------------------


async def test_reviewers_look_and_do_not_touch(
    http: httpx.AsyncClient, tenant_a: TenantPeople, here: TenantMade, db: Database
) -> None:
    client, company = await make_client(db, here), await make_company(db, here)
    headers = tenant_a.reviewer.headers
    for path in ("", "/stats", f"/{client}", f"/{client}/history"):
        assert (await http.get(URL + path, headers=headers)).status_code == 200
    answers = [
        await http.post(URL, json={"company_id": company}, headers=headers),
        await http.patch(f"{URL}/{client}", json={"status": "dormant"}, headers=headers),
    ]
    assert [answer.status_code for answer in answers] == [403, 403]


async def test_a_client_that_is_not_the_tenants_is_not_there(
    http: httpx.AsyncClient,
    tenant_a: TenantPeople,
    here: TenantMade,
    elsewhere: TenantMade,
    db: Database,
) -> None:
    headers = tenant_a.admin.headers
    theirs, plain = await make_client(db, elsewhere), await make_company(db, here)
    for company_id in (theirs, plain, new_id(), "no-id"):
        answers = [
            await http.get(f"{URL}/{company_id}", headers=headers),
            await http.get(f"{URL}/{company_id}/history", headers=headers),
            await http.patch(f"{URL}/{company_id}", json={"status": "alumni"}, headers=headers),
        ]
        assert [answer.status_code for answer in answers] == [404] * 3
