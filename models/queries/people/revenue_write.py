"""Taking documents into the revenue ledger, from ledgers and from Stripe, each of them once.

Source: clients/tier_scores.yaml, rules.revenue. A nucleus invoice with the id of a Stripe invoice
stands in for what Stripe sends of that invoice, whichever of the two comes first.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any, Final

from sqlalchemy import (
    Delete,
    Select,
    Text,
    and_,
    bindparam,
    delete,
    func,
    literal_column,
    or_,
    select,
    text,
    tuple_,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import ReturningInsert

from models.db import many
from models.ids import new_id
from models.queries.people import client_profiles
from models.rules.clients.revenue_entries import Reference, RevenueDocument
from models.rules.clients.vocabulary import RevenueOrigin
from models.tables.clients_revenue import RevenueEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What became of documents: those of `foreign` belong to another company and were not taken."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    removed: int = 0
    foreign: frozenset[Reference] = frozenset()


_VALUES: Final = (
    "kind", "counted_on", "amount", "original_amount", "original_currency", "stripe_invoice_id",
)  # fmt: skip
# An import of Stripe shares the lock with others, a ledger that names Stripe invoices has it alone:
# neither can miss what the other is just writing.
_LOCK: Final = "pg_advisory_xact_lock{}(hashtextextended('stripe-revenue:' || :tenant_id, 0))"
_ALONE: Final = text(f"select {_LOCK.format('')}")
_SHARED: Final = text(f"select {_LOCK.format('_shared')}")


async def put_entries(
    db: AsyncConnection,
    tenant_id: str,
    company_id: str,
    documents: Sequence[RevenueDocument],
    *,
    at: datetime,
    withdrawn: Sequence[Reference] = (),
) -> Taken:
    """Take in a ledger's documents, each of them there once, and take out those withdrawn.

    What Stripe sent of an invoice that the ledger has goes out as well. Where something is
    `foreign` the caller gives everything up. One company a transaction: the client is locked.
    """
    await client_profiles.locked(db, company_id)
    billed = [one.stripe_invoice_id for one in documents if one.stripe_invoice_id is not None]
    if billed:
        await db.execute(_ALONE, {"tenant_id": tenant_id})
    foreign = await _foreign(db, company_id, withdrawn)
    removed = await _withdraw(db, company_id, withdrawn)
    taken = await _upsert(db, tenant_id, company_id, documents, at)
    if billed:
        replaced = await db.execute(_replaced(), {"invoice_ids": billed})
        removed += replaced.rowcount
    return replace(taken, removed=removed, foreign=taken.foreign | foreign)


async def put_stripe_entries(
    db: AsyncConnection,
    tenant_id: str,
    company_id: str,
    entries: Sequence[RevenueDocument],
    at: datetime,
) -> Taken:
    """Take in what Stripe has of a company, all but the invoices that the ledger has itself.

    What was imported of such an invoice before goes out. A document that belonged to another
    company is this one's now: the link of the customer decides. One company a transaction: the
    client is locked.
    """
    await client_profiles.locked(db, company_id)
    await db.execute(_SHARED, {"tenant_id": tenant_id})
    invoice_ids = sorted({one.stripe_invoice_id for one in entries if one.stripe_invoice_id})
    found = await db.execute(_in_ledger(), {"invoice_ids": invoice_ids})
    own = {invoice_id for invoice_id in found.scalars() if invoice_id is not None}
    removed = 0
    if own:
        removed = (await db.execute(_replaced(), {"invoice_ids": sorted(own)})).rowcount
    wanted = [one for one in entries if one.stripe_invoice_id not in own]
    taken = await _upsert(db, tenant_id, company_id, wanted, at, moves=True)
    return replace(taken, removed=removed)


async def _upsert(
    db: AsyncConnection,
    tenant_id: str,
    company_id: str,
    documents: Sequence[RevenueDocument],
    at: datetime,
    *,
    moves: bool = False,
) -> Taken:
    if not documents:
        return Taken()
    common = {
        "tenant_id": tenant_id, "company_id": company_id, "created_at": at, "updated_at": at,
    }  # fmt: skip
    # In one order for all, so that nobody waits in a circle.
    ordered = sorted(documents, key=lambda one: one.reference)
    rows = [{"id": new_id(), **common, **asdict(one)} for one in ordered]
    written = (await db.execute(_upserting(moves=moves), many.rows(rows))).all()
    created = sum(row.is_new for row in written)
    foreign = await _foreign(db, company_id, [one.reference for one in ordered])
    return Taken(
        created=created,
        updated=len(written) - created,
        unchanged=len(documents) - len(written) - len(foreign),
        foreign=foreign,
    )


async def _foreign(
    db: AsyncConnection, company_id: str, references: Sequence[Reference]
) -> frozenset[Reference]:
    """Those of the references that are another company's."""
    if not references:
        return frozenset()
    found = await db.execute(_of_others(), {"company_id": company_id, **_named(references)})
    return frozenset((RevenueOrigin(row.origin), row.external_id) for row in found)


async def _withdraw(db: AsyncConnection, company_id: str, references: Sequence[Reference]) -> int:
    if not references:
        return 0
    bound = {"company_id": company_id, **_named(references)}
    return (await db.execute(_withdrawing(), bound)).rowcount


def _named(references: Sequence[Reference]) -> dict[str, list[str]]:
    return {
        "origins": [origin.value for origin, _ in references],
        "external_ids": [external_id for _, external_id in references],
    }


@cache
def _upserting(*, moves: bool) -> ReturningInsert[Any]:
    """Insert, or change what is another; rows of neither kind are not returned."""
    new = many.inserting(
        RevenueEntry, "id", "tenant_id", "company_id", "origin", "external_id", *_VALUES,
        "created_at", "updated_at",
    )  # fmt: skip
    columns = [getattr(RevenueEntry, name) for name in _VALUES]
    differs = or_(
        *(column.is_distinct_from(new.excluded[column.key]) for column in columns),
    )
    is_own = RevenueEntry.company_id == new.excluded.company_id
    changed = (*_VALUES, "company_id", "updated_at")
    return new.on_conflict_do_update(
        index_elements=["tenant_id", "origin", "external_id"],
        set_={name: new.excluded[name] for name in changed},
        where=or_(differs, ~is_own) if moves else and_(differs, is_own),
    ).returning(literal_column("old.id is null").label("is_new"))


def _among_references() -> Any:
    asked = func.unnest(
        bindparam("origins", type_=ARRAY(Text)), bindparam("external_ids", type_=ARRAY(Text))
    ).table_valued("origin", "external_id").render_derived(name="asked")  # fmt: skip
    named = select(asked.c.origin, asked.c.external_id)
    return tuple_(RevenueEntry.origin, RevenueEntry.external_id).in_(named)


@cache
def _of_others() -> Select[str, str]:
    return select(RevenueEntry.origin, RevenueEntry.external_id).where(
        _among_references(), RevenueEntry.company_id != bindparam("company_id", type_=Text)
    )


@cache
def _withdrawing() -> Delete:
    return delete(RevenueEntry).where(
        _among_references(), RevenueEntry.company_id == bindparam("company_id", type_=Text)
    )


def _of_invoices(*origins: RevenueOrigin) -> Any:
    return and_(
        RevenueEntry.stripe_invoice_id == func.any(bindparam("invoice_ids", type_=ARRAY(Text))),
        RevenueEntry.origin.in_([origin.value for origin in origins]),
    )


@cache
def _in_ledger() -> Select[str | None]:
    return select(RevenueEntry.stripe_invoice_id).where(_of_invoices(RevenueOrigin.NUCLEUS))


@cache
def _replaced() -> Delete:
    return delete(RevenueEntry).where(_of_invoices(RevenueOrigin.STRIPE))
