"""Places in an agent role's concurrent runs: first come, first served, within a tenant."""

from datetime import datetime

from sqlalchemy import bindparam, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from models.db.database import at_once
from models.rules.vocabulary import ActivityStatus
from models.tables.agent_activities import AgentActivity
from models.tables.agent_runs import AgentSlot

_QUEUED = (ActivityStatus.ASSIGNED, ActivityStatus.REASSIGNED)
_LOCK = text("select pg_advisory_xact_lock(hashtextextended(:name, 0))")
# Built once: building a statement costs more than sending it.
_QUEUE = insert(AgentSlot).on_conflict_do_nothing()
_MINE = (AgentSlot.tenant_id == bindparam("tenant"), AgentSlot.role == bindparam("of_role"))
_AHEAD = (
    select(AgentSlot.activity_id)
    .where(*_MINE)
    .order_by(AgentSlot.held_since.nulls_last(), AgentSlot.queued_on, AgentSlot.activity_id)
    .limit(bindparam("concurrency"))
)
_HOLD = (
    update(AgentSlot)
    .where(
        AgentSlot.activity_id == bindparam("activity"),
        AgentSlot.activity_id.in_(_AHEAD.correlate(None)),
    )
    .values(held_since=func.coalesce(AgentSlot.held_since, bindparam("at")))
)
_LEAVE = delete(AgentSlot).where(AgentSlot.activity_id == bindparam("activity"))
_PROMOTE = (
    update(AgentSlot)
    .where(
        AgentSlot.activity_id
        == select(AgentSlot.activity_id)
        .where(
            *_MINE,
            AgentSlot.held_since.is_(None),
            select(func.count())
            .where(*_MINE, AgentSlot.held_since.is_not(None))
            .correlate(None)
            .scalar_subquery()
            < bindparam("concurrency"),
        )
        .order_by(AgentSlot.queued_on, AgentSlot.activity_id)
        .limit(1)
        .correlate(None)
        .scalar_subquery()
    )
    .returning(AgentSlot.activity_id)
)
_IDLE_HOLDER = (
    select(AgentSlot.activity_id)
    .join(AgentActivity, AgentActivity.id == AgentSlot.activity_id)
    .where(*_MINE, AgentSlot.held_since.is_not(None), AgentActivity.status.in_(_QUEUED))
    .order_by(AgentSlot.held_since)
    .limit(1)
)


async def _lock(db: AsyncConnection, tenant_id: str, role: str) -> None:
    await db.execute(_LOCK, {"name": f"slot:{tenant_id}:{role}"})


async def take(
    db: AsyncConnection,
    *,
    tenant_id: str,
    role: str,
    activity_id: str,
    concurrency: int,
    at: datetime,
) -> bool:
    """Take a place, or queue for one; True when the activity holds a place now."""
    async with at_once(db):
        await _lock(db, tenant_id, role)
        place = {"tenant_id": tenant_id, "role": role, "activity_id": activity_id}
        await db.execute(_QUEUE, {**place, "queued_on": at})
    mine = {"tenant": tenant_id, "of_role": role, "concurrency": concurrency}
    held = await db.execute(_HOLD, {**mine, "activity": activity_id, "at": at})
    return bool(held.rowcount)


async def give_back(
    db: AsyncConnection,
    *,
    tenant_id: str,
    role: str,
    activity_id: str,
    concurrency: int,
    at: datetime,
) -> str | None:
    """Give a place back (or leave the queue); answers the activity that holds it from now on.

    Asked again, because a worker died before it could tell that activity, it answers one that
    holds a place and does not use it. An activity that is told twice just looks twice.
    """
    await _lock(db, tenant_id, role)
    left = await db.execute(_LEAVE, {"activity": activity_id})
    mine = {"tenant": tenant_id, "of_role": role}
    if not left.rowcount:
        return (await db.execute(_IDLE_HOLDER, mine)).scalar_one_or_none()
    promote = {**mine, "concurrency": concurrency, "held_since": at}
    return (await db.execute(_PROMOTE, promote)).scalar_one_or_none()
