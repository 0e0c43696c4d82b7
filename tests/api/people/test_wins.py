"""Wins over HTTP: recorded, listed, deleted. Updates have a file of their own."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from models.ids import new_id
from models.tables.clients import AdoptionWeek, HistoryEvent
from models.tables.clients_reviews import Win
from models.tables.companies import Project
from models.tables.records import AuditEntry
from tests.api.conftest import TenantPeople, made
from tests.factories.clients import make_client, make_company, make_goal, make_win
from tests.factories.records import NOON, Records

NOW = datetime.now(UTC)


@pytest.fixture
async def company_id(records: Records, tenant_a: TenantPeople) -> str:
    return await make_client(records.database, made(tenant_a), "Acme")


def url_of(company_id: str) -> str:
    return f"/api/clients/{company_id}/wins"


async def titles(
    http: httpx.AsyncClient, company_id: str, tenant: TenantPeople, query: str = ""
) -> list[str]:
    answer = await http.get(f"{url_of(company_id)}?{query}", headers=tenant.reviewer.headers)
    assert answer.status_code == 200, answer.text
    return [win["title"] for win in answer.json()["wins"]]


async def test_a_win_is_recorded_with_what_it_is_linked_to(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records, company_id: str
) -> None:
    project_id = await records.insert(Project, id=new_id(), name="Spring")
    goal_id = await make_goal(
        records.database, made(tenant_a), company_id, unit="x", current_value=Decimal("3.5")
    )
    body = {
        "title": "Four to one",
        "description": "The spring campaign carried it.",
        "outcome_text": "More revenue.",
        "project_id": project_id,
        "metric_key": "roas",
        "metric_delta": -0.125,
        "metric_delta_unit": "x",
        "won_at": "2026-02-28",
        "linked_goal_id": goal_id,
        "source": "meeting",
        "status": "suggested",
    }
    answer = await http.post(url_of(company_id), json=body, headers=tenant_a.member.headers)
    assert answer.status_code == 201, answer.text
    win = answer.json()["win"]
    assert win == {
        **body,
        "id": win["id"],
        "company_id": company_id,
        "project": {"id": project_id, "name": "Spring"},
        "linked_goal": {
            "id": goal_id, "metric": "roas", "target": 4.0, "current_value": 3.5, "unit": "x",
        },
        "snoozed_until": None,
        "created_by": tenant_a.member.id,
        "created_at": win["created_at"],
        "updated_at": win["created_at"],
    }  # fmt: skip
    listed = await http.get(url_of(company_id), headers=tenant_a.reviewer.headers)
    assert listed.json() == {"wins": [win]}


async def test_a_title_is_enough(
    http: httpx.AsyncClient, tenant_a: TenantPeople, company_id: str
) -> None:
    nothing = dict.fromkeys(("description", "outcome_text", "project_id", "linked_goal_id"))
    before = datetime.now(UTC).date()
    answer = await http.post(
        url_of(company_id), json={"title": " Yes ", **nothing}, headers=tenant_a.member.headers
    )
    win = answer.json()["win"]
    assert (win["title"], win["source"], win["status"]) == (" Yes ", "manual", "confirmed")
    assert date.fromisoformat(win["won_at"]) in (before, datetime.now(UTC).date())
    assert (win["project"], win["linked_goal"], win["metric_delta"]) == (None, None, None)


async def test_a_new_win_is_in_the_history_and_shows_adoption(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records, company_id: str
) -> None:
    answer = await http.post(
        url_of(company_id), json={"title": "Yes"}, headers=tenant_a.member.headers
    )
    (event,) = await records.all(HistoryEvent)
    assert (event.event_type, event.resource_id, event.actor_id, event.details) == (
        "client.win_created",
        company_id,
        tenant_a.member.id,
        {
            "win_id": answer.json()["win"]["id"],
            "title": "Yes",
            "source": "manual",
            "status": "confirmed",
        },
    )
    assert await records.count(AdoptionWeek) == 1
    entries = [one for one in await records.all(AuditEntry) if one.entity_id == company_id]
    assert [one.action for one in entries] == ["win_created"]


@pytest.mark.parametrize(
    ("body", "location"),
    [
        ({}, "body.title"),
        ({"title": ""}, "body.title"),
        ({"title": " \t\n"}, "body.title"),
        ({"title": None}, "body.title"),
        ({"title": "x" * 301}, "body.title"),
        ({"title": "x", "description": "x" * 10_001}, "body.description"),
        ({"title": "x", "outcome_text": "x" * 10_001}, "body.outcome_text"),
        ({"title": "x", "metric_key": "x" * 101}, "body.metric_key"),
        ({"title": "x", "metric_delta": "1"}, "body.metric_delta"),
        ({"title": "x", "metric_delta": 1e18}, "body.metric_delta"),
        ({"title": "x", "metric_delta_unit": "x" * 41}, "body.metric_delta_unit"),
        ({"title": "x", "won_at": "2026-02-30"}, "body.won_at"),
        ({"title": "x", "won_at": "2026-02-03T00:00:00Z"}, "body.won_at"),
        ({"title": "x", "won_at": None}, "body.won_at"),
        ({"title": "x", "source": "luck"}, "body.source"),
        ({"title": "x", "status": "snoozed"}, "body.status"),
        ({"title": "x", "status": "won"}, "body.status"),
        ({"title": "x", "status": None}, "body.status"),
        ({"title": "x", "snoozed_until": "2030-01-01T00:00:00Z"}, "body.snoozed_until"),
    ],
)
async def test_an_impossible_win_is_not_recorded(
    http: httpx.AsyncClient,
    tenant_a: TenantPeople,
    records: Records,
    company_id: str,
    body: dict[str, Any],
    location: str,
) -> None:
    answer = await http.post(url_of(company_id), json=body, headers=tenant_a.member.headers)
    assert answer.status_code == 400
    assert [item["location"] for item in answer.json()["errors"]] == [location]
    assert await records.count(Win) == 0


async def test_a_win_is_linked_to_what_is_there_alone(
    http: httpx.AsyncClient,
    tenant_a: TenantPeople,
    tenant_b: TenantPeople,
    records: Records,
    foreign_records: Records,
    company_id: str,
) -> None:
    other = await make_client(records.database, made(tenant_a), "Other")
    theirs = await make_client(records.database, made(tenant_b), "Theirs")
    goals = [
        new_id(),
        "not-an-id",
        await make_goal(records.database, made(tenant_a), other),
        await make_goal(records.database, made(tenant_b), theirs),
    ]
    projects = [
        new_id(), "", await foreign_records.insert(Project, id=new_id(), name="Theirs"),
    ]  # fmt: skip
    asked = [("linked_goal_id", one) for one in goals] + [("project_id", one) for one in projects]
    for member, value in asked:
        answer = await http.post(
            url_of(company_id), json={"title": "x", member: value}, headers=tenant_a.member.headers
        )
        assert answer.status_code == 422
        assert [item["location"] for item in answer.json()["errors"]] == [f"body.{member}"]
    assert await records.count(Win) == 0
    assert await records.count(HistoryEvent) == 0


async def test_a_repeated_call_records_one_win(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records, company_id: str
) -> None:
    headers = {**tenant_a.member.headers, "Idempotency-Key": "win-1"}
    answers = [
        await http.post(url_of(company_id), json={"title": "Yes"}, headers=headers)
        for _ in range(2)
    ]
    assert answers[0].json() == answers[1].json()
    assert (await records.count(Win), await records.count(HistoryEvent)) == (1, 1)


async def test_wins_are_listed_newest_first(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records, company_id: str
) -> None:
    other = await make_client(records.database, made(tenant_a), "Other")
    for company, title, won_at, minutes in (
        (company_id, "old", date(2026, 1, 1), 9),
        (company_id, "first of the day", date(2026, 2, 1), 1),
        (company_id, "second of the day", date(2026, 2, 1), 2),
        (other, "of another client", date(2026, 3, 1), 3),
    ):
        await make_win(
            records.database, made(tenant_a), company,
            title=title, won_at=won_at, created_at=NOON + timedelta(minutes=minutes),
        )  # fmt: skip
    found = await titles(http, company_id, tenant_a)
    assert found == ["second of the day", "first of the day", "old"]


async def test_a_window_begins_with_since_and_ends_before_until(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records, company_id: str
) -> None:
    for day in (1, 2, 3):
        await make_win(
            records.database, made(tenant_a), company_id, title=str(day), won_at=date(2026, 2, day)
        )
    assert await titles(http, company_id, tenant_a, "since=2026-02-02") == ["3", "2"]
    assert await titles(http, company_id, tenant_a, "until=2026-02-02") == ["1"]
    both = "since=2026-02-01&until=2026-02-03"
    assert await titles(http, company_id, tenant_a, both) == ["2", "1"]
    assert await titles(http, company_id, tenant_a, "since=2026-02-02&until=2026-02-02") == []


async def test_a_snooze_that_is_over_counts_as_suggested(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records, company_id: str
) -> None:
    for title, status, until in (
        ("a", "suggested", None),
        ("b", "confirmed", None),
        ("c", "dismissed", None),
        ("d", "snoozed", NOW + timedelta(days=1)),
        ("e", "snoozed", NOW - timedelta(seconds=1)),
    ):
        await make_win(
            records.database, made(tenant_a), company_id,
            title=title, status=status, snoozed_until=until,
        )  # fmt: skip
    assert sorted(await titles(http, company_id, tenant_a)) == ["a", "b", "d", "e"]
    assert sorted(await titles(http, company_id, tenant_a, "status=suggested")) == ["a", "e"]
    assert await titles(http, company_id, tenant_a, "status=snoozed") == ["d"]
    two = "status=dismissed,confirmed"
    assert sorted(await titles(http, company_id, tenant_a, two)) == ["b", "c"]
    answer = await http.get(
        f"{url_of(company_id)}?status=suggested,snoozed", headers=tenant_a.reviewer.headers
    )
    shown = {win["title"]: (win["status"], win["snoozed_until"]) for win in answer.json()["wins"]}
    assert shown == {
        "a": ("suggested", None),
        "e": ("suggested", None),
        "d": ("snoozed", (NOW + timedelta(days=1)).isoformat()[:19] + "Z"),
    }


@pytest.mark.parametrize(
    ("query", "location"),
    [
        ("since=yesterday", "query.since"),
        ("until=2026-02-30", "query.until"),
        ("since=2026-02-01T00:00:00Z", "query.since"),
        ("since=2026-02-02&until=2026-02-01", "query.until"),
        ("status=won", "query.status"),
        ("status=confirmed,", "query.status"),
    ],
)
async def test_a_window_or_status_that_is_none_is_refused(
    http: httpx.AsyncClient, tenant_a: TenantPeople, company_id: str, query: str, location: str
) -> None:
    answer = await http.get(f"{url_of(company_id)}?{query}", headers=tenant_a.member.headers)
    assert answer.status_code == 400
    assert [item["location"] for item in answer.json()["errors"]] == [location]


async def test_a_deleted_win_leaves_its_title_in_the_history(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records, company_id: str
) -> None:
    win_id = await make_win(records.database, made(tenant_a), company_id, title="Gone")
    url = f"{url_of(company_id)}/{win_id}"
    for person in (tenant_a.reviewer, tenant_a.member):
        assert (await http.delete(url, headers=person.headers)).status_code == 403
    answer = await http.delete(url, headers=tenant_a.admin.headers)
    assert (answer.status_code, answer.json()) == (200, {"ok": True})
    assert await records.count(Win) == 0
    (event,) = await records.all(HistoryEvent)
    assert (event.event_type, event.details) == (
        "client.win_deleted", {"win_id": win_id, "title": "Gone"},
    )  # fmt: skip
    assert await records.count(AdoptionWeek) == 0
    assert (await http.delete(url, headers=tenant_a.admin.headers)).status_code == 404


async def test_reviewers_see_wins_and_do_not_record_them(
    http: httpx.AsyncClient, tenant_a: TenantPeople, company_id: str
) -> None:
    answer = await http.post(
        url_of(company_id), json={"title": "Yes"}, headers=tenant_a.reviewer.headers
    )
    assert answer.status_code == 403


async def test_only_clients_and_wins_of_the_path_are_there(
    http: httpx.AsyncClient,
    tenant_a: TenantPeople,
    tenant_b: TenantPeople,
    records: Records,
    company_id: str,
) -> None:
    win_id = await make_win(records.database, made(tenant_a), company_id)
    other = await make_client(records.database, made(tenant_a), "Other")
    never = await make_company(records.database, made(tenant_a), "Never promoted")
    ours, theirs = tenant_a.admin.headers, tenant_b.admin.headers
    for company, headers in (
        (new_id(), ours), (never, ours), ("not-an-id", ours), (company_id, theirs),
    ):  # fmt: skip
        url = url_of(company)
        assert (await http.get(url, headers=headers)).status_code == 404
        answer = await http.post(url, json={"title": "Yes"}, headers=headers)
        assert answer.status_code == 404
        assert (await http.delete(f"{url}/{win_id}", headers=headers)).status_code == 404
    for company, win in ((other, win_id), (company_id, new_id()), (company_id, "not-an-id")):
        answer = await http.delete(f"{url_of(company)}/{win}", headers=ours)
        assert answer.status_code == 404
    assert await records.count(Win) == 1
