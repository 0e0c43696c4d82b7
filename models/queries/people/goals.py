"""Goals of clients: set, listed, and brought forward until they are reached.

Source: clients/goals.yaml. A goal that is reached for the first time suggests a win.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from models.contracts.actors import Actor
from models.errors import NotFound
from models.ids import derived_id
from models.queries.people.history import Occurrence, record
from models.rules.clients.goals import (
    GoalDirection,
    direction,
    gained,
    in_words,
    is_reached,
    progress_pct,
    reached_in_words,
)
from models.rules.clients.metrics import METRICS
from models.rules.clients.vocabulary import HistoryKind, WinSource, WinStatus
from models.tables.clients_reviews import ClientGoal, Win


@dataclass(frozen=True, slots=True, kw_only=True)
class GoalRow:
    """A goal, and how far it has come."""

    id: str
    company_id: str
    metric: str
    target: Decimal
    baseline: Decimal | None
    current_value: Decimal | None
    unit: str | None
    period: str
    achieved_at: datetime | None
    created_by: str | None
    created_at: datetime
    updated_at: datetime

    @property
    def direction(self) -> GoalDirection:
        return direction(self.metric, target=self.target, baseline=self.baseline)

    @property
    def progress_pct(self) -> Decimal | None:
        return progress_pct(
            target=self.target,
            baseline=self.baseline,
            current=self.current_value,
            direction=self.direction,
        )


# Built once: building a statement costs more than sending it.
_COLUMNS = (
    ClientGoal.id, ClientGoal.company_id, ClientGoal.metric, ClientGoal.target,
    ClientGoal.baseline, ClientGoal.current_value, ClientGoal.unit, ClientGoal.period,
    ClientGoal.achieved_at, ClientGoal.created_by, ClientGoal.created_at, ClientGoal.updated_at,
)  # fmt: skip
_LISTED = (
    select(*_COLUMNS)
    .where(ClientGoal.company_id == bindparam("company"))
    .order_by(ClientGoal.created_at.desc(), ClientGoal.id.desc())
)
_ONE = select(*_COLUMNS).where(ClientGoal.id == bindparam("goal"))
_LOCKED = _ONE.where(ClientGoal.company_id == bindparam("company")).with_for_update()
_INSERT = insert(ClientGoal)
_SUGGEST = insert(Win).on_conflict_do_nothing()


async def listed(db: AsyncConnection, company_id: str) -> Sequence[GoalRow]:
    """The client's goals, newest first."""
    found = await db.execute(_LISTED, {"company": company_id})
    return [GoalRow(**row._mapping) for row in found]


async def locked(db: AsyncConnection, company_id: str, goal_id: str) -> GoalRow:
    """A goal of the client, locked until the transaction ends.

    Raises:
        NotFound: the client has no such goal.
    """
    found = await db.execute(_LOCKED, {"company": company_id, "goal": goal_id})
    row = found.one_or_none()
    if row is None:
        raise NotFound("The client has no such goal.")
    return GoalRow(**row._mapping)


async def create(
    db: AsyncConnection,
    *,
    tenant_id: str,
    company_id: str,
    goal_id: str,
    values: Mapping[str, Any],
    actor: Actor,
    at: datetime,
) -> GoalRow:
    """Set a goal for a client."""
    row = {
        **values,
        "id": goal_id,
        "tenant_id": tenant_id,
        "company_id": company_id,
        "created_by": actor.id,
        "created_at": at,
        "updated_at": at,
    }
    await db.execute(_INSERT, row)
    goal = await _one(db, goal_id)
    event = Occurrence(kind=HistoryKind.GOAL_CREATED, details=_described(goal))
    await record(
        db, tenant_id=tenant_id, company_id=company_id, actor=actor, occurrences=[event], at=at
    )
    return goal


async def record_progress(
    db: AsyncConnection,
    tenant_id: str,
    goal: GoalRow,
    value: Decimal,
    *,
    actor: Actor,
    at: datetime,
) -> GoalRow:
    """Give a goal that is locked its present value; what reaches it first suggests a win."""
    reached = goal.achieved_at is None and is_reached(
        target=goal.target, current=value, direction=goal.direction
    )
    changed: dict[str, Any] = {"current_value": value, "updated_at": at}
    occurrences = [_progress(goal, value)]
    if reached:
        changed["achieved_at"] = at
        win_id = await _suggest_win(db, tenant_id, goal, value, at)
        occurrences.append(_achievement(goal, value, win_id))
    await db.execute(update(ClientGoal).where(ClientGoal.id == goal.id).values(**changed))
    await record(
        db,
        tenant_id=tenant_id,
        company_id=goal.company_id,
        actor=actor,
        occurrences=occurrences,
        at=at,
    )
    return await _one(db, goal.id)


async def _one(db: AsyncConnection, goal_id: str) -> GoalRow:
    found = await db.execute(_ONE, {"goal": goal_id})
    return GoalRow(**found.one()._mapping)


async def _suggest_win(
    db: AsyncConnection, tenant_id: str, goal: GoalRow, value: Decimal, at: datetime
) -> str:
    """Suggest the win that a reached goal is; its id is the goal's own, so that there is one."""
    win_id = derived_id("win-of-goal", goal.id)
    delta = gained(value, goal.baseline)
    was = "" if goal.baseline is None else f", from {in_words(goal.baseline, goal.unit)}"
    await db.execute(
        _SUGGEST,
        {
            "id": win_id,
            "tenant_id": tenant_id,
            "company_id": goal.company_id,
            "title": reached_in_words(goal.metric, value, goal.unit),
            "description": f"The target was {in_words(goal.target, goal.unit)}{was}.",
            "metric_key": goal.metric if goal.metric in METRICS else None,
            "metric_delta": delta,
            "metric_delta_unit": None if delta is None else goal.unit,
            "won_at": at.astimezone(UTC).date(),
            "linked_goal_id": goal.id,
            "source": WinSource.GOAL,
            "status": WinStatus.SUGGESTED,
            "created_at": at,
            "updated_at": at,
        },
    )
    return win_id


def _described(goal: GoalRow) -> dict[str, Any]:
    return {
        "goal_id": goal.id,
        "metric": goal.metric,
        "target": float(goal.target),
        "baseline": _json(goal.baseline),
        "unit": goal.unit,
        "period": goal.period,
    }


def _progress(goal: GoalRow, value: Decimal) -> Occurrence:
    return Occurrence(
        kind=HistoryKind.GOAL_PROGRESS,
        field="current_value",
        old_value=_json(goal.current_value),
        new_value=_json(value),
        details={"goal_id": goal.id, "metric": goal.metric, "unit": goal.unit},
    )


def _achievement(goal: GoalRow, value: Decimal, win_id: str) -> Occurrence:
    details = {**_described(goal), "value": _json(value), "win_id": win_id}
    return Occurrence(kind=HistoryKind.GOAL_ACHIEVED, details=details)


def _json(value: Decimal | None) -> float | None:
    return None if value is None else float(value)
