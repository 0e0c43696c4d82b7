"""Reading approvals: the queue, one for review, and the counts of the home screen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, lru_cache
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, bindparam, func, select, true
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import aliased
from sqlalchemy.sql.selectable import FromClause, Subquery

from models.db.prepared import Prepared
from models.queries.agents.agent_activities_read import newest_output
from models.queries.walks import Position, among, bounds, merged
from models.rules.vocabulary import ApprovalStatus, CampaignStatus, RiskLevel
from models.tables.agent_activities import AgentActivity
from models.tables.approvals import Approval, ApprovalActivity
from models.tables.campaigns import Campaign
from models.tables.people import Principal

Statement = Select[*tuple[Any, ...]]


class ApprovalRow(NamedTuple):
    """An approval with the activities that wait for it, each as {id, title, status}."""

    id: str
    title: str
    type: str
    risk_level: str
    status: str
    description: str | None
    options: Sequence[str] | None
    linked: Sequence[Mapping[str, str]]
    created_by_id: str
    created_by_name: str
    created_by_type: str
    created_on: datetime
    expires_at: datetime
    resolved_at: datetime | None
    resolved_by_id: str | None
    resolved_by_name: str | None
    resolution: str | None
    resolution_note: str | None
    selected_option: str | None
    decision_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedOutput:
    """An activity that an approval decides about, with its newest output if it has one."""

    id: str
    title: str
    status: str
    output_id: str | None
    output_preview: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where an approval stands, for a route to refuse what the record already tells."""

    id: str
    campaign_id: str
    campaign_status: CampaignStatus
    status: ApprovalStatus
    resolved_by: str | None
    options: Sequence[str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """How long the queue is, and how much of it people have worked off."""

    pending: int
    high_risk: int
    expiring: int
    resolved: int


async def page(
    db: AsyncConnection,
    *,
    statuses: Sequence[str],
    types: Sequence[str] = (),
    risk_levels: Sequence[str] = (),
    limit: int,
    after: Position | None = None,
) -> Sequence[ApprovalRow]:
    """The newest approvals of these statuses, at most `limit`, from just behind `after`."""
    distinct = tuple(dict.fromkeys(statuses))
    bound = {f"value_{number}": status for number, status in enumerate(distinct)}
    statement = _page(len(distinct), bool(types), bool(risk_levels), after is not None)
    narrower = {"types": list(types), "risk_levels": list(risk_levels)}
    return await statement.fetch(db, {**bound, **narrower, **bounds(limit, after)})


async def one(db: AsyncConnection, approval_id: str) -> ApprovalRow | None:
    """One approval."""
    return next(iter(await _one().fetch(db, {"approval_id": approval_id})), None)


async def linked_outputs(db: AsyncConnection, approval_id: str) -> Sequence[LinkedOutput]:
    """What an approval decides about, with the beginning of each newest output."""
    found = await db.execute(_linked_outputs(), {"approval_id": approval_id})
    return [LinkedOutput(**row._mapping) for row in found]


async def standing(db: AsyncConnection, approval_id: str) -> Standing | None:
    """Where an approval and its campaign stand."""
    found = await db.execute(_standing(), {"approval_id": approval_id})
    row = found.one_or_none()
    if row is None:
        return None
    return Standing(
        id=row.id,
        campaign_id=row.campaign_id,
        campaign_status=CampaignStatus(row.campaign_status),
        status=ApprovalStatus(row.status),
        resolved_by=row.resolved_by,
        options=row.options,
    )


async def queue(db: AsyncConnection, now: datetime) -> Queue:
    """Count what waits, and what people have resolved since Monday (UTC); expiry is no person."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    monday = midnight - timedelta(days=midnight.weekday())
    waiting = (
        select(
            func.count().label("pending"),
            func.count().filter(Approval.risk_level == RiskLevel.HIGH).label("high_risk"),
            func.count().filter(Approval.expires_at <= now + timedelta(days=1)).label("expiring"),
        )
        .where(Approval.status == ApprovalStatus.PENDING)
        .subquery("waiting")
    )
    resolved = (
        select(func.count().label("resolved"))
        .where(Approval.resolved_at >= monday, Approval.resolution.is_not(None))
        .subquery("resolved")
    )
    row = (await db.execute(select(waiting, resolved).join(resolved, true()))).one()
    return Queue(**row._mapping)


@lru_cache(maxsize=64)
def _page(statuses: int, of_types: bool, of_risks: bool, goes_on: bool) -> Prepared[ApprovalRow]:
    listed = select(*Approval.__table__.c)
    if of_types:
        listed = listed.where(among(Approval.type, "types"))
    if of_risks:
        listed = listed.where(among(Approval.risk_level, "risk_levels"))
    walks = [
        listed.where(Approval.status == bindparam(f"value_{number}")) for number in range(statuses)
    ]
    found = merged(walks, (Approval.created_on, Approval.id), goes_on=goes_on)
    newest_first = _described(found).order_by(found.c.created_on.desc(), found.c.id.desc())
    return Prepared(newest_first, ApprovalRow)


@cache
def _one() -> Prepared[ApprovalRow]:
    is_it = Approval.id == bindparam("approval_id")
    one = select(*Approval.__table__.c).where(is_it).subquery("page")
    return Prepared(_described(one), ApprovalRow)


@cache
def _linked_outputs() -> Statement:
    newest = newest_output()
    return (
        select(
            AgentActivity.id, AgentActivity.title, AgentActivity.status,
            newest.c.output_id, newest.c.output_preview,
        )
        .join(ApprovalActivity, ApprovalActivity.activity_id == AgentActivity.id)
        .outerjoin(newest, true())
        .where(ApprovalActivity.approval_id == bindparam("approval_id"))
        .order_by(AgentActivity.created_on, AgentActivity.id)
    )  # fmt: skip


@cache
def _standing() -> Statement:
    return (
        select(
            Approval.id, Approval.campaign_id, Approval.status, Approval.options,
            Approval.resolved_by, Campaign.status.label("campaign_status"),
        )
        .join(Campaign, Campaign.id == Approval.campaign_id)
        .where(Approval.id == bindparam("approval_id"))
    )  # fmt: skip


def _linked(approval_id: ColumnElement[Any]) -> FromClause:
    activity = func.jsonb_build_object(
        "id", AgentActivity.id, "title", AgentActivity.title, "status", AgentActivity.status
    )
    in_order = aggregate_order_by(activity, AgentActivity.created_on, AgentActivity.id)
    return (
        select(func.coalesce(func.jsonb_agg(in_order), func.jsonb_build_array()).label("linked"))
        .select_from(ApprovalActivity)
        .join(AgentActivity, AgentActivity.id == ApprovalActivity.activity_id)
        .where(ApprovalActivity.approval_id == approval_id)
        .lateral("linked")
    )


def _described(found: Subquery) -> Statement:
    p = found.c
    author, decider = aliased(Principal), aliased(Principal)
    linked = _linked(p.id)
    return (
        select(
            p.id, p.title, p.type, p.risk_level, p.status, p.description, p.options,
            linked.c.linked, author.id.label("created_by_id"),
            author.name.label("created_by_name"), author.type.label("created_by_type"),
            p.created_on, p.expires_at, p.resolved_at, decider.id.label("resolved_by_id"),
            decider.name.label("resolved_by_name"), p.resolution, p.resolution_note,
            p.selected_option, p.decision_id,
        )
        .join(author, author.id == p.created_by)
        .outerjoin(decider, decider.id == p.resolved_by)
        .join(linked, true())
    )  # fmt: skip
