"""What the agents' tools read and write."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Integer, Select, bindparam, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from models.rules.plans import OrderedDeliverable
from models.rules.vocabulary import (
    ActivityStatus,
    ActivityType,
    CampaignStatus,
    DeliverableType,
    PrincipalStatus,
    PrincipalType,
    RiskLevel,
)
from models.tables.agent_activities import AgentActivity, Output
from models.tables.campaigns import Campaign, Deliverable
from models.tables.people import Principal


@dataclass(frozen=True, slots=True, kw_only=True)
class NewActivity:
    """An activity that another one gives birth to: a subtask, or a review of it."""

    id: str
    tenant_id: str
    campaign_id: str
    parent_id: str
    reviews_id: str | None
    title: str
    type: ActivityType
    role: str
    assignee_id: str
    prompt: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Locked:
    """What a tool must know of the activity that calls it."""

    title: str
    campaign_status: CampaignStatus
    created_by: str
    """Who made the campaign."""


async def exists(db: AsyncConnection, activity_id: str) -> bool:
    """Tell whether the activity is there already, made by the same call before a crash."""
    found = await db.execute(select(AgentActivity.id).where(AgentActivity.id == activity_id))
    return found.scalar_one_or_none() is not None


async def lock(db: AsyncConnection, activity_id: str) -> Locked:
    """Lock an activity against other calls of its run.

    The lock leaves foreign keys to the row alone, so that the run's own records go on.
    """
    found = await db.execute(
        select(
            AgentActivity.title,
            Campaign.status,
            Campaign.created_by,
        )
        .join(Campaign, Campaign.id == AgentActivity.campaign_id)
        .where(AgentActivity.id == activity_id)
        .with_for_update(of=AgentActivity, key_share=True)
    )
    title, status, created_by = found.one()
    return Locked(title=title, campaign_status=CampaignStatus(status), created_by=created_by)


async def depth(db: AsyncConnection, activity_id: str) -> int:
    """Count how many activities stand above this one: 0 for one that the plan made."""
    above = (
        select(AgentActivity.id, AgentActivity.parent_id)
        .where(AgentActivity.id == activity_id)
        .cte("above", recursive=True)
    )
    parent = select(AgentActivity.id, AgentActivity.parent_id).join(
        above, AgentActivity.id == above.c.parent_id
    )
    counted = select(func.count() - 1).select_from(above.union_all(parent))
    return int((await db.execute(counted)).scalar_one())


async def count_children(db: AsyncConnection, activity_id: str, *, reviews: bool) -> int:
    """Count the reviews, or the subtasks, that an activity has asked for so far."""
    is_review = AgentActivity.reviews_id.is_not(None)
    counted = select(func.count()).where(
        AgentActivity.parent_id == activity_id, is_review if reviews else ~is_review
    )
    return int((await db.execute(counted)).scalar_one())


async def is_active(db: AsyncConnection, principal_id: str, kind: PrincipalType) -> bool:
    """Tell whether this agent or person of the tenant may be given work."""
    found = await db.execute(
        select(Principal.id).where(
            Principal.id == principal_id,
            Principal.type == kind,
            Principal.status == PrincipalStatus.ACTIVE,
        )
    )
    return found.scalar_one_or_none() is not None


async def active_roles(db: AsyncConnection) -> frozenset[str]:
    """The agent roles of the tenant that may be given work."""
    found = await db.execute(
        select(Principal.role).where(
            Principal.type == PrincipalType.AGENT, Principal.status == PrincipalStatus.ACTIVE
        )
    )
    return frozenset(found.scalars())


async def make_activity(db: AsyncConnection, new: NewActivity) -> None:
    """Insert a created activity; doing it again changes nothing."""
    await db.execute(
        insert(AgentActivity)
        .values(
            id=new.id,
            tenant_id=new.tenant_id,
            campaign_id=new.campaign_id,
            parent_id=new.parent_id,
            reviews_id=new.reviews_id,
            title=new.title,
            type=new.type,
            status=ActivityStatus.CREATED,
            agent_role=new.role,
            assignee_id=new.assignee_id,
            input_prompt=new.prompt,
            risk=RiskLevel.LOW,
        )
        .on_conflict_do_nothing()
    )


async def output_page(
    db: AsyncConnection, campaign_id: str, activity_id: str, *, offset: int, length: int
) -> Row[Any] | None:
    """Read a page of an activity's newest output; the text is None where there is none yet."""
    page = {"activity": activity_id, "campaign": campaign_id, "begin": offset + 1, "length": length}
    return (await db.execute(_output_page(), page)).one_or_none()


@cache
def _output_page() -> Select[*tuple[Any, ...]]:
    newest = (
        select(Output.text, Output.format)
        .where(Output.activity_id == AgentActivity.id)
        .order_by(Output.created_on.desc(), Output.id.desc())
        .limit(1)
        .lateral()
    )
    part = func.substr(
        newest.c.text, bindparam("begin", type_=Integer), bindparam("length", type_=Integer)
    )
    return (
        select(
            AgentActivity.title,
            AgentActivity.type,
            AgentActivity.status,
            newest.c.format,
            part.label("text"),
            func.char_length(newest.c.text).label("total"),
        )
        .outerjoin(newest, newest.c.text.is_not(None))
        .where(
            AgentActivity.id == bindparam("activity"),
            AgentActivity.campaign_id == bindparam("campaign"),
        )
    )


async def ordered(db: AsyncConnection, campaign_id: str) -> list[OrderedDeliverable]:
    """What a campaign orders, in the order of its brief."""
    found = await db.execute(
        select(Deliverable.id, Deliverable.type, Deliverable.quantity)
        .where(Deliverable.campaign_id == campaign_id)
        .order_by(Deliverable.position)
    )
    return [
        OrderedDeliverable(id=row.id, type=DeliverableType(row.type), quantity=row.quantity)
        for row in found
    ]


async def store_plan(db: AsyncConnection, campaign_id: str, plan: Sequence[dict[str, Any]]) -> bool:
    """Store the plan of a draft; False when the campaign is no draft, which keeps its plan."""
    stored = await db.execute(
        update(Campaign)
        .where(Campaign.id == campaign_id, Campaign.status == CampaignStatus.DRAFT)
        .values(plan=list(plan), updated_on=func.clock_timestamp())
        .returning(Campaign.id)
    )
    return stored.scalar_one_or_none() is not None


async def planned(db: AsyncConnection, campaign_id: str) -> Any:
    """The stored plan as it is, None where there is none."""
    found = await db.execute(select(Campaign.plan).where(Campaign.id == campaign_id))
    return found.scalar_one()


async def store_verdict(
    db: AsyncConnection, activity_id: str, *, agrees: bool, feedback: str
) -> bool:
    """Store what a reviewing activity found; False when it reviews nothing."""
    stored = await db.execute(
        update(AgentActivity)
        .where(AgentActivity.id == activity_id, AgentActivity.reviews_id.is_not(None))
        .values(verdict={"agrees": agrees, "feedback": feedback}, updated_on=func.clock_timestamp())
        .returning(AgentActivity.id)
    )
    return stored.scalar_one_or_none() is not None
