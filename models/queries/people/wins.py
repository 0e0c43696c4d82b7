"""Wins of clients: recorded, edited, put off, dismissed and deleted.

Source: clients/wins.yaml. A snoozed win whose time has come is read as a suggested one; its row
says so from the next change on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any

from sqlalchemy import Select, and_, bindparam, case, delete, exists, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from models.contracts.actors import Actor
from models.db.rows import AnyRow
from models.errors import NotFound, ProblemItem, Unprocessable
from models.queries.people.history import Occurrence, record
from models.rules.clients.vocabulary import HistoryKind, WinStatus
from models.rules.clients.wins import Standing, shown
from models.tables.clients_reviews import ClientGoal, Win
from models.tables.companies import Project

_MISSING = "The client has no such win."


@dataclass(frozen=True, slots=True, kw_only=True)
class WinProject:
    """The project that a win came of."""

    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WinGoal:
    """The goal that a win belongs to, as it stands now."""

    id: str
    metric: str
    target: Decimal
    current_value: Decimal | None
    unit: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WinRow:
    """A win as it is shown at a moment, with its project and its goal."""

    id: str
    company_id: str
    title: str
    description: str | None
    outcome_text: str | None
    project_id: str | None
    project: WinProject | None
    metric_key: str | None
    metric_delta: Decimal | None
    metric_delta_unit: str | None
    won_at: date
    linked_goal_id: str | None
    linked_goal: WinGoal | None
    source: str
    status: str
    snoozed_until: datetime | None
    created_by: str | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedWin:
    """A win's row as it is kept."""

    tenant_id: str
    company_id: str
    id: str
    standing: Standing
    kept: AnyRow


async def listed(
    db: AsyncConnection,
    company_id: str,
    *,
    since: date | None,
    until: date | None,
    statuses: Sequence[WinStatus],
    now: datetime,
) -> Sequence[WinRow]:
    """The client's wins of a window with any of these statuses, newest first."""
    wanted = [Win.company_id == company_id, _status().in_(statuses)]
    if since is not None:
        wanted.append(Win.won_at >= since)
    if until is not None:
        wanted.append(Win.won_at < until)
    statement = (
        _described()
        .where(*wanted)
        .order_by(Win.won_at.desc(), Win.created_at.desc(), Win.id.desc())
    )
    return [_row(row) for row in await db.execute(statement, {"now": now})]


async def one(db: AsyncConnection, win_id: str, now: datetime) -> WinRow:
    """A win that is there."""
    found = await db.execute(_described().where(Win.id == win_id), {"now": now})
    return _row(found.one())


async def locked(db: AsyncConnection, company_id: str, win_id: str) -> LockedWin:
    """A win of the client, locked until the transaction ends.

    Raises:
        NotFound: the client has no such win.
    """
    found = await db.execute(
        select(Win.__table__)
        .where(Win.id == win_id, Win.company_id == company_id)
        .with_for_update()
    )
    row = found.one_or_none()
    if row is None:
        raise NotFound(_MISSING)
    standing = Standing(status=WinStatus(row.status), snoozed_until=row.snoozed_until)
    return LockedWin(
        tenant_id=row.tenant_id, company_id=company_id, id=win_id, standing=standing, kept=row
    )


async def refuse_unknown(
    db: AsyncConnection,
    company_id: str,
    *,
    project_id: str | None = None,
    linked_goal_id: str | None = None,
) -> None:
    """See to it that what a win shall be linked to is there.

    Raises:
        Unprocessable: the tenant has no such project, or the client no such goal.
    """
    if project_id is not None:
        project = exists().where(Project.id == project_id)
        if not (await db.execute(select(project))).scalar_one():
            raise _unknown("project_id", project_id, "The tenant has no such project.")
    if linked_goal_id is not None:
        goal = exists().where(ClientGoal.id == linked_goal_id, ClientGoal.company_id == company_id)
        if not (await db.execute(select(goal))).scalar_one():
            raise _unknown("linked_goal_id", linked_goal_id, "The client has no such goal.")


async def create(
    db: AsyncConnection,
    *,
    tenant_id: str,
    company_id: str,
    win_id: str,
    values: Mapping[str, Any],
    actor: Actor,
    at: datetime,
) -> WinRow:
    """Record a win of a client."""
    row = {
        **values,
        "id": win_id,
        "tenant_id": tenant_id,
        "company_id": company_id,
        "created_by": actor.id,
        "created_at": at,
        "updated_at": at,
    }
    await db.execute(insert(Win).values(row))
    win = await one(db, win_id, at)
    details = {"source": win.source, "status": win.status}
    event = _event(HistoryKind.WIN_CREATED, win_id, win.title, details)
    await record(
        db, tenant_id=tenant_id, company_id=company_id, actor=actor, occurrences=[event], at=at
    )
    return win


async def change(
    db: AsyncConnection,
    win: LockedWin,
    values: Mapping[str, Any],
    standing: Standing,
    *,
    actor: Actor,
    at: datetime,
) -> None:
    """Give a win that is locked new values and another standing; nothing new leaves it alone."""
    seen = shown(win.standing, at)
    before = {**win.kept._mapping, **_columns(seen)}
    after = {**values, **_columns(standing)}
    changed = sorted(name for name, value in after.items() if value != before[name])
    if not changed:
        return
    await db.execute(update(Win).where(Win.id == win.id).values(**after, updated_at=at))
    event = _event(
        HistoryKind.WIN_UPDATED,
        win.id,
        after.get("title", win.kept.title),
        {"changed": changed, "status": standing.status},
        confirms_win=standing.status is WinStatus.CONFIRMED and "status" in changed,
    )
    await record(
        db,
        tenant_id=win.tenant_id,
        company_id=win.company_id,
        actor=actor,
        occurrences=[event],
        at=at,
    )


async def remove(
    db: AsyncConnection,
    *,
    tenant_id: str,
    company_id: str,
    win_id: str,
    actor: Actor,
    at: datetime,
) -> None:
    """Delete a win of the client; its title stays in the history.

    Raises:
        NotFound: the client has no such win.
    """
    gone = await db.execute(
        delete(Win).where(Win.id == win_id, Win.company_id == company_id).returning(Win.title)
    )
    title = gone.scalar_one_or_none()
    if title is None:
        raise NotFound(_MISSING)
    event = _event(HistoryKind.WIN_DELETED, win_id, title, {})
    await record(
        db, tenant_id=tenant_id, company_id=company_id, actor=actor, occurrences=[event], at=at
    )


def _event(
    kind: HistoryKind,
    win_id: str,
    title: str,
    details: Mapping[str, Any],
    *,
    confirms_win: bool = False,
) -> Occurrence:
    return Occurrence(
        kind=kind,
        details={"win_id": win_id, "title": title, **details},
        confirms_win=confirms_win,
    )


def _columns(standing: Standing) -> dict[str, Any]:
    return {"status": standing.status, "snoozed_until": standing.snoozed_until}


def _unknown(member: str, value: str, why: str) -> Unprocessable:
    return Unprocessable(why, ProblemItem(location=f"body.{member}", message=why, value=value))


def _status() -> Any:
    """The status that is shown, as `rules.wins.shown` has it."""
    is_over = and_(Win.status == WinStatus.SNOOZED, Win.snoozed_until <= bindparam("now"))
    return case((is_over, WinStatus.SUGGESTED.value), else_=Win.status)


@cache
def _described() -> Select[*tuple[Any, ...]]:
    sleeps = Win.snoozed_until > bindparam("now")
    return (
        select(
            Win.id, Win.company_id, Win.title, Win.description, Win.outcome_text, Win.project_id,
            Win.metric_key, Win.metric_delta, Win.metric_delta_unit, Win.won_at,
            Win.linked_goal_id, Win.source, _status().label("status"),
            case((sleeps, Win.snoozed_until)).label("snoozed_until"),
            Win.created_by, Win.created_at, Win.updated_at,
            Project.name.label("project_name"),
            ClientGoal.metric.label("goal_metric"), ClientGoal.target.label("goal_target"),
            ClientGoal.current_value.label("goal_value"), ClientGoal.unit.label("goal_unit"),
        )
        .outerjoin(Project, Project.id == Win.project_id)
        .outerjoin(ClientGoal, ClientGoal.id == Win.linked_goal_id)
    )  # fmt: skip


def _row(row: AnyRow) -> WinRow:
    columns = dict(row._mapping)
    name, metric = columns.pop("project_name"), columns.pop("goal_metric")
    target, value = columns.pop("goal_target"), columns.pop("goal_value")
    unit = columns.pop("goal_unit")
    goal = None
    if row.linked_goal_id is not None:
        goal = WinGoal(
            id=row.linked_goal_id, metric=metric, target=target, current_value=value, unit=unit
        )
    project = WinProject(id=row.project_id, name=name) if row.project_id is not None else None
    return WinRow(**columns, project=project, linked_goal=goal)
