"""Reading agent activities: lists by any filter of the contract, one in full, its output.

A list walks the one index that holds what its filter leads with, newest first, and stops after a
page. Several values of a status or wake reason are walked one by one and merged, since no single
walk of an index gives them in the order of the list.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, select, true
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import aliased
from sqlalchemy.sql.selectable import Subquery

from models.queries.walks import Position, merged
from models.rules.vocabulary import ActivityStatus, CampaignStatus, PrincipalType, RunStatus
from models.tables.agent_activities import AgentActivity, Output
from models.tables.agent_runs import AgentRun
from models.tables.approvals import Approval
from models.tables.campaigns import Campaign, Deliverable
from models.tables.people import Principal

PREVIEW = 500
"""Characters of an output that a preview shows."""

_COLUMNS = (
    AgentActivity.id, AgentActivity.title, AgentActivity.type, AgentActivity.status,
    AgentActivity.agent_role, AgentActivity.assignee_id, AgentActivity.campaign_id,
    AgentActivity.deliverable_id, AgentActivity.approval_id, AgentActivity.wake_reason,
    AgentActivity.started_at, AgentActivity.completed_at, AgentActivity.spent_usd,
    AgentActivity.created_on, AgentActivity.updated_on,
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which activities a list is of; all that is given must match, an empty tuple is no filter."""

    statuses: tuple[str, ...] = ()
    wake_reasons: tuple[str, ...] = ()
    agent_role: str | None = None
    campaign_id: str | None = None
    deliverable_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityRow:
    """An activity as lists show it."""

    id: str
    title: str
    type: str
    status: str
    agent_role: str | None
    assignee_name: str
    campaign_id: str
    campaign_name: str
    deliverable_id: str | None
    approval_id: str | None
    wake_reason: str | None
    started_at: datetime | None
    completed_at: datetime | None
    cost_usd: Decimal
    created_on: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityInFull:
    """One activity with whom and what it belongs to; `output_*` is its newest output."""

    id: str
    title: str
    type: str
    status: str
    agent_role: str | None
    assignee_id: str
    assignee_name: str
    assignee_type: str
    campaign_id: str
    campaign_name: str
    deliverable_id: str | None
    deliverable_type: str | None
    approval_id: str | None
    approval_type: str | None
    approval_status: str | None
    input_prompt: str
    output_id: str | None
    output_preview: str | None
    created_on: datetime
    updated_on: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where an activity stands, for a route to refuse what the record already tells."""

    title: str
    status: ActivityStatus
    agent_role: str | None
    assignee_id: str
    assignee_type: PrincipalType
    campaign_id: str
    campaign_status: CampaignStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """A run that has ended; `ended_at` is None where the time-out cut it off."""

    id: str
    status: str
    model: str
    input_tokens: int
    output_tokens: int
    cost_usd: Decimal
    duration_ms: int
    started_at: datetime
    ended_at: datetime | None
    error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputRow:
    """The whole of an output."""

    activity_id: str
    text: str
    format: str
    created_on: datetime


async def page(
    db: AsyncConnection, wanted: Wanted, *, limit: int, after: Position | None = None
) -> Sequence[ActivityRow]:
    """The newest activities that match, at most `limit`, from just behind `after`."""
    walks = [select(*_COLUMNS).where(matches) for matches in _alternatives(wanted)]
    order = (AgentActivity.created_on, AgentActivity.id)
    found = merged(walks, order, limit=limit, after=after)
    newest = _described(found).order_by(found.c.created_on.desc(), found.c.id.desc())
    return await _rows(db, newest)


async def changed_last(
    db: AsyncConnection, campaign_id: str, *, limit: int
) -> Sequence[ActivityRow]:
    """The campaign's activities that changed last, newest change first."""
    found = (
        select(*_COLUMNS)
        .where(AgentActivity.campaign_id == campaign_id)
        .order_by(AgentActivity.updated_on.desc())
        .limit(limit)
        .subquery("a")
    )
    return await _rows(db, _described(found).order_by(found.c.updated_on.desc(), found.c.id.desc()))


async def subtasks(db: AsyncConnection, activity_id: str) -> Sequence[ActivityRow]:
    """What the activity has handed out, oldest first."""
    found = select(*_COLUMNS).where(AgentActivity.parent_id == activity_id).subquery("a")
    return await _rows(db, _described(found).order_by(found.c.created_on, found.c.id))


async def summary(db: AsyncConnection, activity_id: str) -> ActivityRow | None:
    """One activity as lists show it."""
    found = select(*_COLUMNS).where(AgentActivity.id == activity_id).subquery("a")
    return next(iter(await _rows(db, _described(found))), None)


async def in_full(db: AsyncConnection, activity_id: str) -> ActivityInFull | None:
    """One activity with its assignee, campaign, deliverable, approval and newest output."""
    newest = (
        select(Output.id, func.left(Output.text, PREVIEW).label("preview"))
        .where(Output.activity_id == AgentActivity.id)
        .order_by(Output.created_on.desc())
        .limit(1)
        .lateral("newest")
    )
    statement = (
        select(
            AgentActivity.id, AgentActivity.title, AgentActivity.type, AgentActivity.status,
            AgentActivity.agent_role, AgentActivity.assignee_id,
            Principal.name.label("assignee_name"), Principal.type.label("assignee_type"),
            AgentActivity.campaign_id, Campaign.name.label("campaign_name"),
            AgentActivity.deliverable_id, Deliverable.type.label("deliverable_type"),
            AgentActivity.approval_id, Approval.type.label("approval_type"),
            Approval.status.label("approval_status"), AgentActivity.input_prompt,
            newest.c.id.label("output_id"), newest.c.preview.label("output_preview"),
            AgentActivity.created_on, AgentActivity.updated_on,
        )
        .join(Principal, Principal.id == AgentActivity.assignee_id)
        .join(Campaign, Campaign.id == AgentActivity.campaign_id)
        .outerjoin(Deliverable, Deliverable.id == AgentActivity.deliverable_id)
        .outerjoin(Approval, Approval.id == AgentActivity.approval_id)
        .outerjoin(newest, true())
        .where(AgentActivity.id == activity_id)
    )  # fmt: skip
    row = (await db.execute(statement)).one_or_none()
    return ActivityInFull(**row._mapping) if row else None


async def standing(db: AsyncConnection, activity_id: str) -> Standing | None:
    """Where an activity, its assignee and its campaign stand."""
    found = await db.execute(
        select(
            AgentActivity.title, AgentActivity.status, AgentActivity.agent_role,
            AgentActivity.assignee_id, Principal.type.label("assignee_type"),
            AgentActivity.campaign_id, Campaign.status.label("campaign_status"),
        )
        .join(Principal, Principal.id == AgentActivity.assignee_id)
        .join(Campaign, Campaign.id == AgentActivity.campaign_id)
        .where(AgentActivity.id == activity_id)
    )  # fmt: skip
    row = found.one_or_none()
    if row is None:
        return None
    return Standing(
        title=row.title,
        status=ActivityStatus(row.status),
        agent_role=row.agent_role,
        assignee_id=row.assignee_id,
        assignee_type=PrincipalType(row.assignee_type),
        campaign_id=row.campaign_id,
        campaign_status=CampaignStatus(row.campaign_status),
    )


async def exists(db: AsyncConnection, activity_id: str) -> bool:
    """Tell whether the tenant has this activity."""
    found = await db.execute(select(AgentActivity.id).where(AgentActivity.id == activity_id))
    return found.one_or_none() is not None


async def ended_runs(db: AsyncConnection, activity_id: str) -> Sequence[RunRow]:
    """The runs that have ended, newest first."""
    lasted = func.extract("epoch", AgentRun.ended_at - AgentRun.started_at) * 1000
    found = await db.execute(
        select(
            AgentRun.id, AgentRun.status, AgentRun.model, AgentRun.input_tokens,
            AgentRun.output_tokens, AgentRun.cost_usd, AgentRun.started_at, AgentRun.error,
            func.coalesce(lasted, 0).label("duration_ms"),
            case((AgentRun.status != RunStatus.TIMEOUT, AgentRun.ended_at)).label("ended_at"),
        )
        .where(AgentRun.activity_id == activity_id, AgentRun.status != RunStatus.RUNNING)
        .order_by(AgentRun.number.desc())
    )  # fmt: skip
    return [RunRow(**{**row._mapping, "duration_ms": int(row.duration_ms)}) for row in found]


async def output(db: AsyncConnection, activity_id: str) -> OutputRow | None:
    """The newest output, also one that still waits for an approval or a review."""
    found = await db.execute(
        select(Output.activity_id, Output.text, Output.format, Output.created_on)
        .where(Output.activity_id == activity_id)
        .order_by(Output.created_on.desc())
        .limit(1)
    )
    row = found.one_or_none()
    return OutputRow(**row._mapping) if row else None


def _alternatives(wanted: Wanted) -> list[ColumnElement[bool]]:
    """One condition for each index walk; together they match what is wanted, none twice."""
    where = [
        column == value
        for column, value in (
            (AgentActivity.deliverable_id, wanted.deliverable_id),
            (AgentActivity.campaign_id, wanted.campaign_id),
            (AgentActivity.agent_role, wanted.agent_role),
        )
        if value is not None
    ]
    several = [
        (column, tuple(dict.fromkeys(values)))
        for column, values in (
            (AgentActivity.status, wanted.statuses),
            (AgentActivity.wake_reason, wanted.wake_reasons),
        )
        if values
    ]
    if not several:
        return [and_(true(), *where)]
    (leading, values), *others = several
    where += [column.in_(rest) for column, rest in others]
    return [and_(leading == value, *where) for value in values]


def _described(found: Subquery) -> Select[*tuple[Any, ...]]:
    assignee, campaign = aliased(Principal), aliased(Campaign)
    a = found.c
    return (
        select(
            a.id, a.title, a.type, a.status, a.agent_role, assignee.name.label("assignee_name"),
            a.campaign_id, campaign.name.label("campaign_name"), a.deliverable_id, a.approval_id,
            a.wake_reason, a.started_at, a.completed_at, a.spent_usd.label("cost_usd"),
            a.created_on,
        )
        .join(assignee, assignee.id == a.assignee_id)
        .join(campaign, campaign.id == a.campaign_id)
    )  # fmt: skip


async def _rows(db: AsyncConnection, statement: Select[*tuple[Any, ...]]) -> Sequence[ActivityRow]:
    return [ActivityRow(**row._mapping) for row in await db.execute(statement)]
