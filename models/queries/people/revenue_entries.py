"""The revenue ledger of a client as people and other systems keep it: taken in, listed, deleted."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import delete, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from models.contracts.actors import Actor
from models.errors import Conflict, NotFound
from models.queries.people import client_profiles, revenue_read, revenue_write
from models.queries.people.history import RESOURCE
from models.queries.people.revenue_write import Taken
from models.queries.records import audit
from models.queries.walks import Position
from models.rules.clients.revenue_entries import SentEntry, intake, refuse_foreign
from models.rules.clients.vocabulary import RevenueOrigin
from models.tables.clients_revenue import RevenueEntry


class EntryRow(NamedTuple):
    """An entry of the ledger; `amount` is in the reporting currency."""

    id: str
    origin: str
    external_id: str
    kind: str
    counted_on: date
    amount: Decimal | None
    original_amount: Decimal
    original_currency: str
    stripe_invoice_id: str | None
    created_at: datetime
    updated_at: datetime

    @property
    def position(self) -> Position:
        """Where the entry stands in the list."""
        return datetime.combine(self.counted_on, datetime.min.time(), UTC), self.id


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenIn:
    """What became of the entries that were sent; `not_counted` are kept without an amount."""

    created: int
    updated: int
    unchanged: int
    removed: int
    not_counted: int


_LISTED = select(*(getattr(RevenueEntry, name) for name in EntryRow._fields))


async def take_in(
    db: AsyncConnection,
    tenant_id: str,
    company_id: str,
    entries: Sequence[SentEntry],
    *,
    actor: Actor,
    at: datetime,
) -> TakenIn:
    """Take in all the entries of a ledger, or none of them.

    Raises:
        NotFound: the company is no client of the tenant.
        Invalid: the entries do not fit together.
        Conflict: some of them belong to another company.
    """
    await client_profiles.locked(db, company_id)
    wanted = intake(entries, await revenue_read.currency(db))
    taken = await revenue_write.put_entries(
        db, tenant_id, company_id, wanted.documents, at=at, withdrawn=wanted.withdrawn
    )
    refuse_foreign(entries, taken.foreign)
    await _audit_intake(db, tenant_id, company_id, taken, actor)
    return TakenIn(
        created=taken.created,
        updated=taken.updated,
        unchanged=taken.unchanged,
        removed=taken.removed,
        not_counted=wanted.not_counted,
    )


async def page(
    db: AsyncConnection,
    company_id: str,
    *,
    since: date | None,
    until: date | None,
    origins: Sequence[RevenueOrigin],
    limit: int,
    after: Position | None,
) -> list[EntryRow]:
    """The newest entries between two days, both included, from just behind a position."""
    statement = _LISTED.where(RevenueEntry.company_id == company_id)
    if since is not None:
        statement = statement.where(RevenueEntry.counted_on >= since)
    if until is not None:
        statement = statement.where(RevenueEntry.counted_on <= until)
    if origins:
        statement = statement.where(RevenueEntry.origin.in_(origins))
    if after is not None:
        here = tuple_(RevenueEntry.counted_on, RevenueEntry.id)
        statement = statement.where(here < (after[0].date(), after[1]))
    newest = statement.order_by(RevenueEntry.counted_on.desc(), RevenueEntry.id.desc())
    return [EntryRow._make(row) for row in await db.execute(newest.limit(limit))]


async def remove(
    db: AsyncConnection, tenant_id: str, company_id: str, entry_id: str, *, actor: Actor
) -> None:
    """Take one entry out of the ledger.

    Raises:
        NotFound: the client has no such entry.
        Conflict: it was imported, and would be again.
    """
    await client_profiles.locked(db, company_id)
    entry = RevenueEntry.id == entry_id, RevenueEntry.company_id == company_id
    row = (await db.execute(_LISTED.where(*entry))).one_or_none()
    if row is None:
        raise NotFound("There is no such revenue entry.")
    if row.origin == RevenueOrigin.STRIPE:
        raise Conflict("The entry was imported from Stripe; it goes when the customer is unlinked.")
    await db.execute(delete(RevenueEntry).where(*entry))
    await audit.record(
        db,
        tenant_id,
        actor,
        entity=RESOURCE,
        entity_id=company_id,
        action="revenue_entry_deleted",
        changes={
            "origin": row.origin, "external_id": row.external_id, "kind": row.kind,
            "date": row.counted_on, "amount": row.original_amount,
            "currency": row.original_currency,
        },
    )  # fmt: skip


async def _audit_intake(
    db: AsyncConnection, tenant_id: str, company_id: str, taken: Taken, actor: Actor
) -> None:
    """Say in the audit log that the ledger is another; the history of clients has no such event."""
    counts = asdict(taken)
    changed = {name: counts[name] for name in ("created", "updated", "removed") if counts[name]}
    if changed:
        await audit.record(
            db, tenant_id, actor,
            entity=RESOURCE, entity_id=company_id, action="revenue_taken_in", changes=changed,
        )  # fmt: skip
