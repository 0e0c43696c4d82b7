"""The revenue ledger over HTTP: taken in, listed, deleted."""

import asyncio
from typing import Any

import httpx
import pytest

from models.ids import new_id
from models.tables.clients_revenue import RevenueEntry
from models.tables.records import AuditEntry
from tests.api.conftest import TenantPeople, made
from tests.factories.clients import make_client, make_company, make_revenue_entry
from tests.factories.records import Records

NOTHING = {"created": 0, "updated": 0, "unchanged": 0, "removed": 0, "not_counted": 0}


@pytest.fixture
async def company_id(records: Records, tenant_a: TenantPeople) -> str:
    return await make_client(records.database, made(tenant_a), "Acme")


def url_of(company_id: str) -> str:
    return f"/api/clients/{company_id}/revenue-entries"


def entry(external_id: str = "INV-1", **overrides: Any) -> dict[str, Any]:
    values = {
        "origin": "nucleus", "external_id": external_id, "kind": "invoice", "date": "2026-02-14",
        "amount": 100.5, "currency": "USD",
    }  # fmt: skip
    return {**values, **overrides}


async def send(
    http: httpx.AsyncClient,
    tenant: TenantPeople,
    company_id: str,
    *entries: dict[str, Any],
    **headers: str,
) -> httpx.Response:
    return await http.post(
        url_of(company_id),
        json={"entries": entries},
        headers={**tenant.member.headers, **headers},
    )


async def listed(
    http: httpx.AsyncClient, tenant: TenantPeople, company_id: str, query: str = ""
) -> Any:
    answer = await http.get(f"{url_of(company_id)}?{query}", headers=tenant.reviewer.headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def ids(
    http: httpx.AsyncClient, tenant: TenantPeople, company_id: str, query: str = ""
) -> list[str]:
    page = await listed(http, tenant, company_id, query)
    return [one["external_id"] for one in page["entries"]]


async def test_entries_are_taken_in_and_listed_as_they_count(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records, company_id: str
) -> None:
    answer = await send(
        http, tenant_a, company_id,
        entry("INV-1"),
        entry("CN-1", kind="credit_note", amount=20, date="2026-02-15"),
        entry("INV-2", currency="EUR", amount_in_reporting_currency=108, date="2026-02-16"),
        entry("INV-3", origin="productive", currency="EUR", date="2026-02-17"),
        entry("INV-4", status="draft"),
    )  # fmt: skip
    assert (answer.status_code, answer.json()) == (200, NOTHING | {"created": 4, "not_counted": 1})
    page = await listed(http, tenant_a, company_id)
    assert [
        (one["external_id"], one["amount"], one["currency"], one["amount_in_reporting_currency"])
        for one in page["entries"]
    ] == [
        ("INV-3", 100.5, "EUR", None), ("INV-2", 100.5, "EUR", 108), ("CN-1", -20, "USD", -20),
        ("INV-1", 100.5, "USD", 100.5),
    ]  # fmt: skip
    assert page["next_cursor"] is None
    assert set(page["entries"][0]) == {
        "id", "origin", "external_id", "kind", "date", "amount", "currency",
        "amount_in_reporting_currency", "stripe_invoice_id", "created_at", "updated_at",
    }  # fmt: skip
    audited = [one for one in await records.all(AuditEntry) if one.entity_id == company_id]
    assert [(one.action, one.changes) for one in audited] == [("revenue_taken_in", {"created": 4})]


async def test_entries_that_come_again_change_what_is_there(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records, company_id: str
) -> None:
    await send(http, tenant_a, company_id, entry("A"), entry("B"), entry("C"))
    answer = await send(
        http, tenant_a, company_id,
        entry("A"), entry("B", amount=7), entry("C", status="void"), entry("D", status="void"),
    )  # fmt: skip
    assert answer.json() == NOTHING | {"updated": 1, "unchanged": 1, "removed": 1}
    await send(http, tenant_a, company_id, entry("A"))
    page = await listed(http, tenant_a, company_id)
    amounts = {one["external_id"]: one["amount"] for one in page["entries"]}
    assert amounts == {"A": 100.5, "B": 7}
    audited = [one for one in await records.all(AuditEntry) if one.entity_id == company_id]
    assert len(audited) == 2


async def test_two_intakes_of_the_same_entries_at_once_leave_them_once(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records, company_id: str
) -> None:
    entries = [entry(f"INV-{number}") for number in range(50)]
    answers = await asyncio.gather(
        send(http, tenant_a, company_id, *entries),
        send(http, tenant_a, company_id, *reversed(entries)),
    )
    assert sorted(one.json()["created"] for one in answers) == [0, 50]
    assert await records.count(RevenueEntry) == 50


async def test_a_request_with_the_same_key_is_answered_as_before(
    http: httpx.AsyncClient, tenant_a: TenantPeople, company_id: str
) -> None:
    key = {"Idempotency-Key": "february"}
    first = await send(http, tenant_a, company_id, entry(), **key)
    again = await send(http, tenant_a, company_id, entry(), **key)
    assert again.json() == first.json() == NOTHING | {"created": 1}
    other = await send(http, tenant_a, company_id, entry("INV-2"), **key)
    assert other.status_code == 409


async def test_an_entry_of_another_company_is_named_and_nothing_is_taken(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records, company_id: str
) -> None:
    other = await make_client(records.database, made(tenant_a), "Other")
    await send(http, tenant_a, other, entry("INV-2"))
    for theirs in (entry("INV-2"), entry("INV-2", status="void")):
        answer = await send(http, tenant_a, company_id, entry("INV-1"), theirs)
        assert (answer.status_code, [one["location"] for one in answer.json()["errors"]]) == (
            409, ["body.entries.1.external_id"],
        )  # fmt: skip
    assert await ids(http, tenant_a, company_id) == []
    assert await ids(http, tenant_a, other) == ["INV-2"]


async def test_tenants_have_ledgers_of_their_own(
    http: httpx.AsyncClient,
    tenant_a: TenantPeople,
    tenant_b: TenantPeople,
    records: Records,
    company_id: str,
) -> None:
    theirs = await make_client(records.database, made(tenant_b), "Theirs")
    for tenant, company in ((tenant_a, company_id), (tenant_b, theirs)):
        answer = await send(http, tenant, company, entry())
        assert answer.json()["created"] == 1


async def test_a_ledger_invoice_replaces_what_was_imported_of_it(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records, company_id: str
) -> None:
    for invoice_id in ("in_1", "in_2"):
        await make_revenue_entry(
            records.database, made(tenant_a), company_id, "100", origin="stripe",
            external_id=invoice_id, stripe_invoice_id=invoice_id,
        )  # fmt: skip
    answer = await send(http, tenant_a, company_id, entry(stripe_invoice_id="in_1"))
    assert answer.json() == NOTHING | {"created": 1, "removed": 1}
    assert sorted(await ids(http, tenant_a, company_id)) == ["INV-1", "in_2"]


@pytest.mark.parametrize(
    ("wrong", "member"),
    [
        ({"origin": "stripe"}, "origin"),
        ({"external_id": ""}, "external_id"),
        ({"external_id": "i" * 201}, "external_id"),
        ({"external_id": "INV-0"}, "external_id"),
        ({"kind": "gift"}, "kind"),
        ({"status": "lost"}, "status"),
        ({"date": "2026-02-30"}, "date"),
        ({"date": 1770000000}, "date"),
        ({"amount": "100"}, "amount"),
        ({"amount": None}, "amount"),
        ({"amount": 1e12}, "amount"),
        ({"amount": 0.0000001}, "amount"),
        ({"currency": "usd"}, "currency"),
        ({"currency": "USDT"}, "currency"),
        ({"amount_in_reporting_currency": 99}, "amount_in_reporting_currency"),
        (
            {"currency": "EUR", "amount_in_reporting_currency": -99},
            "amount_in_reporting_currency",
        ),
        ({"origin": "productive", "stripe_invoice_id": "in_1"}, "stripe_invoice_id"),
        ({"kind": "refund", "stripe_invoice_id": "in_1"}, "stripe_invoice_id"),
        ({"tax": 19}, "tax"),
    ],
)
async def test_a_wrong_entry_is_named_and_nothing_is_taken(
    http: httpx.AsyncClient,
    tenant_a: TenantPeople,
    records: Records,
    company_id: str,
    wrong: dict[str, Any],
    member: str,
) -> None:
    answer = await send(http, tenant_a, company_id, entry("INV-0"), entry(**{**entry(), **wrong}))
    assert answer.status_code == 400, answer.text
    assert f"body.entries.1.{member}" in [one["location"] for one in answer.json()["errors"]]
    assert await records.count(RevenueEntry) == 0


@pytest.mark.parametrize("count", [0, 501])
async def test_an_intake_has_from_one_to_five_hundred_entries(
    http: httpx.AsyncClient, tenant_a: TenantPeople, company_id: str, count: int
) -> None:
    entries = [entry(f"INV-{number}") for number in range(count)]
    answer = await send(http, tenant_a, company_id, *entries)
    assert (answer.status_code, answer.json()["errors"][0]["location"]) == (400, "body.entries")
    assert (await send(http, tenant_a, company_id, *entries[:500])).status_code == (
        200 if count else 400
    )


async def test_the_list_is_narrowed_and_paged_newest_first(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records, company_id: str
) -> None:
    days = ["2026-01-31", "2026-02-01", "2026-02-01", "2026-02-28", "2026-03-01"]
    await send(
        http, tenant_a, company_id,
        *(entry(f"INV-{n}", date=day, origin=("productive", "nucleus")[n % 2])
          for n, day in enumerate(days)),
    )  # fmt: skip
    await make_revenue_entry(
        records.database, made(tenant_a), company_id, "1", origin="stripe", external_id="in_1",
        stripe_invoice_id="in_1",
    )  # fmt: skip
    everything = await ids(http, tenant_a, company_id)
    assert (everything[0], everything[-1], len(everything)) == ("INV-4", "INV-0", 6)
    february = "since=2026-02-01&until=2026-02-28"
    assert sorted(await ids(http, tenant_a, company_id, february)) == [
        "INV-1", "INV-2", "INV-3", "in_1",
    ]  # fmt: skip
    assert sorted(await ids(http, tenant_a, company_id, f"{february}&origin=nucleus,stripe")) == [
        "INV-1", "INV-3", "in_1",
    ]  # fmt: skip
    walked: list[str] = []
    cursor = ""
    while True:
        page = await listed(http, tenant_a, company_id, f"limit=1{cursor}")
        walked += [one["external_id"] for one in page["entries"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert walked == everything


@pytest.mark.parametrize(
    ("query", "location"),
    [
        ("since=2026-03-01&until=2026-02-01", "query.until"),
        ("since=yesterday", "query.since"),
        ("origin=paypal", "query.origin"),
        ("limit=0", "query.limit"),
        ("cursor=x", "query.cursor"),
    ],
)
async def test_an_impossible_question_is_refused(
    http: httpx.AsyncClient, tenant_a: TenantPeople, company_id: str, query: str, location: str
) -> None:
    answer = await http.get(f"{url_of(company_id)}?{query}", headers=tenant_a.member.headers)
    assert (answer.status_code, answer.json()["errors"][0]["location"]) == (400, location)


async def test_an_entry_is_deleted_by_who_may_manage(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records, company_id: str
) -> None:
    await send(http, tenant_a, company_id, entry())
    page = await listed(http, tenant_a, company_id)
    url = f"{url_of(company_id)}/{page['entries'][0]['id']}"
    assert (await http.delete(url, headers=tenant_a.member.headers)).status_code == 403
    answer = await http.delete(url, headers=tenant_a.admin.headers)
    assert (answer.status_code, answer.json()) == (200, {"ok": True})
    assert (await http.delete(url, headers=tenant_a.admin.headers)).status_code == 404
    audited = {one.action: one.changes for one in await records.all(AuditEntry)}
    assert audited["revenue_entry_deleted"]["external_id"] == "INV-1"


async def test_what_stripe_sent_cannot_be_deleted_by_itself(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records, company_id: str
) -> None:
    entry_id = await make_revenue_entry(
        records.database, made(tenant_a), company_id, "1", origin="stripe", stripe_invoice_id="in_1"
    )
    url = f"{url_of(company_id)}/{entry_id}"
    assert (await http.delete(url, headers=tenant_a.admin.headers)).status_code == 409
    assert await records.count(RevenueEntry) == 1


async def test_who_is_no_client_of_the_tenant_is_not_found(
    http: httpx.AsyncClient,
    tenant_a: TenantPeople,
    tenant_b: TenantPeople,
    records: Records,
    company_id: str,
) -> None:
    unpromoted = await make_company(records.database, made(tenant_a), "Prospect")
    neighbour = await make_client(records.database, made(tenant_a), "Neighbour")
    entry_id = await make_revenue_entry(records.database, made(tenant_a), company_id, "1")
    for tenant, other in ((tenant_a, new_id()), (tenant_a, unpromoted), (tenant_b, company_id)):
        headers = tenant.admin.headers
        answers = [
            await send(http, tenant, other, entry()),
            await http.get(url_of(other), headers=headers),
            await http.delete(f"{url_of(other)}/{entry_id}", headers=headers),
        ]
        assert [answer.status_code for answer in answers] == [404] * 3
    url = f"{url_of(neighbour)}/{entry_id}"
    assert (await http.delete(url, headers=tenant_a.admin.headers)).status_code == 404
    assert await records.count(RevenueEntry) == 1


async def test_taking_in_needs_the_right_to_update(
    http: httpx.AsyncClient, tenant_a: TenantPeople, company_id: str
) -> None:
    headers = tenant_a.reviewer.headers
    answer = await http.post(url_of(company_id), json={"entries": [entry()]}, headers=headers)
    assert answer.status_code == 403
