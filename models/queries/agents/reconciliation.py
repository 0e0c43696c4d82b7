"""Records that should have a workflow at work, and what is done when they have none."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models.db.rows import AnyRow
from models.rules.vocabulary import (
    ActivityStatus,
    ApprovalStatus,
    CampaignStatus,
    PrincipalStatus,
    PrincipalType,
    Role,
)
from models.tables.agent_activities import AgentActivity
from models.tables.approvals import Approval
from models.tables.campaigns import Attachment, Campaign
from models.tables.people import Principal
from models.tables.records import IdempotencyKey

AT_WORK = (
    ActivityStatus.ASSIGNED,
    ActivityStatus.IN_PROGRESS,
    ActivityStatus.AWAITING_APPROVAL,
    ActivityStatus.AWAITING_SUBTASK,
    ActivityStatus.AWAITING_REVIEW,
    ActivityStatus.BLOCKED,
    ActivityStatus.REASSIGNED,
)
LIMIT = 2000
"""Records of a kind that one round looks at in one tenant, the longest unchanged first."""


async def activities(db: AsyncConnection, *, before: datetime) -> Sequence[AnyRow]:
    """Activities that have been in a working state since before: id, status, parent, campaign."""
    found = await db.execute(
        select(
            AgentActivity.id,
            AgentActivity.status,
            AgentActivity.parent_id,
            AgentActivity.campaign_id,
        )
        .join(Campaign, Campaign.id == AgentActivity.campaign_id)
        .where(
            AgentActivity.status.in_(AT_WORK),
            AgentActivity.workflow_run_id.is_not(None),
            AgentActivity.updated_on < before,
            Campaign.status != CampaignStatus.ARCHIVED,
        )
        .order_by(AgentActivity.updated_on)
        .limit(LIMIT)
    )
    return found.all()


async def approvals(db: AsyncConnection, *, before: datetime) -> Sequence[AnyRow]:
    """Approvals that were pending already then: id, status, campaign."""
    found = await db.execute(
        select(Approval.id, Approval.status, Approval.campaign_id)
        .where(Approval.status == ApprovalStatus.PENDING, Approval.created_on < before)
        .order_by(Approval.created_on)
        .limit(LIMIT)
    )
    return found.all()


async def decided(db: AsyncConnection, *, since: datetime, before: datetime) -> list[str]:
    """The ids of approvals that people decided in a stretch of time."""
    found = await db.execute(
        select(Approval.id)
        .where(Approval.resolved_at >= since, Approval.resolved_at < before)
        .order_by(Approval.resolved_at)
        .limit(LIMIT)
    )
    return list(found.scalars())


async def campaigns(db: AsyncConnection, *, before: datetime) -> Sequence[AnyRow]:
    """Campaigns that are not put away: id, status, name."""
    found = await db.execute(
        select(Campaign.id, Campaign.status, Campaign.name)
        .where(
            Campaign.status != CampaignStatus.ARCHIVED,
            Campaign.is_system.is_(False),
            Campaign.updated_on < before,
        )
        .order_by(Campaign.updated_on)
        .limit(LIMIT)
    )
    return found.all()


async def pause(db: AsyncConnection, campaign_id: str, at: datetime) -> bool:
    """Pause a campaign that is active; False when it is anything else."""
    paused = await db.execute(
        update(Campaign)
        .where(Campaign.id == campaign_id, Campaign.status == CampaignStatus.ACTIVE)
        .values(status=CampaignStatus.PAUSED, updated_on=at)
    )
    return bool(paused.rowcount)


async def admins(db: AsyncConnection) -> list[str]:
    """The people who are told when a record had to be put right."""
    found = await db.execute(
        select(Principal.id).where(
            Principal.type == PrincipalType.HUMAN,
            Principal.role == Role.ADMIN,
            Principal.status == PrincipalStatus.ACTIVE,
        )
    )
    return list(found.scalars())


async def forget_keys(db: AsyncConnection, *, before: datetime) -> int:
    """Delete idempotency keys that are older than they are good for."""
    gone = await db.execute(delete(IdempotencyKey).where(IdempotencyKey.created_on < before))
    return gone.rowcount


async def forget_attachments(db: AsyncConnection, *, before: datetime) -> int:
    """Delete uploaded files that no campaign has named."""
    gone = await db.execute(
        delete(Attachment).where(Attachment.campaign_id.is_(None), Attachment.created_on < before)
    )
    return gone.rowcount
