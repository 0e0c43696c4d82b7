"""Steps that read Stripe: a linked customer's paid invoices, taken into the revenue ledger."""

from collections import Counter
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.agents.heartbeats import heartbeats
from activities.people.stripe_accounts import StripeAccounts
from activities.ports import BillingAccount, InvoicePage, Unread, VendorBusy
from models.contracts.stripe import ImportedStripeRevenue, ImportStripeRevenue
from models.db.database import Database
from models.queries.people import stripe_imports
from models.queries.people.stripe_imports import Import
from models.rules.clients.billing import entries
from models.rules.clients.vocabulary import RevenueKind
from models.rules.months import add_months

OVERLAP: Final = timedelta(days=35)
"""How far an import looks back behind the last one: so long a refund may take to fail."""
LATE_MONTHS: Final = 24
"""How long before the window an invoice may have been made that is paid only now."""
_LONGEST_WAIT: Final = timedelta(minutes=5)


@dataclass(slots=True)
class _Progress:
    """How far an import is; heartbeats carry it to the next attempt."""

    after: str | None = None
    invoices: int = 0
    credit_notes: int = 0
    refunds: int = 0

    def add(self, page: InvoicePage, kinds: Counter[RevenueKind]) -> None:
        self.after = page.last
        self.invoices += kinds[RevenueKind.INVOICE]
        self.credit_notes += kinds[RevenueKind.CREDIT_NOTE]
        self.refunds += kinds[RevenueKind.REFUND]

    @property
    def result(self) -> ImportedStripeRevenue:
        return ImportedStripeRevenue(
            invoices=self.invoices, credit_notes=self.credit_notes, refunds=self.refunds
        )


class StripeSteps:
    """What is done with a tenant's Stripe account behind its back."""

    def __init__(self, database: Database, accounts: StripeAccounts) -> None:
        self._database = database
        self._accounts = accounts

    @activity.defn(name="stripe.import_revenue")
    async def import_revenue(self, order: ImportStripeRevenue) -> ImportedStripeRevenue:
        """Bring the ledger up to what Stripe has; nothing, without an account or a link.

        Each page is written before the next is read, and the next attempt begins behind it. What
        was there before is written over with the same, so that nothing counts twice.
        """
        async with self._database.tenant(order.tenant_id) as db:
            of = await stripe_imports.of_company(db, order.company_id)
            account = await self._accounts.opened(db, order.tenant_id)
        if of is None or account is None:
            return ImportedStripeRevenue()
        progress = _resumed()
        async with heartbeats(lambda: asdict(progress)):
            try:
                return await self._import(order, of, account, progress)
            except VendorBusy as busy:
                raise _tried_again(busy) from None

    async def _import(
        self, order: ImportStripeRevenue, of: Import, account: BillingAccount, progress: _Progress
    ) -> ImportedStripeRevenue:
        began = _began()
        async for page in account.paid_invoices(of.customer_id, _unread(order, of, progress)):
            billed = [entry for one in page.invoices for entry in entries(one, of.currency)]
            async with self._database.tenant(order.tenant_id) as db:
                ids = [one.id for one in page.invoices]
                if not await stripe_imports.put(db, of, ids, billed, at=datetime.now(UTC)):
                    return progress.result
            progress.add(page, Counter(entry.kind for entry in billed))
            _beat(progress)
        async with self._database.tenant(order.tenant_id) as db:
            await stripe_imports.done(db, of, began)
        return progress.result


def _unread(order: ImportStripeRevenue, of: Import, progress: _Progress) -> Unread:
    if of.imported_at is None:
        return Unread(after=progress.after)
    earliest = add_months(order.first, -LATE_MONTHS)
    return Unread(
        since=of.imported_at - OVERLAP,
        created_since=datetime(earliest.year, earliest.month, earliest.day, tzinfo=UTC),
        after=progress.after,
    )


def _resumed() -> _Progress:
    """Where the attempt before stopped."""
    details = activity.info().heartbeat_details if activity.in_activity() else ()
    told: dict[str, Any] = details[0] if details else {}
    return _Progress(**told)


def _began() -> datetime:
    """When the first attempt was asked for: what happens from then on is the next import's."""
    return activity.info().scheduled_time if activity.in_activity() else datetime.now(UTC)


def _beat(progress: _Progress) -> None:
    if activity.in_activity():
        activity.heartbeat(asdict(progress))


def _tried_again(busy: VendorBusy) -> ApplicationError:
    """The failure as Temporal's retries understand it: after the pause that Stripe asks for."""
    asked = None if busy.retry_after is None else timedelta(seconds=busy.retry_after)
    pause = None if asked is None else min(asked, _LONGEST_WAIT)
    return ApplicationError(str(busy), type=VendorBusy.__name__, next_retry_delay=pause)
