"""Goals over HTTP."""

import asyncio
from decimal import Decimal
from typing import Any

import httpx
import pytest

from models.ids import new_id
from models.tables.clients import AdoptionWeek, HistoryEvent
from models.tables.clients_reviews import ClientGoal, Win
from models.tables.records import AuditEntry
from tests.api.conftest import Person, TenantPeople, made
from tests.factories.clients import make_client, make_company
from tests.factories.records import Records

ROAS = {"metric": "roas", "target": 4, "baseline": 3, "unit": "x", "period": "quarter"}


@pytest.fixture
async def company_id(records: Records, tenant_a: TenantPeople) -> str:
    return await make_client(records.database, made(tenant_a), "Acme")


async def send(
    http: httpx.AsyncClient, method: str, url: str, person: Person, body: Any, **headers: str
) -> httpx.Response:
    """Send a body, as JSON or as the bytes that it is given as."""
    headers = {**person.headers, **headers, "Content-Type": "application/json"}
    if isinstance(body, bytes):
        return await http.request(method, url, content=body, headers=headers)
    return await http.request(method, url, json=body, headers=headers)


async def set_goal(
    http: httpx.AsyncClient, company_id: str, person: Person, **body: Any
) -> dict[str, Any]:
    answer = await send(http, "POST", f"/api/clients/{company_id}/goals", person, body)
    assert answer.status_code == 201, answer.text
    goal: dict[str, Any] = answer.json()["goal"]
    return goal


async def report(
    http: httpx.AsyncClient, goal: dict[str, Any], person: Person, value: Any
) -> httpx.Response:
    url = f"/api/clients/{goal['company_id']}/goals/{goal['id']}"
    return await send(http, "PATCH", url, person, {"current_value": value})


async def kinds(records: Records) -> list[str]:
    events = sorted(await records.all(HistoryEvent), key=lambda one: (one.created_at, one.id))
    return [one.event_type for one in events]


async def test_a_goal_is_set_with_what_is_asked_for(
    http: httpx.AsyncClient, tenant_a: TenantPeople, company_id: str
) -> None:
    goal = await set_goal(http, company_id, tenant_a.member, **ROAS)
    assert goal == {
        "id": goal["id"],
        "company_id": company_id,
        "metric": "roas",
        "target": 4.0,
        "baseline": 3.0,
        "current_value": None,
        "unit": "x",
        "period": "quarter",
        "progress_pct": None,
        "achieved_at": None,
        "created_by": tenant_a.member.id,
        "created_at": goal["created_at"],
        "updated_at": goal["created_at"],
    }
    plain = await set_goal(http, company_id, tenant_a.member, metric="NPS", target=-0.5)
    assert (plain["period"], plain["baseline"], plain["unit"]) == ("month", None, None)


async def test_a_new_goal_is_in_the_history_and_shows_adoption(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records, company_id: str
) -> None:
    goal = await set_goal(http, company_id, tenant_a.member, **ROAS)
    (event,) = await records.all(HistoryEvent)
    assert (event.event_type, event.resource_id, event.actor_id) == (
        "client.goal_created", company_id, tenant_a.member.id,
    )  # fmt: skip
    assert event.details["goal_id"] == goal["id"]
    assert await records.count(AdoptionWeek) == 1
    entries = [one for one in await records.all(AuditEntry) if one.entity_id == company_id]
    assert [one.action for one in entries] == ["goal_created"]


async def test_goals_are_listed_newest_first_for_reviewers_too(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records, company_id: str
) -> None:
    other = await make_client(records.database, made(tenant_a), "Other")
    await set_goal(http, other, tenant_a.member, **ROAS)
    first = await set_goal(http, company_id, tenant_a.member, **ROAS)
    second = await set_goal(http, company_id, tenant_a.member, metric="NPS", target=1)
    first = (await report(http, first, tenant_a.member, 3.25)).json()["goal"]
    url = f"/api/clients/{company_id}/goals"
    answer = await http.get(url, headers=tenant_a.reviewer.headers)
    assert answer.json() == {"goals": [second, first]}
    assert first["progress_pct"] == 25.0


async def test_progress_is_recorded_each_time_with_the_old_and_the_new_value(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records, company_id: str
) -> None:
    goal = await set_goal(http, company_id, tenant_a.member, **ROAS)
    for value in (3.5, 3.5, 3):
        answer = await report(http, goal, tenant_a.member, value)
        assert answer.status_code == 200
    assert answer.json()["goal"]["progress_pct"] == 0.0
    events = [
        one for one in await records.all(HistoryEvent) if one.event_type == "client.goal_progress"
    ]
    events.sort(key=lambda one: one.created_at)
    assert [(one.field, one.old_value, one.new_value) for one in events] == [
        ("current_value", None, 3.5), ("current_value", 3.5, 3.5), ("current_value", 3.5, 3.0),
    ]  # fmt: skip
    assert {one.details["goal_id"] for one in events} == {goal["id"]}


async def test_reaching_the_target_first_suggests_a_win(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records, company_id: str
) -> None:
    goal = await set_goal(http, company_id, tenant_a.member, **ROAS)
    reached = (await report(http, goal, tenant_a.member, 4.25)).json()["goal"]
    assert reached["achieved_at"] == reached["updated_at"]
    url = f"/api/clients/{company_id}/wins"
    (win,) = (await http.get(url, headers=tenant_a.reviewer.headers)).json()["wins"]
    assert win == {
        "id": win["id"],
        "company_id": company_id,
        "title": "Goal reached: roas at 4.25 x",
        "description": "The target was 4 x, from 3 x.",
        "outcome_text": None,
        "project_id": None,
        "project": None,
        "metric_key": "roas",
        "metric_delta": 1.25,
        "metric_delta_unit": "x",
        "won_at": reached["achieved_at"][:10],
        "linked_goal_id": goal["id"],
        "linked_goal": {
            "id": goal["id"], "metric": "roas", "target": 4.0, "current_value": 4.25, "unit": "x",
        },
        "source": "goal",
        "status": "suggested",
        "snoozed_until": None,
        "created_by": None,
        "created_at": reached["achieved_at"],
        "updated_at": reached["achieved_at"],
    }  # fmt: skip
    achieved = [
        one for one in await records.all(HistoryEvent) if one.event_type == "client.goal_achieved"
    ]
    assert [(one.details["goal_id"], one.details["win_id"]) for one in achieved] == [
        (goal["id"], win["id"])
    ]


async def test_a_goal_is_achieved_once(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records, company_id: str
) -> None:
    goal = await set_goal(http, company_id, tenant_a.member, **ROAS)
    first = (await report(http, goal, tenant_a.member, 4)).json()["goal"]["achieved_at"]
    await http.delete(
        f"/api/clients/{company_id}/wins/{(await records.all(Win))[0].id}",
        headers=tenant_a.admin.headers,
    )
    for value in (2, 5):
        shown = (await report(http, goal, tenant_a.member, value)).json()["goal"]
    assert shown["achieved_at"] == first
    assert (await kinds(records)).count("client.goal_achieved") == 1
    assert await records.count(Win) == 0


async def test_updates_at_once_suggest_one_win(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records, company_id: str
) -> None:
    goal = await set_goal(http, company_id, tenant_a.member, **ROAS)
    answers = await asyncio.gather(
        *(report(http, goal, tenant_a.member, value) for value in (4, 5, 6, 7))
    )
    assert [answer.status_code for answer in answers] == [200] * 4
    assert await records.count(Win) == 1
    assert sorted(await kinds(records)) == [
        "client.goal_achieved", "client.goal_created", *["client.goal_progress"] * 4,
    ]  # fmt: skip
    events = [one for one in await records.all(HistoryEvent) if one.field == "current_value"]
    events.sort(key=lambda one: one.created_at)
    assert [one.old_value for one in events] == [None, *(one.new_value for one in events[:-1])]


@pytest.mark.parametrize(
    ("goal", "short", "enough", "title"),
    [
        ({"metric": "cpa", "target": 20}, 25, 20, "Goal reached: cpa at 20"),
        (
            {"metric": "Churn", "target": 2, "baseline": 5, "unit": "%"},
            2.5,
            1.5,
            "Goal reached: Churn at 1.5%",
        ),
        (
            {"metric": "store_revenue", "target": 5000},
            0,
            5000,
            "Goal reached: store revenue at 5000",
        ),
    ],
)
async def test_a_target_is_reached_from_the_side_that_is_worse(
    http: httpx.AsyncClient,
    tenant_a: TenantPeople,
    records: Records,
    company_id: str,
    goal: dict[str, Any],
    short: float,
    enough: float,
    title: str,
) -> None:
    made_goal = await set_goal(http, company_id, tenant_a.member, **goal)
    assert (await report(http, made_goal, tenant_a.member, short)).json()["goal"][
        "achieved_at"
    ] is None
    await report(http, made_goal, tenant_a.member, enough)
    assert [win.title for win in await records.all(Win)] == [title]


async def test_numbers_are_kept_exactly_and_the_widest_ones_are_answered(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records, company_id: str
) -> None:
    goal = await set_goal(
        http, company_id, tenant_a.member,
        metric="x" * 100, target=999999999999999999, baseline=0.1, unit="u" * 40,
    )  # fmt: skip
    answer = await report(http, goal, tenant_a.member, 1e-100)
    assert answer.json()["goal"]["current_value"] == 1e-100
    (kept,) = await records.all(ClientGoal)
    assert (kept.target, kept.baseline, kept.current_value) == (
        Decimal(999999999999999999), Decimal("0.1"), Decimal("1E-100"),
    )  # fmt: skip
    tiny = await set_goal(http, company_id, tenant_a.member, metric="x" * 100, target=1e-100)
    answer = await report(http, tiny, tenant_a.member, 999999999999999999)
    assert answer.json()["goal"]["progress_pct"] == pytest.approx(1e120)
    (win,) = await records.all(Win)
    assert len(win.title) <= 300


NO_NUMBERS = [b"NaN", b"Infinity", b"-Infinity", b"1e999", b'"5"', b"true", b"null", b"[0, [1], 2]",
              b"1e18", b"-1000000000000000000", b"1e-101", b"9" * 5000]  # fmt: skip


@pytest.mark.parametrize("number", NO_NUMBERS)
async def test_what_is_no_number_is_refused_everywhere(
    http: httpx.AsyncClient,
    tenant_a: TenantPeople,
    records: Records,
    company_id: str,
    number: bytes,
) -> None:
    url = f"/api/clients/{company_id}/goals"
    answer = await send(
        http, "POST", url, tenant_a.member, b'{"metric": "a", "target": %s}' % number
    )
    assert answer.status_code == 400
    if number != b"null":
        body = b'{"metric": "a", "target": 1, "baseline": %s}' % number
        assert (await send(http, "POST", url, tenant_a.member, body)).status_code == 400
    goal = await set_goal(http, company_id, tenant_a.member, **ROAS)
    body = b'{"current_value": %s}' % number
    answer = await send(http, "PATCH", f"{url}/{goal['id']}", tenant_a.member, body)
    assert answer.status_code == 400
    assert [row.current_value for row in await records.all(ClientGoal)] == [None]


@pytest.mark.parametrize(
    ("body", "location"),
    [
        ({"target": 1}, "body.metric"),
        ({"metric": "roas"}, "body.target"),
        ({**ROAS, "metric": ""}, "body.metric"),
        ({**ROAS, "metric": "x" * 101}, "body.metric"),
        ({**ROAS, "unit": "x" * 41}, "body.unit"),
        ({**ROAS, "period": "day"}, "body.period"),
        ({**ROAS, "period": None}, "body.period"),
        ({**ROAS, "current_value": 1}, "body.current_value"),
    ],
)
async def test_an_impossible_goal_is_not_set(
    http: httpx.AsyncClient,
    tenant_a: TenantPeople,
    records: Records,
    company_id: str,
    body: dict[str, Any],
    location: str,
) -> None:
    answer = await send(http, "POST", f"/api/clients/{company_id}/goals", tenant_a.member, body)
    assert answer.status_code == 400
    assert [item["location"] for item in answer.json()["errors"]] == [location]
    assert await records.count(ClientGoal) == 0


@pytest.mark.parametrize("body", [{}, {"current_value": 1, "target": 2}, [], b"{"])
async def test_progress_is_one_value_and_nothing_else(
    http: httpx.AsyncClient, tenant_a: TenantPeople, company_id: str, body: Any
) -> None:
    goal = await set_goal(http, company_id, tenant_a.member, **ROAS)
    url = f"/api/clients/{company_id}/goals/{goal['id']}"
    assert (await send(http, "PATCH", url, tenant_a.member, body)).status_code == 400


async def test_a_repeated_call_sets_one_goal(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records, company_id: str
) -> None:
    url = f"/api/clients/{company_id}/goals"
    headers = {"Idempotency-Key": "goal-1"}
    answers = [await send(http, "POST", url, tenant_a.member, ROAS, **headers) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert await records.count(ClientGoal) == 1
    assert await kinds(records) == ["client.goal_created"]
    changed = await send(http, "POST", url, tenant_a.member, {**ROAS, "target": 5}, **headers)
    assert changed.status_code == 409


async def test_reviewers_see_goals_and_do_not_change_them(
    http: httpx.AsyncClient, tenant_a: TenantPeople, company_id: str
) -> None:
    goal = await set_goal(http, company_id, tenant_a.member, **ROAS)
    url = f"/api/clients/{company_id}/goals"
    assert (await send(http, "POST", url, tenant_a.reviewer, ROAS)).status_code == 403
    assert (await report(http, goal, tenant_a.reviewer, 3)).status_code == 403


async def test_only_goals_of_the_path_are_there(
    http: httpx.AsyncClient,
    tenant_a: TenantPeople,
    tenant_b: TenantPeople,
    records: Records,
    company_id: str,
) -> None:
    goal = await set_goal(http, company_id, tenant_a.member, **ROAS)
    other = await make_client(records.database, made(tenant_a), "Other")
    never = await make_company(records.database, made(tenant_a), "Never promoted")
    for company in (new_id(), never, "not-an-id"):
        url = f"/api/clients/{company}/goals"
        assert (await http.get(url, headers=tenant_a.admin.headers)).status_code == 404
        assert (await send(http, "POST", url, tenant_a.admin, ROAS)).status_code == 404
        assert (
            await report(http, goal | {"company_id": company}, tenant_a.admin, 5)
        ).status_code == 404
    for goal_id in (new_id(), "not-an-id"):
        assert (await report(http, goal | {"id": goal_id}, tenant_a.admin, 5)).status_code == 404
    assert (await report(http, goal | {"company_id": other}, tenant_a.admin, 5)).status_code == 404
    url = f"/api/clients/{company_id}/goals"
    assert (await http.get(url, headers=tenant_b.admin.headers)).status_code == 404
    assert (await send(http, "POST", url, tenant_b.admin, ROAS)).status_code == 404
    assert (await report(http, goal, tenant_b.admin, 5)).status_code == 404
    assert [row.current_value for row in await records.all(ClientGoal)] == [None]
