"""Linking a client with its Stripe customer over HTTP, and undoing it."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from models.db.database import Database
from models.errors import Unavailable
from models.tables.clients import HistoryEvent
from models.tables.clients_revenue import RevenueEntry, StripeLink
from tests.api.conftest import TenantPeople
from tests.api.people.stripe.calls import link, url
from tests.factories.agents import TenantMade
from tests.factories.clients import make_client, make_revenue_entry
from tests.factories.records import Records
from tests.fakes.desk import RecordedDesk
from tests.fakes.stripe import FakeStripe


async def test_a_link_is_stored_told_and_followed_by_an_import(
    http: httpx.AsyncClient,
    desk: RecordedDesk,
    fake: FakeStripe,
    records: Records,
    tenant_a: TenantPeople,
    company_id: str,
) -> None:
    customer = fake.customer("Northwind", "billing@northwind.example")
    answer = await link(http, tenant_a, company_id, customer["id"])
    assert answer.status_code == 200, answer.text
    stored = answer.json()["link"]
    linked_at = datetime.fromisoformat(stored.pop("linked_at"))
    assert abs((datetime.now(UTC) - linked_at).total_seconds()) < 60
    assert stored == {
        "company_id": company_id,
        "stripe_customer_id": customer["id"],
        "customer_name": "Northwind",
        "customer_email": "billing@northwind.example",
        "linked_by": tenant_a.member.id,
    }
    (event,) = await records.all(HistoryEvent)
    assert (event.event_type, event.resource_id, event.actor_id, event.new_value) == (
        "client.stripe_linked", company_id, tenant_a.member.id, customer["id"],
    )  # fmt: skip
    sent = desk.only
    assert (sent.name, sent.workflow_id) == ("recalculate", f"revenue-recalculation:{tenant_a.id}")
    assert (sent.argument.company_ids, sent.argument.patience_s) == ((company_id,), None)
    assert "northwind" not in repr(sent).lower()


async def test_the_same_link_again_changes_nothing_and_asks_for_the_import_again(
    http: httpx.AsyncClient,
    desk: RecordedDesk,
    fake: FakeStripe,
    records: Records,
    tenant_a: TenantPeople,
    company_id: str,
) -> None:
    customer = fake.customer()
    first = await link(http, tenant_a, company_id, customer["id"])
    again = await link(http, tenant_a, company_id, customer["id"])
    assert (again.status_code, again.json()) == (200, first.json())
    assert len(await records.all(HistoryEvent)) == 1
    assert len(desk.sent) == 2


async def test_without_temporal_the_link_is_kept_and_a_repeat_makes_up_for_it(
    http: httpx.AsyncClient,
    desk: RecordedDesk,
    fake: FakeStripe,
    records: Records,
    tenant_a: TenantPeople,
    company_id: str,
) -> None:
    customer = fake.customer()
    desk.answers["recalculate"] = Unavailable("Temporal does not answer.", retry_after=5)
    answer = await link(http, tenant_a, company_id, customer["id"])
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert len(await records.all(StripeLink)) == 1
    desk.answers.clear()
    assert (await link(http, tenant_a, company_id, customer["id"])).status_code == 200
    assert [one.argument for one in desk.sent] == [desk.sent[0].argument] * 2


async def test_unknown_and_deleted_customers_are_not_found(
    http: httpx.AsyncClient,
    desk: RecordedDesk,
    fake: FakeStripe,
    records: Records,
    tenant_a: TenantPeople,
    company_id: str,
) -> None:
    gone = fake.customer()
    fake.delete(gone)
    for customer_id in (gone["id"], "cus_unknown"):
        answer = await link(http, tenant_a, company_id, customer_id)
        assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")
    assert (await records.all(StripeLink), desk.sent) == ([], [])


async def test_one_customer_a_company_and_one_company_a_customer(
    http: httpx.AsyncClient,
    db: Database,
    made: TenantMade,
    desk: RecordedDesk,
    fake: FakeStripe,
    tenant_a: TenantPeople,
    company_id: str,
) -> None:
    one, two = fake.customer(), fake.customer()
    other_id = await make_client(db, made, "Other")
    await link(http, tenant_a, company_id, one["id"])
    assert (await link(http, tenant_a, company_id, two["id"])).status_code == 409
    assert (await link(http, tenant_a, other_id, one["id"])).status_code == 409
    assert len(desk.sent) == 1


async def test_of_two_who_link_at_once_one_is_refused(
    http: httpx.AsyncClient,
    db: Database,
    made: TenantMade,
    desk: RecordedDesk,
    fake: FakeStripe,
    records: Records,
    tenant_a: TenantPeople,
    company_id: str,
) -> None:
    one, two = fake.customer(), fake.customer()
    other_id = await make_client(db, made, "Other")
    asked: list[tuple[str, str]] = [(company_id, one["id"]), (other_id, one["id"])]
    answers = await asyncio.gather(*(link(http, tenant_a, *pair) for pair in asked))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    third_id = await make_client(db, made, "Third")
    three = fake.customer()
    asked = [(third_id, two["id"]), (third_id, three["id"])]
    answers = await asyncio.gather(*(link(http, tenant_a, *pair) for pair in asked))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert len(await records.all(HistoryEvent)) == 2


@pytest.mark.parametrize(
    "body",
    [{}, {"stripe_customer_id": "cus_"}, {"stripe_customer_id": "in_1"},
     {"stripe_customer_id": "cus_a/b"}, {"stripe_customer_id": None},
     {"stripe_customer_id": "cus_1", "more": 1}],
)  # fmt: skip
async def test_a_malformed_id_is_refused(
    http: httpx.AsyncClient, tenant_a: TenantPeople, company_id: str, body: dict[str, Any]
) -> None:
    answer = await http.post(url(company_id), json=body, headers=tenant_a.member.headers)
    assert answer.status_code == 400


async def test_unlinking_takes_out_what_was_imported_and_nothing_else(
    http: httpx.AsyncClient,
    db: Database,
    made: TenantMade,
    desk: RecordedDesk,
    fake: FakeStripe,
    records: Records,
    tenant_a: TenantPeople,
    company_id: str,
) -> None:
    customer = fake.customer()
    await link(http, tenant_a, company_id, customer["id"])
    own = await make_revenue_entry(db, made, company_id, "10")
    billed = await make_revenue_entry(db, made, company_id, "30", stripe_invoice_id="in_2")
    other = await make_client(db, made, "Other")
    imported = {"origin": "stripe", "stripe_invoice_id": "in_1"}
    await make_revenue_entry(db, made, company_id, "20", **imported)
    elsewhere = await make_revenue_entry(db, made, other, "20", **imported)
    answer = await http.delete(url(company_id), headers=tenant_a.member.headers)
    assert (answer.status_code, answer.json()) == (200, {"ok": True})
    assert {row.id for row in await records.all(RevenueEntry)} == {own, billed, elsewhere}
    assert await records.all(StripeLink) == []
    event = (await records.all(HistoryEvent))[-1]
    assert (event.event_type, event.old_value) == ("client.stripe_unlinked", customer["id"])
    assert len(desk.sent) == 1
    again = await http.delete(url(company_id), headers=tenant_a.member.headers)
    assert again.status_code == 404


# Who may, and of whom


async def test_reviewers_look_and_do_not_link(
    http: httpx.AsyncClient, tenant_a: TenantPeople, company_id: str
) -> None:
    headers = tenant_a.reviewer.headers
    body = {"stripe_customer_id": "cus_1"}
    search = await http.get(url(company_id, "search"), params={"q": "abc"}, headers=headers)
    linked = await http.post(url(company_id), json=body, headers=headers)
    unlinked = await http.delete(url(company_id), headers=headers)
    assert [one.status_code for one in (search, linked, unlinked)] == [200, 403, 403]
