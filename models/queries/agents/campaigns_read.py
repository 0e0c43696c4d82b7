"""Reading campaigns: the list with its counts, one in full, and what a command must know first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any, NamedTuple

from sqlalchemy import (
    BindParameter,
    Date,
    Select,
    SQLColumnExpression,
    and_,
    bindparam,
    case,
    func,
    not_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.selectable import FromClause, Subquery

from models.db.prepared import Prepared
from models.queries.walks import Position, bounds, merged
from models.rules.periods import Period
from models.rules.vocabulary import ActivityStatus, ApprovalStatus, CampaignStatus
from models.tables.agent_activities import AgentActivity
from models.tables.agent_runs import LedgerEntry
from models.tables.approvals import Approval
from models.tables.campaigns import (
    Campaign,
    Channel,
    Deliverable,
    DeliverablePeriod,
)
from models.tables.people import Principal

Statement = Select[*tuple[Any, ...]]

AT_WORK = (
    ActivityStatus.IN_PROGRESS, ActivityStatus.AWAITING_APPROVAL,
    ActivityStatus.AWAITING_SUBTASK, ActivityStatus.AWAITING_REVIEW,
)  # fmt: skip
TO_COME = (
    ActivityStatus.CREATED, ActivityStatus.ASSIGNED,
    ActivityStatus.REASSIGNED, ActivityStatus.BLOCKED,
)  # fmt: skip


class CampaignRow(NamedTuple):
    """A campaign as lists show it; failed activities count in `activities` alone."""

    id: str
    name: str
    status: str
    budget_cap_usd: Decimal | None
    spent_usd: Decimal
    deliverables: int
    activities: int
    at_work: int
    to_come: int
    done: int
    pending_approvals: int
    created_by_name: str
    created_on: datetime
    start_date: date | None
    end_date: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignInFull:
    """One campaign without its lists."""

    id: str
    name: str
    status: str
    brief: str
    budget_cap_usd: Decimal | None
    spent_usd: Decimal
    start_date: date | None
    end_date: date | None
    created_by_id: str
    created_by_name: str
    created_on: datetime
    pending_approvals: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderedRow:
    """A deliverable with the channels it targets and the period that is running, if one is."""

    id: str
    type: str
    quantity: int
    channels: Sequence[Mapping[str, str]]
    current: Period | None
    target: int
    completed: int
    at_work: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleCost:
    """What an agent role has cost."""

    agent_role: str
    cost_usd: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a campaign stands, for a route to refuse what the record already tells."""

    id: str
    name: str
    status: CampaignStatus
    is_system: bool


async def page(
    db: AsyncConnection,
    *,
    statuses: Sequence[str],
    limit: int,
    ascending: bool = False,
    after: Position | None = None,
) -> Sequence[CampaignRow]:
    """A page of the tenant's campaigns; without statuses all that are not archived."""
    distinct = tuple(dict.fromkeys(statuses))
    bound = {f"value_{number}": status for number, status in enumerate(distinct)}
    statement = _page(len(distinct), ascending, after is not None)
    return await statement.fetch(db, {**bound, **bounds(limit, after)})


async def summary(db: AsyncConnection, campaign_id: str) -> CampaignRow | None:
    """One campaign as lists show it."""
    return next(iter(await _summary().fetch(db, {"campaign_id": campaign_id})), None)


async def in_full(db: AsyncConnection, campaign_id: str) -> CampaignInFull | None:
    """One campaign, archived or not, with the number of approvals that wait."""
    row = (await db.execute(_in_full(), {"campaign_id": campaign_id})).one_or_none()
    return CampaignInFull(**row._mapping) if row else None


async def standing(db: AsyncConnection, campaign_id: str) -> Standing | None:
    """Where a campaign stands."""
    found = await db.execute(
        select(Campaign.id, Campaign.name, Campaign.status, Campaign.is_system).where(
            Campaign.id == campaign_id
        )
    )
    row = found.one_or_none()
    if row is None:
        return None
    return Standing(
        id=row.id, name=row.name, status=CampaignStatus(row.status), is_system=row.is_system
    )


async def ordered(db: AsyncConnection, campaign_id: str, today: date) -> Sequence[OrderedRow]:
    """The campaign's deliverables in the order of the brief, with the period of today."""
    found = await db.execute(_ordered(), {"campaign_id": campaign_id, "today": today})
    return [
        OrderedRow(
            id=row.id,
            type=row.type,
            quantity=row.quantity,
            channels=row.channels,
            current=_period(row),
            target=row.target or 0,
            completed=row.completed,
            at_work=row.at_work,
        )
        for row in found
    ]


def _period(row: Row[Any]) -> Period | None:
    if row.number is None:
        return None
    return Period(number=row.number, start=row.period_start, end=row.period_end)


def period_progress(period_id: SQLColumnExpression[Any]) -> FromClause:
    """Lateral counts of a period's activities: `completed` and `at_work`."""
    return (
        select(
            func.count(case((AgentActivity.status == ActivityStatus.DONE, 1))).label("completed"),
            func.count(case((AgentActivity.status.in_(AT_WORK), 1))).label("at_work"),
        )
        .where(AgentActivity.period_id == period_id)
        .lateral("progress")
    )


async def cost_by_role(db: AsyncConnection, campaign_id: str) -> Sequence[RoleCost]:
    """What each agent has cost over the campaign's whole life, highest first."""
    cost = func.sum(LedgerEntry.cost_usd).label("cost_usd")
    found = await db.execute(
        select(LedgerEntry.agent_role, cost)
        .where(LedgerEntry.campaign_id == campaign_id)
        .group_by(LedgerEntry.agent_role)
        .order_by(cost.desc(), LedgerEntry.agent_role)
    )
    return [RoleCost(**row._mapping) for row in found]


@lru_cache(maxsize=64)
def _page(statuses: int, ascending: bool, goes_on: bool) -> Prepared[CampaignRow]:
    listed = select(*Campaign.__table__.c).where(not_(Campaign.is_system))
    walks = [
        listed.where(Campaign.status == bindparam(f"value_{number}")) for number in range(statuses)
    ]
    # Written out, not bound: a partial index serves only a condition that the planner can read.
    archived: BindParameter[str] = bindparam(
        None, CampaignStatus.ARCHIVED.value, literal_execute=True
    )
    order = (Campaign.created_on, Campaign.id)
    found = merged(
        walks or [listed.where(Campaign.status != archived)],
        order,
        goes_on=goes_on,
        ascending=ascending,
    )
    shown = (found.c.created_on, found.c.id)
    described = _described(found).order_by(
        *(shown if ascending else [column.desc() for column in shown])
    )
    return Prepared(described, CampaignRow)


@cache
def _summary() -> Prepared[CampaignRow]:
    is_it = Campaign.id == bindparam("campaign_id")
    one = select(*Campaign.__table__.c).where(is_it).subquery("page")
    return Prepared(_described(one), CampaignRow)


@cache
def _in_full() -> Statement:
    pending = _pending(Campaign.id)
    return (
        select(
            Campaign.id, Campaign.name, Campaign.status, Campaign.brief, Campaign.budget_cap_usd,
            Campaign.spent_usd, Campaign.start_date, Campaign.end_date,
            Principal.id.label("created_by_id"), Principal.name.label("created_by_name"),
            Campaign.created_on, pending.c.pending_approvals,
        )
        .join(Principal, Principal.id == Campaign.created_by)
        .join(pending, true())
        .where(Campaign.id == bindparam("campaign_id"))
    )  # fmt: skip


@cache
def _ordered() -> Statement:
    place = func.array_position(Deliverable.channel_ids, Channel.id)
    channel = func.jsonb_build_object("id", Channel.id, "name", Channel.name, "type", Channel.type)
    listed = func.jsonb_agg(aggregate_order_by(channel, place))
    channels = (
        select(func.coalesce(listed, func.jsonb_build_array()).label("channels"))
        .where(Channel.id == func.any(Deliverable.channel_ids))
        .lateral("channels")
    )
    progress = period_progress(DeliverablePeriod.id)
    is_current = and_(
        DeliverablePeriod.deliverable_id == Deliverable.id,
        DeliverablePeriod.period_start <= bindparam("today", type_=Date),
        DeliverablePeriod.period_end >= bindparam("today", type_=Date),
    )
    return (
        select(
            Deliverable.id, Deliverable.type, Deliverable.quantity, channels.c.channels,
            DeliverablePeriod.period_start, DeliverablePeriod.period_end,
            DeliverablePeriod.target, DeliverablePeriod.number,
            progress.c.completed, progress.c.at_work,
        )
        .select_from(Deliverable)
        .join(channels, true())
        .outerjoin(DeliverablePeriod, is_current)
        .join(progress, true())
        .where(Deliverable.campaign_id == bindparam("campaign_id"))
        .order_by(Deliverable.position)
    )  # fmt: skip


def _pending(campaign_id: SQLColumnExpression[Any]) -> FromClause:
    return (
        select(func.count().label("pending_approvals"))
        .where(Approval.campaign_id == campaign_id, Approval.status == ApprovalStatus.PENDING)
        .lateral("pending")
    )


def _described(found: Subquery) -> Statement:
    c = found.c
    status = AgentActivity.status
    activities = (
        select(
            func.count().label("activities"),
            func.count(case((status.in_(AT_WORK), 1))).label("at_work"),
            func.count(case((status.in_(TO_COME), 1))).label("to_come"),
            func.count(case((status == ActivityStatus.DONE, 1))).label("done"),
        )
        .where(AgentActivity.campaign_id == c.id)
        .lateral("activities")
    )
    deliverables = (
        select(func.count().label("deliverables"))
        .where(Deliverable.campaign_id == c.id)
        .lateral("deliverables")
    )
    pending = _pending(c.id)
    return (
        select(
            c.id, c.name, c.status, c.budget_cap_usd, c.spent_usd, deliverables.c.deliverables,
            activities.c.activities, activities.c.at_work, activities.c.to_come,
            activities.c.done, pending.c.pending_approvals,
            Principal.name.label("created_by_name"), c.created_on, c.start_date, c.end_date,
        )
        .join(Principal, Principal.id == c.created_by)
        .join(activities, true())
        .join(deliverables, true())
        .join(pending, true())
    )  # fmt: skip
