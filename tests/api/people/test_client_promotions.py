"""Promoting a company over HTTP: what a new client is, and who may not become one."""

import asyncio
from typing import Any

import httpx
import pytest

from models.db.database import Database
from models.ids import new_id
from models.tables.clients import AdoptionWeek, Client, HistoryEvent
from models.tables.records import AuditEntry
from tests.api.conftest import TenantPeople, made
from tests.api.people.client_calls import URL, found, history, locations, outsiders
from tests.factories.agents import TenantMade
from tests.factories.clients import make_client, make_company
from tests.factories.records import Records


@pytest.fixture
def here(tenant_a: TenantPeople) -> TenantMade:
    return made(tenant_a)


@pytest.fixture
def elsewhere(tenant_b: TenantPeople) -> TenantMade:
    return made(tenant_b)


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
