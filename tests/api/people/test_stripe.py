"""A company's Stripe customer over HTTP: found, linked, unlinked, and what can go wrong."""

import asyncio
import logging
import re
from base64 import b64decode
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select
from starlette.responses import Response
from temporalio.client import Client

from api.http import commands
from api.http.services import Services
from models.db.database import Database
from models.db.vault import Vault, vault
from models.errors import Unavailable
from models.ids import new_id
from models.settings import Settings
from models.tables.clients import HistoryEvent
from models.tables.clients_revenue import RevenueEntry, StripeAccount, StripeLink
from models.tables.records import AuditEntry
from tests.api.conftest import TenantPeople
from tests.api.serving import served
from tests.factories.agents import TenantMade
from tests.factories.clients import make_client, make_company, make_revenue_entry
from tests.factories.records import Records
from tests.fakes.desk import RecordedDesk
from tests.fakes.stripe import KEY, FakeStripe, html, refusal
from tests.fakes.stripe_account import connect
from workers.container import Container
from workers.registry import agents_queue
from workers.worker import build_worker


@pytest.fixture
def fake() -> FakeStripe:
    return FakeStripe()


@pytest.fixture
async def api_settings(api_settings: Settings, fake: FakeStripe) -> AsyncIterator[Settings]:
    async with served(fake.app) as address:
        yield api_settings.model_copy(update={"stripe_base_url": address})


@pytest.fixture
def kept(api_settings: Settings) -> Vault:
    return vault(api_settings)


@pytest.fixture
def made(tenant_a: TenantPeople) -> TenantMade:
    return TenantMade(id=tenant_a.id, admin_id=tenant_a.admin.id, member_id=tenant_a.member.id)


@pytest.fixture
async def company_id(db: Database, made: TenantMade, kept: Vault) -> str:
    """A client of a tenant whose Stripe account is connected."""
    await connect(db, made.id, kept)
    return await make_client(db, made)


def url(company_id: str, path: str = "link") -> str:
    return f"/api/clients/{company_id}/stripe/{path}"


async def link(
    http: httpx.AsyncClient, people: TenantPeople, company_id: str, customer_id: str
) -> httpx.Response:
    return await http.post(
        url(company_id), json={"stripe_customer_id": customer_id}, headers=people.member.headers
    )


# Search


async def test_a_search_tells_who_is_linked_already(
    http: httpx.AsyncClient,
    desk: RecordedDesk,
    fake: FakeStripe,
    tenant_a: TenantPeople,
    company_id: str,
) -> None:
    old = fake.customer("Northwind Traders", "billing@northwind.example", created=1_730_815_400)
    new = fake.customer("Northwind Two", None, currency=None, created=1_730_815_500)
    fake.customer("Contoso")
    await link(http, tenant_a, company_id, old["id"])
    answer = await http.get(
        url(company_id, "search"), params={"q": " northwind "}, headers=tenant_a.reviewer.headers
    )
    assert answer.status_code == 200, answer.text
    assert answer.json() == {
        "customers": [
            {
                "id": new["id"], "name": "Northwind Two", "email": None, "currency": None,
                "created": "2024-11-05T14:05:00Z", "linked_company_id": None,
            },
            {
                "id": old["id"], "name": "Northwind Traders",
                "email": "billing@northwind.example", "currency": "USD",
                "created": "2024-11-05T14:03:20Z", "linked_company_id": company_id,
            },
        ]
    }  # fmt: skip


@pytest.mark.parametrize("query", ["", "?q=", "?q=%20%20", f"?q={'x' * 201}"])
async def test_a_search_needs_something_to_look_for(
    http: httpx.AsyncClient, tenant_a: TenantPeople, company_id: str, query: str
) -> None:
    answer = await http.get(url(company_id, "search") + query, headers=tenant_a.member.headers)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["location"] == "query.q"


async def test_without_an_account_nothing_is_searched_or_linked(
    http: httpx.AsyncClient,
    db: Database,
    made: TenantMade,
    tenant_a: TenantPeople,
    fake: FakeStripe,
    desk: RecordedDesk,
) -> None:
    company_id = await make_client(db, made)
    headers = tenant_a.member.headers
    search = await http.get(url(company_id, "search"), params={"q": "x"}, headers=headers)
    linked = await link(http, tenant_a, company_id, "cus_1")
    assert [(one.status_code, one.json()["code"]) for one in (search, linked)] == [
        (422, "UNPROCESSABLE")
    ] * 2
    assert (fake.calls, desk.sent) == ([], [])


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (refusal(500), "Stripe did not answer properly (status 500)."),
        (refusal(429, headers={"Retry-After": "3"}), "Stripe did not answer properly (status 429)"),
        (html(), "Stripe did not answer properly (status 200)."),
        (refusal(401, message=f"Invalid API Key provided: {KEY}"), "Connect the account with a"),
        (refusal(403, message=f"The key {KEY} needs rak_customer_read"), "lacks rak_customer_read"),
    ],
)
async def test_what_goes_wrong_at_stripe_is_a_502_in_words_without_the_key(
    http: httpx.AsyncClient,
    tenant_a: TenantPeople,
    company_id: str,
    fake: FakeStripe,
    desk: RecordedDesk,
    answer: Response,
    says: str,
) -> None:
    fake.before = lambda _: answer
    search = await http.get(
        url(company_id, "search"), params={"q": "northwind"}, headers=tenant_a.member.headers
    )
    linked = await link(http, tenant_a, company_id, "cus_1")
    for one in (search, linked):
        assert (one.status_code, one.json()["code"]) == (502, "UPSTREAM_FAILED")
        assert says in one.json()["detail"]
        assert "PlantedSecret" not in one.text
        assert one.headers.get("retry-after") == answer.headers.get("retry-after")
    assert desk.sent == []


async def test_stripe_out_of_reach_is_a_502(
    http: httpx.AsyncClient, services: Services, tenant_a: TenantPeople, company_id: str
) -> None:
    billing: Any = services.stripe._billing
    billing._base_url = "http://127.0.0.1:9"
    answer = await http.get(
        url(company_id, "search"), params={"q": "northwind"}, headers=tenant_a.member.headers
    )
    assert answer.status_code == 502
    assert "could not be reached" in answer.json()["detail"]


async def test_a_key_that_cannot_be_opened_is_an_outage_of_ours(
    http: httpx.AsyncClient, db: Database, made: TenantMade, tenant_a: TenantPeople
) -> None:
    await connect(db, made.id, Vault([b"x" * 32]))
    company_id = await make_client(db, made)
    answer = await link(http, tenant_a, company_id, "cus_1")
    assert answer.status_code == 503
    assert "not configured" in answer.json()["detail"]


async def test_no_connection_of_the_database_is_held_while_stripe_is_asked(
    http: httpx.AsyncClient, db: Database, tenant_a: TenantPeople, company_id: str, fake: FakeStripe
) -> None:
    seen = []
    fake.before = lambda _: seen.append(db._engine.pool.checkedout())  # type: ignore[attr-defined]
    await http.get(
        url(company_id, "search"), params={"q": "northwind"}, headers=tenant_a.member.headers
    )
    await link(http, tenant_a, company_id, "cus_1")
    assert seen == [0, 0]


# Link


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


# Unlink


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


async def test_a_company_that_is_no_client_of_the_tenant_is_not_found(
    http: httpx.AsyncClient,
    db: Database,
    made: TenantMade,
    kept: Vault,
    tenant_a: TenantPeople,
    tenant_b: TenantPeople,
    company_id: str,
    fake: FakeStripe,
) -> None:
    await connect(db, tenant_b.id, kept)
    unpromoted = await make_company(db, made)
    asked = [
        (company_id, tenant_b), (unpromoted, tenant_a), (new_id(), tenant_a), ("x", tenant_a),
    ]  # fmt: skip
    for one, people in asked:
        headers = people.member.headers
        body = {"stripe_customer_id": "cus_1"}
        answers = [
            await http.get(url(one, "search"), params={"q": "abc"}, headers=headers),
            await http.post(url(one), json=body, headers=headers),
            await http.delete(url(one), headers=headers),
        ]
        assert [answer.status_code for answer in answers] == [404] * 3
    assert fake.calls == []


def readable(history: str) -> str:
    """A history with what its payloads hold."""
    return re.sub(
        r'"data": "([A-Za-z0-9+/=]+)"', lambda found: b64decode(found[1]).decode(), history
    )


class TestCarriedOut:
    """With a real worker: the import, and where the key does not show up."""

    @pytest.fixture
    def api_temporal(self, temporal: Client) -> Client:
        return temporal

    @pytest.fixture
    async def worker(
        self,
        app: FastAPI,
        db: Database,
        temporal: Client,
        services: Services,
        monkeypatch: pytest.MonkeyPatch,
    ) -> AsyncIterator[None]:
        """A queue of the test's own: the server is shared."""
        queue = f"stripe-{new_id()}"
        defaults = dict(commands.Desk.tell_with_start.__kwdefaults__ or {})
        monkeypatch.setattr(
            commands.Desk.tell_with_start, "__kwdefaults__", defaults | {"task_queue": queue}
        )
        container = Container(
            settings=services.settings, db=db, temporal=temporal, llms={}, stripe=services.stripe
        )
        async with build_worker(temporal, agents_queue(container), task_queue=queue):
            yield

    async def test_linking_imports_and_the_key_is_nowhere_to_be_read(
        self,
        http: httpx.AsyncClient,
        db: Database,
        temporal: Client,
        worker: None,
        fake: FakeStripe,
        records: Records,
        tenant_a: TenantPeople,
        company_id: str,
        caplog: pytest.LogCaptureFixture,
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        caplog.set_level(logging.DEBUG)
        customer = fake.customer("Northwind", "billing@northwind.example")
        fake.invoice(customer, 12_000, tax=2_000, paid_at=datetime(2026, 2, 3, tzinfo=UTC))
        failed: list[Any] = []

        def once(call: Any) -> Response | None:
            if call.path == "/v1/invoices" and not failed:
                failed.append(call)
                return refusal(500, message=f"Oops, with {KEY}")
            return None

        fake.before = once
        texts = [(await link(http, tenant_a, company_id, customer["id"])).text]
        handle = temporal.get_workflow_handle(f"revenue-recalculation:{tenant_a.id}")
        await asyncio.wait_for(handle.result(), 30)
        (entry,) = await records.all(RevenueEntry)
        assert (entry.amount, entry.counted_on) == (Decimal(100), date(2026, 2, 3))
        fake.key = "rk_test_revoked"
        texts += [(await http.get(
            url(company_id, "search"), params={"q": "northwind"}, headers=tenant_a.admin.headers
        )).text]  # fmt: skip
        texts += [(await link(http, tenant_a, company_id, customer["id"])).text]
        again = temporal.get_workflow_handle(f"revenue-recalculation:{tenant_a.id}")
        await asyncio.wait_for(again.result(), 30)
        for run in (handle, again):
            texts.append(readable((await run.fetch_history()).to_json()))
        history = texts[-2]
        assert company_id in history
        assert len(failed) == 1
        for kind in (HistoryEvent, AuditEntry):
            texts += [repr(row) for row in await records.all(kind)]
        async with db.tenant(tenant_a.id) as session:
            texts.append(repr((await session.execute(select(StripeAccount.__table__))).all()))
        texts += [caplog.text, "".join(capfd.readouterr())]
        assert [text for text in texts if "PlantedSecret" in text or KEY[-8:] in text] == []
        # Nor does a history tell who the customer is.
        assert "northwind" not in (texts[3] + history).lower()
