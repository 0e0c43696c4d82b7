"""The success profile over HTTP: answers, and the one completion."""

import asyncio
from decimal import Decimal
from typing import Any

import httpx
import pytest

from models.ids import new_id
from models.rules.vocabulary import EventKind
from models.tables.clients import AdoptionWeek, HistoryEvent
from models.tables.clients_reviews import SuccessProfile
from models.tables.people import Notification
from models.tables.records import Event
from tests.api.conftest import TenantPeople, made
from tests.api.people.qbr_calls import client_of, events_of, located
from tests.factories.clients import make_company
from tests.factories.records import Records

PERIOD = {"name": "Christmas", "start": "11-20", "end": "01-05", "note": None}
ANSWERS: dict[str, Any] = {
    "financial_year_start": "03-01",
    "financial_year_end": "02-29",
    "key_trading_periods": [PERIOD],
    "channel_online_pct": 62.5,
    "celebration_vision": "A second shop.",
    "growth_priorities_text": "Returning customers.",
    "company_direction_text": "Three towns.",
}
BLANK: dict[str, Any] = {
    **dict.fromkeys(ANSWERS), "key_trading_periods": [],
    "channel_instore_pct": None, "channel_wholesale_pct": None,
}  # fmt: skip


def url_of(company_id: str) -> str:
    return f"/api/clients/{company_id}/success-profile"


async def answered(
    http: httpx.AsyncClient, tenant: TenantPeople, company_id: str, patch: dict[str, Any]
) -> httpx.Response:
    return await http.patch(url_of(company_id), json=patch, headers=tenant.member.headers)


async def kinds_of(records: Records) -> list[str]:
    return [event.event_type for event in await events_of(records)]


async def test_before_the_first_answer_there_is_no_profile(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records
) -> None:
    company_id = await client_of(records, tenant_a)
    answer = await http.get(url_of(company_id), headers=tenant_a.reviewer.headers)
    assert (answer.status_code, answer.json()) == (
        200, {"profile": None, "questionnaire_completed": False},
    )  # fmt: skip


async def test_the_first_answer_makes_the_profile(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records
) -> None:
    company_id = await client_of(records, tenant_a)
    answer = await answered(http, tenant_a, company_id, {"financial_year_start": "03-01"})
    assert answer.status_code == 200, answer.text
    profile = answer.json()["profile"]
    assert profile == {
        "id": profile["id"],
        "company_id": company_id,
        **BLANK,
        "financial_year_start": "03-01",
        "completed_at": None,
        "created_at": profile["created_at"],
        "updated_at": profile["created_at"],
    }
    shown = await http.get(url_of(company_id), headers=tenant_a.reviewer.headers)
    assert shown.json() == answer.json()
    (event,) = await events_of(records)
    assert event.event_type == "client.success_profile_updated"
    assert event.details == {"changed": ["financial_year_start"]}
    assert event.actor_id == tenant_a.member.id
    assert await records.count(AdoptionWeek) == 1


async def test_later_answers_leave_the_others_alone(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records
) -> None:
    company_id = await client_of(records, tenant_a)
    first = (await answered(http, tenant_a, company_id, {"channel_online_pct": 40})).json()
    second = await answered(
        http, tenant_a, company_id, {"channel_instore_pct": 60, "channel_online_pct": None}
    )
    profile = second.json()["profile"]
    assert profile == {
        **first["profile"],
        "channel_online_pct": None,
        "channel_instore_pct": 60,
        "updated_at": profile["updated_at"],
    }
    *_, event = await events_of(records)
    assert event.details == {"changed": ["channel_instore_pct", "channel_online_pct"]}


async def test_what_is_known_already_is_no_change(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records
) -> None:
    company_id = await client_of(records, tenant_a)
    await answered(http, tenant_a, company_id, ANSWERS)
    before = (await records.all(SuccessProfile), await records.count(HistoryEvent))
    answer = await answered(http, tenant_a, company_id, ANSWERS)
    assert answer.json()["questionnaire_completed"] is True
    assert (await records.all(SuccessProfile), await records.count(HistoryEvent)) == before


async def test_null_alone_makes_a_profile_without_answers(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records
) -> None:
    company_id = await client_of(records, tenant_a)
    answer = await answered(http, tenant_a, company_id, {"celebration_vision": None})
    assert answer.json()["profile"]["celebration_vision"] is None
    assert await kinds_of(records) == ["client.success_profile_updated"]


async def test_completion_is_noted_and_the_delivery_manager_is_told(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records
) -> None:
    company_id = await client_of(records, tenant_a, assigned_dm_id=tenant_a.admin.id)
    body = (await answered(http, tenant_a, company_id, ANSWERS)).json()
    assert body["questionnaire_completed"] is True
    assert body["profile"]["completed_at"] == body["profile"]["updated_at"]
    assert await kinds_of(records) == [
        "client.success_profile_updated", "client.success_profile_completed",
    ]  # fmt: skip
    (told,) = await records.all(Notification)
    assert (told.kind, told.principal_id, told.company_id, told.link) == (
        "client.success_profile_completed", tenant_a.admin.id, company_id,
        f"/clients/{company_id}",
    )  # fmt: skip
    assert "Acme" in told.subject
    heard = [event.kind for event in await records.all(Event)]
    assert heard == [EventKind.NOTIFICATION_CREATED]


async def test_a_second_completion_is_none(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records
) -> None:
    company_id = await client_of(records, tenant_a, assigned_dm_id=tenant_a.admin.id)
    first = (await answered(http, tenant_a, company_id, ANSWERS)).json()
    cleared = (await answered(http, tenant_a, company_id, {"celebration_vision": " "})).json()
    again = (await answered(http, tenant_a, company_id, {"celebration_vision": "More."})).json()
    assert [body["questionnaire_completed"] for body in (first, cleared, again)] == [
        True, False, True,
    ]  # fmt: skip
    assert {body["profile"]["completed_at"] for body in (first, cleared, again)} == {
        first["profile"]["completed_at"]
    }
    assert (await kinds_of(records)).count("client.success_profile_completed") == 1
    assert await records.count(Notification) == 1


async def test_answers_that_complete_it_at_once_complete_it_once(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records
) -> None:
    company_id = await client_of(records, tenant_a, assigned_dm_id=tenant_a.admin.id)
    halves = [
        {name: ANSWERS[name] for name in list(ANSWERS)[:4]},
        {name: ANSWERS[name] for name in list(ANSWERS)[4:]},
    ]
    await asyncio.gather(
        *(answered(http, tenant_a, company_id, half) for half in (*halves, ANSWERS, ANSWERS))
    )
    assert (await kinds_of(records)).count("client.success_profile_completed") == 1
    assert (await records.count(Notification), await records.count(SuccessProfile)) == (1, 1)


async def test_a_client_without_delivery_manager_is_completed_in_silence(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records
) -> None:
    company_id = await client_of(records, tenant_a)
    body = (await answered(http, tenant_a, company_id, ANSWERS)).json()
    assert body["profile"]["completed_at"] is not None
    assert await records.count(Notification) == 0


async def test_percentages_are_exact_and_may_be_everything(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records
) -> None:
    company_id = await client_of(records, tenant_a)
    thirds = {
        "channel_online_pct": 33.3, "channel_instore_pct": 33.3, "channel_wholesale_pct": 33.4,
    }  # fmt: skip
    answer = await answered(http, tenant_a, company_id, thirds)
    assert {name: answer.json()["profile"][name] for name in thirds} == thirds
    (profile,) = await records.all(SuccessProfile)
    assert profile.channel_online_pct == Decimal("33.3")


async def test_percentages_must_not_exceed_everything_with_those_that_are_there(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records
) -> None:
    company_id = await client_of(records, tenant_a)
    await answered(http, tenant_a, company_id, {"channel_online_pct": 60.01})
    refused = await answered(http, tenant_a, company_id, {"channel_instore_pct": 40})
    assert located(refused) == ["body.channel_instore_pct"]
    moved = await answered(
        http, tenant_a, company_id, {"channel_online_pct": 60, "channel_instore_pct": 40}
    )
    assert moved.status_code == 200


@pytest.mark.parametrize(
    ("patch", "where"),
    [
        ({}, "body"),
        ({"mood": "good"}, "body.mood"),
        ({"completed_at": None}, "body.completed_at"),
        ({"financial_year_start": "02-30"}, "body.financial_year_start"),
        ({"financial_year_start": "04-31"}, "body.financial_year_start"),
        ({"financial_year_end": "13-01"}, "body.financial_year_end"),
        ({"financial_year_end": "1-1"}, "body.financial_year_end"),
        ({"financial_year_end": "01-01\n"}, "body.financial_year_end"),
        ({"channel_online_pct": -0.01}, "body.channel_online_pct"),
        ({"channel_instore_pct": 100.01}, "body.channel_instore_pct"),
        ({"channel_wholesale_pct": "50"}, "body.channel_wholesale_pct"),
        ({"celebration_vision": "x" * 5001}, "body.celebration_vision"),
        ({"key_trading_periods": None}, "body.key_trading_periods"),
        ({"key_trading_periods": [PERIOD] * 25}, "body.key_trading_periods"),
        ({"key_trading_periods": [{**PERIOD, "name": ""}]}, "body.key_trading_periods.0.name"),
        ({"key_trading_periods": [{**PERIOD, "end": "06-31"}]}, "body.key_trading_periods.0.end"),
        ({"key_trading_periods": [{**PERIOD, "mood": 1}]}, "body.key_trading_periods.0.mood"),
    ],
)
async def test_an_answer_that_does_not_validate_leaves_nothing(
    http: httpx.AsyncClient,
    tenant_a: TenantPeople,
    records: Records,
    patch: dict[str, Any],
    where: str,
) -> None:
    company_id = await client_of(records, tenant_a)
    assert located(await answered(http, tenant_a, company_id, patch)) == [where]
    assert (await records.count(SuccessProfile), await records.count(HistoryEvent)) == (0, 0)


async def test_reviewers_answer_nothing(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records
) -> None:
    company_id = await client_of(records, tenant_a)
    answer = await http.patch(url_of(company_id), json=ANSWERS, headers=tenant_a.reviewer.headers)
    assert answer.status_code == 403
    assert await records.count(SuccessProfile) == 0


async def test_what_is_no_client_of_the_tenant_has_no_profile(
    http: httpx.AsyncClient, tenant_a: TenantPeople, tenant_b: TenantPeople, records: Records
) -> None:
    company_id = await client_of(records, tenant_a)
    await answered(http, tenant_a, company_id, ANSWERS)
    company = await make_company(records.database, made(tenant_a), "No client")
    for place, headers in [
        (company_id, tenant_b.admin.headers),
        (company, tenant_a.member.headers),
        (new_id(), tenant_a.member.headers),
        ("nothing", tenant_a.member.headers),
    ]:
        answers = [
            await http.get(url_of(place), headers=headers),
            await http.patch(url_of(place), json=ANSWERS, headers=headers),
        ]
        assert [answer.status_code for answer in answers] == [404, 404]
