"""Imports of a company's Stripe invoices: what they go by, what they write, how far they came."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models.queries.people import client_profiles
from models.queries.people.revenue_write import put_stripe_entries
from models.rules.clients.billing import BilledEntry
from models.rules.clients.revenue_entries import RevenueDocument
from models.rules.clients.vocabulary import RevenueOrigin
from models.tables.clients_revenue import RevenueEntry, StripeLink
from models.tables.people import Tenant


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """Whose invoices are imported, in which currency they count, and since when they are.

    A link that was made anew is another one, whatever customer it is to: `linked_at` tells.
    """

    tenant_id: str
    company_id: str
    customer_id: str
    linked_at: datetime
    imported_at: datetime | None
    currency: str


async def of_company(db: AsyncConnection, company_id: str) -> Import | None:
    """What the company's import goes by; None without a link."""
    found = await db.execute(
        select(
            StripeLink.tenant_id,
            StripeLink.company_id,
            StripeLink.stripe_customer_id.label("customer_id"),
            StripeLink.linked_at,
            StripeLink.imported_at,
            Tenant.currency,
        )
        .join(Tenant, Tenant.id == StripeLink.tenant_id)
        .where(StripeLink.company_id == company_id)
    )
    row = found.one_or_none()
    return Import(**row._mapping) if row else None


async def put(
    db: AsyncConnection,
    of: Import,
    invoice_ids: Sequence[str],
    entries: Sequence[BilledEntry],
    *,
    at: datetime,
) -> bool:
    """Make the ledger hold these entries of these invoices, and no others of them.

    False, and nothing is written, when the link is there no more.
    """
    # The lock that unlinking takes too: what it removes cannot come back behind it.
    await client_profiles.locked(db, of.company_id)
    held = await db.execute(
        select(StripeLink.company_id).where(
            StripeLink.company_id == of.company_id, StripeLink.linked_at == of.linked_at
        )
    )
    if held.one_or_none() is None:
        return False
    # A refund may fail and a credit note be made void after they were imported.
    await db.execute(
        delete(RevenueEntry).where(
            RevenueEntry.company_id == of.company_id,
            RevenueEntry.origin == RevenueOrigin.STRIPE,
            RevenueEntry.stripe_invoice_id.in_(invoice_ids),
            RevenueEntry.external_id.not_in([entry.external_id for entry in entries]),
        )
    )
    documents = {entry.external_id: _document(entry) for entry in entries}
    await put_stripe_entries(db, of.tenant_id, of.company_id, list(documents.values()), at)
    return True


async def done(db: AsyncConnection, of: Import, at: datetime) -> None:
    """Remember that all that had happened by then is imported; it never goes back in time."""
    await db.execute(
        update(StripeLink)
        .where(
            StripeLink.company_id == of.company_id,
            StripeLink.linked_at == of.linked_at,
            StripeLink.imported_at.is_(None) | (StripeLink.imported_at < at),
        )
        .values(imported_at=at)
    )


def _document(entry: BilledEntry) -> RevenueDocument:
    return RevenueDocument(
        origin=RevenueOrigin.STRIPE,
        external_id=entry.external_id,
        kind=entry.kind,
        counted_on=entry.counted_on,
        amount=entry.amount,
        original_amount=entry.original_amount,
        original_currency=entry.original_currency,
        stripe_invoice_id=entry.invoice_id,
    )
