"""What a tenant has spent in a range of days, by agent, model, campaign or deliverable type."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Date, Select, SQLColumnExpression, case, cast, func, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from models.rules.vocabulary import CampaignStatus, PrincipalType
from models.tables.agent_activities import AgentActivity
from models.tables.agent_runs import LedgerEntry
from models.tables.campaigns import Campaign, Deliverable
from models.tables.people import Principal

CLIENTS: Final = "Clients"
"""What texts about clients are called where costs are cut by what campaigns deliver."""


class GroupBy(StrEnum):
    """By what a breakdown is cut."""

    AGENT = "agent"
    MODEL = "model"
    CAMPAIGN = "campaign"
    DELIVERABLE_TYPE = "deliverable_type"


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """One part of a breakdown."""

    label: str
    cost_usd: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Spend:
    """What was spent: the parts, highest first, and the days on which anything was."""

    slices: Sequence[Slice]
    days: dict[date, Decimal]


async def between(db: AsyncConnection, start: date, end: date, group_by: GroupBy) -> Spend:
    """Sum the ledger over days, both inclusive and cut in UTC, once by part and once by day."""
    entries = _labelled(start, end, group_by).subquery("entry")
    cost = func.sum(entries.c.cost_usd).label("cost_usd")
    is_day = func.grouping(entries.c.day) == 0
    sets = func.grouping_sets(tuple_(entries.c.part, entries.c.label), tuple_(entries.c.day))
    found = await db.execute(
        select(entries.c.label, entries.c.day, is_day.label("is_day"), cost)
        .group_by(sets)
        .order_by(cost.desc(), entries.c.label)
    )
    rows = found.all()
    return Spend(
        slices=[Slice(label=row.label, cost_usd=row.cost_usd) for row in rows if not row.is_day],
        days={row.day: row.cost_usd for row in rows if row.is_day},
    )


async def cap_between(db: AsyncConnection, start: date, end: date) -> Decimal | None:
    """The caps of the campaigns that run in the range and are not archived, None without any."""
    found = await db.execute(
        select(func.sum(Campaign.budget_cap_usd)).where(
            Campaign.status.in_(
                (CampaignStatus.ACTIVE, CampaignStatus.PAUSED, CampaignStatus.COMPLETED)
            ),
            Campaign.anchor_date <= end,
            or_(Campaign.end_date.is_(None), Campaign.end_date >= start),
        )
    )
    return found.scalar_one()


def _labelled(start: date, end: date, group_by: GroupBy) -> Select[*tuple[Any, ...]]:
    day = cast(func.timezone("UTC", LedgerEntry.created_on), Date).label("day")
    part, label = _part(group_by)
    entries: Select[*tuple[Any, ...]] = select(
        LedgerEntry.cost_usd, day, part.label("part"), label.label("label")
    ).where(
        LedgerEntry.created_on >= datetime.combine(start, time(), UTC),
        LedgerEntry.created_on < datetime.combine(end + timedelta(days=1), time(), UTC),
    )
    match group_by:
        case GroupBy.AGENT:
            is_agent = (Principal.role == LedgerEntry.agent_role) & (
                Principal.type == PrincipalType.AGENT
            )
            return entries.outerjoin(Principal, is_agent)
        case GroupBy.MODEL:
            return entries
        case GroupBy.CAMPAIGN:
            return entries.outerjoin(Campaign, Campaign.id == LedgerEntry.campaign_id)
        case GroupBy.DELIVERABLE_TYPE:
            return entries.outerjoin(
                AgentActivity, AgentActivity.id == LedgerEntry.activity_id
            ).outerjoin(Deliverable, Deliverable.id == AgentActivity.deliverable_id)


def _part(group_by: GroupBy) -> tuple[SQLColumnExpression[str], SQLColumnExpression[str]]:
    """What is summed together, and what it is called."""
    match group_by:
        case GroupBy.AGENT:
            said = func.initcap(func.replace(LedgerEntry.agent_role, "_", " "))
            name = func.coalesce(Principal.name, said)
            return LedgerEntry.agent_role, name
        case GroupBy.MODEL:
            return LedgerEntry.model, LedgerEntry.model
        case GroupBy.CAMPAIGN:
            return func.coalesce(Campaign.id, ""), func.coalesce(Campaign.name, CLIENTS)
        case GroupBy.DELIVERABLE_TYPE:
            other = case((LedgerEntry.campaign_id.is_(None), CLIENTS), else_="other")
            kind = func.coalesce(Deliverable.type, other)
            return kind, kind
