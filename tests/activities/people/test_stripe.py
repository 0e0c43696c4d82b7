"""The import of a company's Stripe invoices: exact, once, and whole after a crash."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import delete, select
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.connectors.stripe import StripeBilling
from activities.people.stripe import StripeSteps
from activities.people.stripe_accounts import StripeAccounts
from models.contracts.stripe import ImportedStripeRevenue, ImportStripeRevenue
from models.db.database import Database
from models.db.vault import Vault
from models.rules.clients.vocabulary import RevenueKind, RevenueOrigin
from models.tables.clients_revenue import RevenueEntry, StripeAccount, StripeLink
from tests.api.serving import served
from tests.factories.agents import TenantMade, make_tenant
from tests.factories.clients import make_client, make_revenue_entry
from tests.fakes.stripe import KEY, Call, FakeStripe
from tests.fakes.stripe_account import connect, link
from tests.fakes.stripe_wire import Object, refusal


@dataclass
class Office:
    """A tenant with a Stripe account, and the steps that read it."""

    database: Database
    tenant: TenantMade
    fake: FakeStripe
    steps: StripeSteps
    at: datetime = datetime(2026, 3, 10, 9, tzinfo=UTC)
    heartbeats: list[Any] = field(default_factory=list)

    async def company(self, customer: Object) -> str:
        company_id = await make_client(self.database, self.tenant)
        await link(self.database, self.tenant.id, company_id, customer["id"], self.tenant.admin_id)
        return company_id

    async def run(self, company_id: str, details: tuple[Any, ...] = ()) -> ImportedStripeRevenue:
        environment = ActivityEnvironment()
        environment.info = replace(
            ActivityEnvironment.default_info(), scheduled_time=self.at, heartbeat_details=details
        )
        environment.on_heartbeat = lambda *told: self.heartbeats.append(told)
        order = ImportStripeRevenue(
            tenant_id=self.tenant.id, company_id=company_id,
            first=date(2025, 3, 1), end=date(2026, 3, 1),
        )  # fmt: skip
        return await environment.run(self.steps.import_revenue, order)

    async def ledger(self, company_id: str) -> list[tuple[str, str, Decimal | None]]:
        return [(row.external_id, row.kind, row.amount) for row in await self.entries(company_id)]

    async def entries(self, company_id: str) -> list[Any]:
        async with self.database.tenant(self.tenant.id) as db:
            found = await db.execute(
                select(RevenueEntry.__table__)
                .where(RevenueEntry.company_id == company_id)
                .order_by(RevenueEntry.external_id)
            )
            return list(found)

    async def imported_at(self, company_id: str) -> datetime | None:
        async with self.database.tenant(self.tenant.id) as db:
            found = await db.execute(
                select(StripeLink.imported_at).where(StripeLink.company_id == company_id)
            )
            return found.scalar_one_or_none()


@pytest.fixture
async def office(db: Database) -> AsyncIterator[Office]:
    fake, vault = FakeStripe(), Vault([b"k" * 32])
    tenant = await make_tenant(db)
    await connect(db, tenant.id, vault)
    async with served(fake.app) as address:
        accounts = StripeAccounts(StripeBilling(address, timeout=5), lambda: vault)
        yield Office(db, tenant, fake, StripeSteps(db, accounts))
        await accounts.close()


def day(month: int, of: int = 10, year: int = 2025) -> datetime:
    return datetime(year, month, of, 23, 30, tzinfo=UTC)


async def test_invoices_refunds_and_credit_notes_come_into_the_ledger(office: Office) -> None:
    customer = office.fake.customer()
    company_id = await office.company(customer)
    invoice = office.fake.invoice(customer, 12_000, tax=2_000, paid_at=day(5))
    refund = office.fake.refund(invoice, 1_200, created=day(7))
    note = office.fake.credit_note(invoice, 2_400, tax=400, created=day(8))
    assert await office.run(company_id) == ImportedStripeRevenue(
        invoices=1, credit_notes=1, refunds=1
    )
    rows = {row.external_id: row for row in await office.entries(company_id)}
    assert {key: (row.kind, row.amount) for key, row in rows.items()} == {
        invoice["id"]: (RevenueKind.INVOICE, Decimal(100)),
        refund["id"]: (RevenueKind.REFUND, Decimal(-10)),
        note["id"]: (RevenueKind.CREDIT_NOTE, Decimal(-20)),
    }
    assert {(row.origin, row.counted_on, row.stripe_invoice_id) for row in rows.values()} == {
        (RevenueOrigin.STRIPE, date(2025, 5, 10), invoice["id"])
    }
    assert await office.imported_at(company_id) == office.at


async def test_importing_twice_changes_nothing(office: Office) -> None:
    customer = office.fake.customer()
    company_id = await office.company(customer)
    office.fake.refund(office.fake.invoice(customer, 500, paid_at=day(5)), 100)
    await office.run(company_id)
    before = await office.entries(company_id)
    await office.run(company_id)
    assert await office.entries(company_id) == before


async def test_what_happened_since_is_taken_in(office: Office) -> None:
    customer = office.fake.customer()
    company_id = await office.company(customer)
    old = [office.fake.invoice(customer, 1_000, paid_at=day(month)) for month in (4, 5, 6)]
    ancient = office.fake.invoice(customer, 1_000, paid_at=day(1, year=2019))
    office.fake.now = office.at - timedelta(days=2)
    failing = office.fake.refund(old[2], 300)
    await office.run(company_id)
    office.at += timedelta(days=30)
    office.fake.now = office.at - timedelta(days=3)
    failing["status"] = "failed"
    refund = office.fake.refund(old[0], 250)
    note = office.fake.credit_note(old[1], 100)
    oldest = office.fake.refund(ancient, 10)
    new = office.fake.invoice(customer, 700)
    office.fake.calls.clear()
    await office.run(company_id)
    assert await office.ledger(company_id) == sorted(
        [
            *((one["id"], "invoice", Decimal(10)) for one in (*old, ancient)),
            (refund["id"], "refund", Decimal("-2.5")),
            (note["id"], "credit_note", Decimal(-1)),
            (oldest["id"], "refund", Decimal("-0.1")),
            (new["id"], "invoice", Decimal(7)),
        ]
    )


async def test_a_void_credit_note_is_taken_out_again(office: Office) -> None:
    customer = office.fake.customer()
    company_id = await office.company(customer)
    invoice = office.fake.invoice(customer, 1_000, paid_at=day(4))
    office.fake.now = office.at
    note = office.fake.credit_note(invoice, 100)
    await office.run(company_id)
    note["status"] = "void"
    await office.run(company_id)
    assert await office.ledger(company_id) == [(invoice["id"], "invoice", Decimal(10))]


async def test_the_ledgers_own_invoice_stands_in_for_stripes(office: Office) -> None:
    customer = office.fake.customer()
    company_id = await office.company(customer)
    invoice = office.fake.invoice(customer, 1_000, paid_at=day(4))
    office.fake.refund(invoice, 100)
    own = await make_revenue_entry(
        office.database, office.tenant, company_id, "9", stripe_invoice_id=invoice["id"]
    )
    await office.run(company_id)
    assert await office.ledger(company_id) == [(own, "invoice", Decimal(9))]


async def test_a_crash_between_pages_loses_nothing(office: Office) -> None:
    office.fake.page_limit = 2
    customer = office.fake.customer()
    company_id = await office.company(customer)
    made = [office.fake.invoice(customer, 1_000, paid_at=day(month)) for month in range(3, 10)]

    def fails_on_the_third(call: Call) -> Any:
        pages = [one for one in office.fake.calls if one.path == "/v1/invoices"]
        return refusal(500) if len(pages) == 3 else None

    office.fake.before = fails_on_the_third
    with pytest.raises(ApplicationError, match="did not answer properly") as caught:
        await office.run(company_id)
    assert not caught.value.non_retryable
    assert len(await office.ledger(company_id)) == 4
    assert await office.imported_at(company_id) is None
    # In the meantime one more is paid, which is newer than where the reading goes on.
    late = office.fake.invoice(customer, 1_000, paid_at=office.at + timedelta(minutes=1))
    office.fake.before = None
    office.fake.calls.clear()
    assert (await office.run(company_id, office.heartbeats[-1])).invoices == len(made)
    assert office.fake.paths().count("/v1/invoices") == 2
    office.at += timedelta(days=1)
    await office.run(company_id)
    assert await office.ledger(company_id) == sorted(
        (one["id"], "invoice", Decimal(10)) for one in (*made, late)
    )


async def test_stripes_pause_is_kept_by_the_next_attempt(office: Office) -> None:
    company_id = await office.company(office.fake.customer())
    limited = refusal(429, "rate_limit_error", headers={"Retry-After": "42"})
    office.fake.before = lambda _: limited
    with pytest.raises(ApplicationError) as caught:
        await office.run(company_id)
    assert caught.value.next_retry_delay == timedelta(seconds=42)
    assert KEY not in str(caught.value)


async def test_without_a_link_or_an_account_nothing_is_asked(office: Office) -> None:
    customer = office.fake.customer()
    unlinked = await make_client(office.database, office.tenant)
    company_id = await office.company(customer)
    assert await office.run(unlinked) == ImportedStripeRevenue()
    async with office.database.tenant(office.tenant.id) as db:
        await db.execute(delete(StripeAccount))
    assert await office.run(company_id) == ImportedStripeRevenue()
    assert office.fake.calls == []


async def test_what_is_unlinked_meanwhile_does_not_come_back(office: Office) -> None:
    customer = office.fake.customer()
    company_id = await office.company(customer)
    office.fake.invoice(customer, 1_000, paid_at=day(4))
    office.fake.page_limit = 1
    steps: Any = office.steps
    real = steps._accounts.opened

    async def opened_and_relinked(db: Any, tenant_id: str) -> Any:
        account = await real(db, tenant_id)
        async with office.database.tenant(tenant_id) as other:
            await other.execute(delete(StripeLink))
        # The same customer again, but by another link, which has its own import.
        await link(
            office.database, tenant_id, company_id, customer["id"], office.tenant.admin_id,
            at=day(12),
        )  # fmt: skip
        return account

    steps._accounts.opened = opened_and_relinked
    await office.run(company_id)
    assert await office.ledger(company_id) == []
    assert await office.imported_at(company_id) is None
