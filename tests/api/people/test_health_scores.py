"""Health scores over HTTP."""

import asyncio
from decimal import Decimal
from typing import Any

import httpx
import pytest

from models.ids import new_id
from models.rules.vocabulary import EventKind
from models.tables.clients import Client, HistoryEvent
from models.tables.clients_scores import ClientHealthScore
from models.tables.people import Notification
from models.tables.records import AuditEntry, Event
from tests.api.conftest import Person, TenantPeople, made
from tests.factories.clients import make_client, make_company
from tests.factories.records import Records


@pytest.fixture
async def company_id(records: Records, tenant_a: TenantPeople) -> str:
    """A client of tenant A whose delivery manager is its admin."""
    return await make_client(
        records.database, made(tenant_a), "Acme", assigned_dm_id=tenant_a.admin.id
    )


async def record(
    http: httpx.AsyncClient, company_id: str, person: Person, body: Any, key: str | None = None
) -> httpx.Response:
    headers = {**person.headers, **({"Idempotency-Key": key} if key else {})}
    url = f"/api/clients/{company_id}/health-scores"
    if isinstance(body, bytes):
        headers["Content-Type"] = "application/json"
        return await http.post(url, content=body, headers=headers)
    return await http.post(url, json=body, headers=headers)


async def test_a_score_becomes_the_clients_current_one(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records, company_id: str
) -> None:
    body = {"score": 72.125, "factors": ["Sponsor left"], "assessed_by": "Survey"}
    await record(http, company_id, tenant_a.member, {"score": 80})
    answer = await record(http, company_id, tenant_a.member, body)
    assert answer.status_code == 201, answer.text
    shown = answer.json()["health_score"]
    client = next(row for row in await records.all(Client) if row.company_id == company_id)
    assert shown == {
        "id": shown["id"],
        "company_id": company_id,
        "score": 72.13,
        "previous_score": 80.0,
        "factors": ["Sponsor left"],
        "assessed_by": "Survey",
        "created_at": client.health_scored_at.isoformat()[:19] + "Z",
    }
    assert client.health_score == Decimal("72.13")
    (kept,) = [row for row in await records.all(ClientHealthScore) if row.id == shown["id"]]
    assert (kept.score, kept.previous_score) == (Decimal("72.13"), Decimal(80))


async def test_a_score_is_in_the_history_and_in_the_audit_log(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records, company_id: str
) -> None:
    for score in (60, 60):
        await record(http, company_id, tenant_a.member, {"score": score})
    events = await records.all(HistoryEvent)
    assert [
        (one.event_type, one.field, one.old_value, one.new_value, one.actor_id) for one in events
    ] == [
        ("client.health_recorded", "health_score", None, 60.0, tenant_a.member.id),
        ("client.health_recorded", "health_score", 60.0, 60.0, tenant_a.member.id),
    ]
    entries = [one for one in await records.all(AuditEntry) if one.entity_id == company_id]
    assert [one.action for one in entries] == ["health_recorded"] * 2


async def test_without_more_the_caller_assessed_it_for_no_factors(
    http: httpx.AsyncClient, tenant_a: TenantPeople, company_id: str
) -> None:
    shown = (await record(http, company_id, tenant_a.member, {"score": 0})).json()["health_score"]
    assert (shown["assessed_by"], shown["factors"], shown["score"], shown["previous_score"]) == (
        tenant_a.member.id, [], 0.0, None,
    )  # fmt: skip


async def test_the_delivery_manager_is_told_when_the_score_turns_low(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records, company_id: str
) -> None:
    for score in (49.99, 30, 50, 49.995, 49.994):
        answer = await record(http, company_id, tenant_a.member, {"score": score})
        assert answer.status_code == 201
    told = await records.all(Notification)
    # The first score of all, and the fall from 50: 49.995 is kept as 50.
    assert sorted(one.body for one in told) == [
        "The first health score is 49.99.", "The health score fell from 50.00 to 49.99.",
    ]  # fmt: skip
    assert {(one.kind, one.principal_id, one.company_id, one.subject) for one in told} == {
        ("client.health_low", tenant_a.admin.id, company_id, "Acme: health is low")
    }
    heard = [one.kind for one in await records.all(Event)]
    assert heard == [EventKind.NOTIFICATION_CREATED] * 2


async def test_nobody_is_told_where_there_is_no_delivery_manager(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records
) -> None:
    alone = await make_client(records.database, made(tenant_a), "Alone")
    await record(http, alone, tenant_a.member, {"score": 10})
    assert await records.count(Notification) == 0


async def test_of_two_scores_at_once_each_follows_the_other(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records, company_id: str
) -> None:
    scores = [float(score) for score in (90, 80, 70, 60, 45, 40)]
    answers = await asyncio.gather(
        *(record(http, company_id, tenant_a.member, {"score": score}) for score in scores)
    )
    assert [answer.status_code for answer in answers] == [201] * len(scores)
    rows = sorted(await records.all(ClientHealthScore), key=lambda row: row.created_at)
    assert [row.previous_score for row in rows] == [None, *(row.score for row in rows[:-1])]
    (client,) = await records.all(Client)
    assert (client.health_score, client.health_scored_at) == (rows[-1].score, rows[-1].created_at)


async def test_a_repeated_call_records_one_score(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records, company_id: str
) -> None:
    answers = [
        await record(http, company_id, tenant_a.member, {"score": 20}, "weekly") for _ in range(2)
    ]
    assert answers[0].json() == answers[1].json()
    assert answers[1].headers["Idempotency-Replayed"] == "true"
    assert await records.count(ClientHealthScore) == 1
    assert await records.count(Notification) == 1
    assert (
        await record(http, company_id, tenant_a.member, {"score": 21}, "weekly")
    ).status_code == 409


@pytest.mark.parametrize(
    ("body", "location"),
    [
        ({}, "body.score"),
        ({"score": None}, "body.score"),
        ({"score": "50"}, "body.score"),
        ({"score": True}, "body.score"),
        ({"score": -0.001}, "body.score"),
        ({"score": 100.001}, "body.score"),
        (b'{"score": NaN}', "body.score"),
        (b'{"score": Infinity}', "body.score"),
        (b'{"score": 1e999}', "body.score"),
        ({"score": 5, "factors": None}, "body.factors"),
        ({"score": 5, "factors": ["x"] * 51}, "body.factors"),
        ({"score": 5, "factors": ["x", ""]}, "body.factors.1"),
        ({"score": 5, "factors": ["x" * 201]}, "body.factors.0"),
        ({"score": 5, "factors": [1]}, "body.factors.0"),
        ({"score": 5, "assessed_by": None}, "body.assessed_by"),
        ({"score": 5, "assessed_by": "x" * 201}, "body.assessed_by"),
        ({"score": 5, "previous_score": 5}, "body.previous_score"),
    ],
)
async def test_what_is_no_score_changes_nothing(
    http: httpx.AsyncClient,
    tenant_a: TenantPeople,
    records: Records,
    company_id: str,
    body: Any,
    location: str,
) -> None:
    answer = await record(http, company_id, tenant_a.member, body)
    assert answer.status_code == 400
    assert location in [item["location"] for item in answer.json()["errors"]]
    assert await records.count(ClientHealthScore) == 0


async def test_the_widest_values_are_taken(
    http: httpx.AsyncClient, tenant_a: TenantPeople, company_id: str
) -> None:
    body = {"score": 100, "factors": ["x" * 200] * 50, "assessed_by": "x" * 200}
    assert (await record(http, company_id, tenant_a.member, body)).status_code == 201
    answer = await record(http, company_id, tenant_a.member, b'{"score": 1e-300}')
    assert answer.json()["health_score"]["score"] == 0.0


async def test_reviewers_do_not_record_scores(
    http: httpx.AsyncClient, tenant_a: TenantPeople, company_id: str
) -> None:
    assert (await record(http, company_id, tenant_a.reviewer, {"score": 5})).status_code == 403


async def test_only_clients_of_the_tenant_are_there(
    http: httpx.AsyncClient,
    tenant_a: TenantPeople,
    tenant_b: TenantPeople,
    records: Records,
    company_id: str,
) -> None:
    prospect = await make_company(records.database, made(tenant_a), "Never promoted")
    for asked in (new_id(), prospect, "not-an-id"):
        assert (await record(http, asked, tenant_a.admin, {"score": 5})).status_code == 404
    assert (await record(http, company_id, tenant_b.admin, {"score": 5})).status_code == 404
    assert await records.count(ClientHealthScore) == 0
