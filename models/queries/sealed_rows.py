"""Every row that has something sealed in it, as far as the wrapping around it goes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import InstrumentedAttribute

from models.db.vault import Place, Sealed
from models.queries.people import stripe_accounts
from models.queries.platforms import connection_keys
from models.tables.base import Base
from models.tables.clients_revenue import StripeAccount
from models.tables.platforms import PlatformConnection


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedTable:
    """A table with a sealed column; `place` is where a row's secret is bound to."""

    title: str
    table: type[Base]
    row: InstrumentedAttribute[str]
    sealed: InstrumentedAttribute[Any]
    key_id: InstrumentedAttribute[Any]
    place: Callable[[str, str], Place]


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedRow:
    """What is sealed in a row, and where."""

    row: str
    sealed: Sealed
    place: Place


SEALED_TABLES: Final = (
    SealedTable(
        title="platform connections",
        table=PlatformConnection,
        row=PlatformConnection.id,
        sealed=PlatformConnection.sealed_credentials,
        key_id=PlatformConnection.key_id,
        place=connection_keys.place,
    ),
    SealedTable(
        title="Stripe accounts",
        table=StripeAccount,
        row=StripeAccount.tenant_id,
        sealed=StripeAccount.sealed_key,
        key_id=StripeAccount.key_id,
        place=lambda tenant_id, _: stripe_accounts.place(tenant_id),
    ),
)


async def count(db: AsyncConnection, of: SealedTable) -> int:
    """How many rows of the tenant have something sealed."""
    found = await db.execute(
        select(func.count()).select_from(of.table).where(of.sealed.is_not(None))
    )
    return int(found.scalar_one())


async def wrapped_otherwise(
    db: AsyncConnection, of: SealedTable, tenant_id: str, key_id: str, *, after: str, limit: int
) -> list[SealedRow]:
    """The next rows that another master key has wrapped, locked; in the order of their ids."""
    found = await db.execute(
        select(of.row, of.sealed, of.key_id)
        .where(of.sealed.is_not(None), of.key_id != key_id, of.row > after)
        .order_by(of.row)
        .limit(limit)
        .with_for_update(key_share=True)
    )
    return [
        SealedRow(row=row, sealed=Sealed.split(wrapped_by, sealed), place=of.place(tenant_id, row))
        for row, sealed, wrapped_by in found
    ]


async def rewrap(db: AsyncConnection, of: SealedTable, row: str, sealed: Sealed) -> None:
    """Keep what is the same secret with another key around it; the row is not changed otherwise."""
    await db.execute(
        update(of.table)
        .where(of.row == row)
        .values({of.sealed: sealed.joined, of.key_id: sealed.key_id})
    )
