"""Places in an agent role's concurrent runs: first come, first served, within a tenant."""

from datetime import datetime

from sqlalchemy import ColumnElement, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from models.db.database import at_once
from models.rules.vocabulary import ActivityStatus
from models.tables.agent_activities import AgentActivity
from models.tables.agent_runs import AgentSlot

_QUEUED = (ActivityStatus.ASSIGNED, ActivityStatus.REASSIGNED)
_LOCK = text("select pg_advisory_xact_lock(hashtextextended(:name, 0))")


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
        await db.execute(
            insert(AgentSlot)
            .values(tenant_id=tenant_id, activity_id=activity_id, role=role, queued_on=at)
            .on_conflict_do_nothing()
        )
    ahead = (
        select(AgentSlot.activity_id)
        .where(AgentSlot.tenant_id == tenant_id, AgentSlot.role == role)
        .order_by(AgentSlot.held_since.nulls_last(), AgentSlot.queued_on, AgentSlot.activity_id)
        .limit(concurrency)
    )
    first = (await db.execute(ahead)).scalars().all()
    if activity_id not in first:
        return False
    await db.execute(
        update(AgentSlot)
        .where(AgentSlot.activity_id == activity_id, AgentSlot.held_since.is_(None))
        .values(held_since=at)
    )
    return True


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
    left = await db.execute(delete(AgentSlot).where(AgentSlot.activity_id == activity_id))
    mine = (AgentSlot.tenant_id == tenant_id, AgentSlot.role == role)
    if not left.rowcount:
        return await _idle_holder(db, *mine)
    held = select(func.count()).where(*mine, AgentSlot.held_since.is_not(None)).scalar_subquery()
    oldest = (
        select(AgentSlot.activity_id)
        .where(*mine, AgentSlot.held_since.is_(None), held < concurrency)
        .order_by(AgentSlot.queued_on, AgentSlot.activity_id)
        .limit(1)
        .scalar_subquery()
    )
    promoted = await db.execute(
        update(AgentSlot)
        .where(AgentSlot.activity_id == oldest)
        .values(held_since=at)
        .returning(AgentSlot.activity_id)
    )
    return promoted.scalar_one_or_none()


async def _idle_holder(db: AsyncConnection, *mine: ColumnElement[bool]) -> str | None:
    found = await db.execute(
        select(AgentSlot.activity_id)
        .join(AgentActivity, AgentActivity.id == AgentSlot.activity_id)
        .where(*mine, AgentSlot.held_since.is_not(None), AgentActivity.status.in_(_QUEUED))
        .order_by(AgentSlot.held_since)
        .limit(1)
    )
    return found.scalar_one_or_none()
