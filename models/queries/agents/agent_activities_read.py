"""Reading agent activities: lists by any filter of the contract, one in full, its output.

A list walks the one index that holds what its filter leads with, newest first, and stops after a
page. Several values of a status or wake reason are walked one by one and merged, since no single
walk of an index gives them in the order of the list.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Select, Text, bindparam, case, func, select, true
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import aliased
from sqlalchemy.sql.selectable import FromClause, Subquery

from models.db.prepared import Prepared
from models.queries.walks import LIMIT, Position, among, bounds, merged
from models.rules.vocabulary import ActivityStatus, CampaignStatus, PrincipalType, RunStatus
from models.tables.agent_activities import AgentActivity, Output
from models.tables.agent_runs import AgentRun
from models.tables.approvals import Approval
from models.tables.campaigns import Campaign, Deliverable
from models.tables.people import Principal

Statement = Select[*tuple[Any, ...]]

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

    def leading(self) -> tuple[str | None, tuple[str, ...]]:
        """The column whose values are walked one by one, and those values."""
        if self.statuses:
            return "status", tuple(dict.fromkeys(self.statuses))
        if self.wake_reasons:
            return "wake_reason", tuple(dict.fromkeys(self.wake_reasons))
        return None, ()


class ActivityRow(NamedTuple):
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
    leading, values = wanted.leading()
    shape = _Shape(
        leading=leading,
        walks=len(values),
        narrowed_by_reason=leading == "status" and bool(wanted.wake_reasons),
        of_role=wanted.agent_role is not None,
        of_campaign=wanted.campaign_id is not None,
        of_deliverable=wanted.deliverable_id is not None,
        goes_on=after is not None,
    )
    bound = {
        "agent_role": wanted.agent_role,
        "campaign_id": wanted.campaign_id,
        "deliverable_id": wanted.deliverable_id,
        "wake_reasons": list(wanted.wake_reasons),
    } | {f"value_{number}": value for number, value in enumerate(values)}
    return await _page(shape).fetch(db, {**bound, **bounds(limit, after)})


async def changed_last(
    db: AsyncConnection, campaign_id: str, *, limit: int
) -> Sequence[ActivityRow]:
    """The campaign's activities that changed last, newest change first."""
    return await _changed_last().fetch(db, {"campaign_id": campaign_id, "limit": limit})


async def subtasks(db: AsyncConnection, activity_id: str) -> Sequence[ActivityRow]:
    """What the activity has handed out, oldest first."""
    return await _subtasks().fetch(db, {"activity_id": activity_id})


async def summary(db: AsyncConnection, activity_id: str) -> ActivityRow | None:
    """One activity as lists show it."""
    return next(iter(await _summary().fetch(db, {"activity_id": activity_id})), None)


async def in_full(db: AsyncConnection, activity_id: str) -> ActivityInFull | None:
    """One activity with its assignee, campaign, deliverable, approval and newest output."""
    row = (await db.execute(_in_full(), {"activity_id": activity_id})).one_or_none()
    return ActivityInFull(**row._mapping) if row else None


async def standing(db: AsyncConnection, activity_id: str) -> Standing | None:
    """Where an activity, its assignee and its campaign stand."""
    found = await db.execute(_standing(), {"activity_id": activity_id})
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
    found = await db.execute(_ended_runs(), {"activity_id": activity_id})
    return [RunRow(**{**row._mapping, "duration_ms": int(row.duration_ms)}) for row in found]


async def output(db: AsyncConnection, activity_id: str) -> OutputRow | None:
    """The newest output, also one that still waits for an approval or a review."""
    row = (await db.execute(_output(), {"activity_id": activity_id})).one_or_none()
    return OutputRow(**row._mapping) if row else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shape:
    """What a list's statement depends on, besides the values that it is bound to."""

    leading: str | None
    walks: int
    narrowed_by_reason: bool
    of_role: bool
    of_campaign: bool
    of_deliverable: bool
    goes_on: bool


@lru_cache(maxsize=512)
def _page(shape: _Shape) -> Prepared[ActivityRow]:
    listed = select(*_COLUMNS)
    if shape.of_deliverable:
        listed = listed.where(AgentActivity.deliverable_id == bindparam("deliverable_id"))
    if shape.of_campaign:
        listed = listed.where(AgentActivity.campaign_id == bindparam("campaign_id"))
    if shape.of_role:
        listed = listed.where(AgentActivity.agent_role == bindparam("agent_role"))
    if shape.narrowed_by_reason:
        listed = listed.where(among(AgentActivity.wake_reason, "wake_reasons"))
    walks = [listed]
    if shape.leading is not None:
        column = AgentActivity.__table__.c[shape.leading]
        values = [bindparam(f"value_{number}", type_=Text) for number in range(shape.walks)]
        walks = [listed.where(column == value) for value in values]
    order = (AgentActivity.created_on, AgentActivity.id)
    found = merged(walks, order, goes_on=shape.goes_on)
    return Prepared(
        _described(found).order_by(found.c.created_on.desc(), found.c.id.desc()), ActivityRow
    )


@cache
def _changed_last() -> Prepared[ActivityRow]:
    found = (
        select(*_COLUMNS)
        .where(AgentActivity.campaign_id == bindparam("campaign_id"))
        .order_by(AgentActivity.updated_on.desc())
        .limit(LIMIT)
        .subquery("page")
    )
    return Prepared(
        _described(found).order_by(found.c.updated_on.desc(), found.c.id.desc()), ActivityRow
    )


@cache
def _subtasks() -> Prepared[ActivityRow]:
    of_parent = AgentActivity.parent_id == bindparam("activity_id")
    found = select(*_COLUMNS).where(of_parent).subquery("page")
    return Prepared(_described(found).order_by(found.c.created_on, found.c.id), ActivityRow)


@cache
def _summary() -> Prepared[ActivityRow]:
    is_it = AgentActivity.id == bindparam("activity_id")
    return Prepared(_described(select(*_COLUMNS).where(is_it).subquery("page")), ActivityRow)


@cache
def _standing() -> Statement:
    return (
        select(
            AgentActivity.title, AgentActivity.status, AgentActivity.agent_role,
            AgentActivity.assignee_id, Principal.type.label("assignee_type"),
            AgentActivity.campaign_id, Campaign.status.label("campaign_status"),
        )
        .join(Principal, Principal.id == AgentActivity.assignee_id)
        .join(Campaign, Campaign.id == AgentActivity.campaign_id)
        .where(AgentActivity.id == bindparam("activity_id"))
    )  # fmt: skip


@cache
def _in_full() -> Statement:
    newest = newest_output()
    return (
        select(
            AgentActivity.id, AgentActivity.title, AgentActivity.type, AgentActivity.status,
            AgentActivity.agent_role, AgentActivity.assignee_id,
            Principal.name.label("assignee_name"), Principal.type.label("assignee_type"),
            AgentActivity.campaign_id, Campaign.name.label("campaign_name"),
            AgentActivity.deliverable_id, Deliverable.type.label("deliverable_type"),
            AgentActivity.approval_id, Approval.type.label("approval_type"),
            Approval.status.label("approval_status"), AgentActivity.input_prompt,
            newest.c.output_id, newest.c.output_preview,
            AgentActivity.created_on, AgentActivity.updated_on,
        )
        .join(Principal, Principal.id == AgentActivity.assignee_id)
        .join(Campaign, Campaign.id == AgentActivity.campaign_id)
        .outerjoin(Deliverable, Deliverable.id == AgentActivity.deliverable_id)
        .outerjoin(Approval, Approval.id == AgentActivity.approval_id)
        .outerjoin(newest, true())
        .where(AgentActivity.id == bindparam("activity_id"))
    )  # fmt: skip


def newest_output() -> FromClause:
    """Lateral to an activity: `output_id` and `output_preview` of its newest output."""
    preview = func.left(Output.text, PREVIEW)
    return (
        select(Output.id.label("output_id"), preview.label("output_preview"))
        .where(Output.activity_id == AgentActivity.id)
        .order_by(Output.created_on.desc())
        .limit(1)
        .lateral("newest")
    )


@cache
def _ended_runs() -> Statement:
    lasted = func.extract("epoch", AgentRun.ended_at - AgentRun.started_at) * 1000
    return (
        select(
            AgentRun.id, AgentRun.status, AgentRun.model, AgentRun.input_tokens,
            AgentRun.output_tokens, AgentRun.cost_usd, AgentRun.started_at, AgentRun.error,
            func.coalesce(lasted, 0).label("duration_ms"),
            case((AgentRun.status != RunStatus.TIMEOUT, AgentRun.ended_at)).label("ended_at"),
        )
        .where(
            AgentRun.activity_id == bindparam("activity_id"), AgentRun.status != RunStatus.RUNNING
        )
        .order_by(AgentRun.number.desc())
    )  # fmt: skip


@cache
def _output() -> Statement:
    return (
        select(Output.activity_id, Output.text, Output.format, Output.created_on)
        .where(Output.activity_id == bindparam("activity_id"))
        .order_by(Output.created_on.desc())
        .limit(1)
    )


def _described(found: Subquery) -> Statement:
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
