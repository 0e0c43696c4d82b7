"""Reading an activity's streamed log: where its current run begins, and what came after a row."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from models.tables.agent_activities import AgentActivity
from models.tables.agent_runs import ActivityStream, RunEvent

COMPLETED: Final = "completed"
ERROR: Final = "error"
TURN_RESET: Final = "turn_reset"
TEXT_DELTA: Final = "text_delta"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where an activity and its log stand.

    `ended_at` is the number of the last row that ended a run for its readers, 0 when none did;
    `current_from` the number of the first row of the run that came after it, if one has.
    """

    status: str
    last_error: str | None
    last_seq: int
    ended_at: int
    ended_kind: str | None
    current_from: int | None


async def standing(db: AsyncConnection, activity_id: str) -> Standing | None:
    """Where the activity and its log stand, or nothing when the tenant has no such activity."""
    counted = select(ActivityStream.next_seq - 1).where(ActivityStream.activity_id == activity_id)
    found = await db.execute(
        select(
            AgentActivity.status,
            AgentActivity.last_error,
            func.coalesce(counted.scalar_subquery(), 0).label("last_seq"),
        ).where(AgentActivity.id == activity_id)
    )
    row = found.one_or_none()
    if row is None:
        return None
    ended_at, ended_kind = await _last_ending(db, activity_id)
    return Standing(
        status=row.status,
        last_error=row.last_error,
        last_seq=row.last_seq,
        ended_at=ended_at,
        ended_kind=ended_kind,
        current_from=await _current_from(db, activity_id, ended_at),
    )


async def _last_ending(db: AsyncConnection, activity_id: str) -> tuple[int, str | None]:
    found = await db.execute(
        select(RunEvent.seq, RunEvent.kind)
        .where(RunEvent.activity_id == activity_id, RunEvent.kind.in_([COMPLETED, ERROR]))
        .order_by(RunEvent.seq.desc())
        .limit(1)
    )
    row = found.one_or_none()
    return (0, None) if row is None else (row.seq, row.kind)


async def _current_from(db: AsyncConnection, activity_id: str, ended_at: int) -> int | None:
    """The first row of the newest run; one that failed before it and is retried is left out."""
    since = (RunEvent.activity_id == activity_id, RunEvent.seq > ended_at)
    newest = (
        select(RunEvent.run_id)
        .where(*since, RunEvent.run_id.is_not(None))
        .order_by(RunEvent.seq.desc())
        .limit(1)
    )
    first = select(func.min(RunEvent.seq)).where(
        *since, RunEvent.run_id == newest.scalar_subquery()
    )
    return (await db.execute(first)).scalar_one()


async def resets(
    db: AsyncConnection, activity_id: str, after: int
) -> frozenset[tuple[str | None, int | None, int | None]]:
    """The turn attempts whose words are void, as (run, turn, attempt)."""
    found = await db.execute(
        select(RunEvent.run_id, RunEvent.turn, RunEvent.attempt).where(
            RunEvent.activity_id == activity_id,
            RunEvent.seq > after,
            RunEvent.kind == TURN_RESET,
        )
    )
    return frozenset((row.run_id, row.turn, row.attempt) for row in found)


async def after(
    db: AsyncConnection, activity_id: str, seq: int, *, limit: int
) -> Sequence[Row[Any]]:
    """The rows after a number, oldest first."""
    found = await db.execute(
        select(
            RunEvent.seq, RunEvent.run_id, RunEvent.turn, RunEvent.attempt, RunEvent.kind,
            RunEvent.payload,
        )
        .where(RunEvent.activity_id == activity_id, RunEvent.seq > seq)
        .order_by(RunEvent.seq)
        .limit(limit)
    )  # fmt: skip
    return found.all()
