"""QBRs presented over HTTP: once, with the client's dates moved on."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest

from models.rules.clients.qbr_dates import after_cadence
from models.rules.clients.vocabulary import Tier
from models.tables.clients_reviews import Qbr
from tests.api.conftest import TenantPeople
from tests.api.people.qbr_calls import (
    TODAY,
    client_of,
    dates_of,
    days,
    edited,
    events_of,
    located,
    recorded,
)
from tests.factories.records import Records


async def present(
    http: httpx.AsyncClient, tenant: TenantPeople, qbr: dict[str, Any], **sent: Any
) -> httpx.Response:
    url = f"/api/clients/{qbr['company_id']}/qbr/{qbr['id']}/present"
    headers = {**tenant.admin.headers, **sent.pop("headers", {})}
    return await http.post(url, headers=headers, **sent)


async def test_a_presented_qbr_says_when_and_by_whom(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records
) -> None:
    qbr = await recorded(http, tenant_a, await client_of(records, tenant_a), date=days(-2))
    answer = await present(http, tenant_a, qbr, json={"next_qbr_date": days(60)})
    assert answer.status_code == 200, answer.text
    after = answer.json()["qbr"]
    assert after["presented_at"] == after["updated_at"]
    assert after == {
        **qbr,
        "status": "presented",
        "next_qbr_date": days(60),
        "presented_at": after["presented_at"],
        "presented_by": tenant_a.admin.id,
        "updated_at": after["updated_at"],
    }
    assert await dates_of(records) == (days(-2), days(60))


@pytest.mark.parametrize(
    "sent", [{}, {"json": {}}, {"json": {"next_qbr_date": None}}, {"content": b"null"}]
)
async def test_a_body_that_says_nothing_leaves_the_dates_to_the_rules(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records, sent: dict[str, Any]
) -> None:
    company_id = await client_of(records, tenant_a, tier=Tier.CORE)
    qbr = await recorded(http, tenant_a, company_id, date=days(5))
    if "content" in sent:
        sent = {**sent, "headers": {"Content-Type": "application/json"}}
    assert (await present(http, tenant_a, qbr, **sent)).status_code == 200
    # The planned day was the client's next date, and stays it while it lies ahead.
    assert await dates_of(records) == (days(0), days(5))


async def test_a_client_is_never_left_overdue_for_the_review_just_held(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records
) -> None:
    company_id = await client_of(
        records, tenant_a, tier=Tier.CORE, next_qbr_date=TODAY - timedelta(days=9)
    )
    qbr = await recorded(http, tenant_a, company_id, date=days(-3))
    assert (await present(http, tenant_a, qbr)).status_code == 200
    due = after_cadence(TODAY - timedelta(days=3), Tier.CORE)
    assert await dates_of(records) == (days(-3), due.isoformat())


async def test_the_next_date_on_the_qbr_counts_where_none_is_sent(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records
) -> None:
    company_id = await client_of(records, tenant_a)
    qbr = await recorded(http, tenant_a, company_id, date=days(5), next_qbr_date=days(90))
    await recorded(http, tenant_a, company_id, date=days(-1), next_qbr_date=days(40))
    assert (await present(http, tenant_a, qbr)).json()["qbr"]["next_qbr_date"] == days(90)
    assert await dates_of(records) == (days(0), days(90))


async def test_presenting_leaves_its_event_and_one_for_each_date_that_changed(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records
) -> None:
    qbr = await recorded(http, tenant_a, await client_of(records, tenant_a), date=days(5))
    earlier = len(await events_of(records))
    await present(http, tenant_a, qbr)
    leading, *moved = (await events_of(records))[earlier:]
    assert leading.event_type == "client.qbr_presented"
    assert leading.details == {"qbr_id": qbr["id"], "date": days(5)}
    assert leading.actor_id == tenant_a.admin.id
    assert [(event.field, event.old_value, event.new_value) for event in moved] == [
        ("last_qbr_date", None, days(0))
    ]


async def test_what_is_presented_is_final(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records
) -> None:
    qbr = await recorded(http, tenant_a, await client_of(records, tenant_a))
    await present(http, tenant_a, qbr)
    before = (await records.all(Qbr), await events_of(records))
    again = await present(http, tenant_a, qbr, json={"next_qbr_date": days(9)})
    edit = await edited(http, tenant_a, qbr, {"summary": "x"})
    assert (again.status_code, edit.status_code) == (409, 409)
    assert again.json()["code"] == "CONFLICT"
    assert (await records.all(Qbr), await events_of(records)) == before


async def test_only_one_of_several_at_once_presents(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records
) -> None:
    qbr = await recorded(http, tenant_a, await client_of(records, tenant_a))
    answers = await asyncio.gather(*(present(http, tenant_a, qbr) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    kinds = [event.event_type for event in await events_of(records)]
    assert kinds.count("client.qbr_presented") == 1


async def test_a_repeat_with_the_same_key_gets_the_first_answer(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records
) -> None:
    qbr = await recorded(http, tenant_a, await client_of(records, tenant_a))
    key = {"Idempotency-Key": "present-once"}
    first = await present(http, tenant_a, qbr, headers=key)
    second = await present(http, tenant_a, qbr, headers=key)
    assert (first.status_code, second.status_code) == (200, 200)
    assert first.json() == second.json()


@pytest.mark.parametrize(
    ("held", "body", "where"),
    [
        (-5, {"next_qbr_date": days(-5)}, "body.next_qbr_date"),
        (10, {"next_qbr_date": days(0)}, "body.next_qbr_date"),
        (0, {"next_qbr_date": "soon"}, "body.next_qbr_date"),
        (0, {"date": days(0)}, "body.date"),
        (0, [], "body"),
    ],
)
async def test_what_does_not_validate_presents_nothing(
    http: httpx.AsyncClient,
    tenant_a: TenantPeople,
    records: Records,
    held: int,
    body: Any,
    where: str,
) -> None:
    qbr = await recorded(http, tenant_a, await client_of(records, tenant_a), date=days(held))
    before = await records.all(Qbr)
    assert located(await present(http, tenant_a, qbr, json=body)) == [where]
    assert await records.all(Qbr) == before


async def test_the_next_date_has_to_be_after_the_day_that_counts_as_presented(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records
) -> None:
    qbr = await recorded(http, tenant_a, await client_of(records, tenant_a), date=days(10))
    answer = await present(http, tenant_a, qbr, json={"next_qbr_date": days(1)})
    assert answer.status_code == 200
    assert await dates_of(records) == (days(0), days(1))
