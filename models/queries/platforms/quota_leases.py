"""A connection's quota, shared by all workers: who asks the platform takes a turn first."""

from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from models.rules.platforms.quotas import RATES, Lease, full, take
from models.rules.platforms.registry import PlatformId
from models.tables.platforms import QuotaLease

_LOCKED: Final = (
    select(QuotaLease.tokens, QuotaLease.refilled_at, QuotaLease.resting_until)
    .where(QuotaLease.connection_id == bindparam("connection_id"))
    .with_for_update()
)


async def take_turn(
    db: AsyncConnection,
    tenant_id: str,
    connection_id: str,
    platform: PlatformId,
    now: datetime,
) -> datetime | None:
    """Take a turn, under the row's lock; where there is none now, answer when there will be one."""
    rate = RATES[platform]
    lease, until = take(await _lease(db, tenant_id, connection_id, full(rate, now)), rate, now)
    await db.execute(
        update(QuotaLease)
        .where(QuotaLease.connection_id == connection_id)
        .values(
            tokens=lease.tokens,
            refilled_at=lease.refilled_at,
            resting_until=lease.resting_until,
            updated_at=func.clock_timestamp(),
        )
    )
    return until


async def rest(
    db: AsyncConnection, tenant_id: str, connection_id: str, now: datetime, until: datetime
) -> None:
    """Let nobody ask for this connection before `until`; a longer rest stays as long as it is."""
    new = insert(QuotaLease).values(
        tenant_id=tenant_id,
        connection_id=connection_id,
        tokens=0,
        refilled_at=now,
        resting_until=until,
    )
    await db.execute(
        new.on_conflict_do_update(
            index_elements=["connection_id"],
            set_={
                "resting_until": func.greatest(QuotaLease.resting_until, new.excluded.resting_until)
            },
        )
    )


async def _lease(db: AsyncConnection, tenant_id: str, connection_id: str, new: Lease) -> Lease:
    await db.execute(
        insert(QuotaLease)
        .values(
            tenant_id=tenant_id,
            connection_id=connection_id,
            tokens=new.tokens,
            refilled_at=new.refilled_at,
        )
        .on_conflict_do_nothing()
    )
    row = (await db.execute(_LOCKED, {"connection_id": connection_id})).one()
    return Lease(tokens=row.tokens, refilled_at=row.refilled_at, resting_until=row.resting_until)
