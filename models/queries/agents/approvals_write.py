"""How approvals are asked, decided, closed and reopened in the record."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from models.contracts.approvals import CloseApproval, Opened, ResolveApproval
from models.db.rows import AnyRow
from models.queries.records import events
from models.rules.moments import iso
from models.rules.vocabulary import (
    ActivityStatus,
    ApprovalStatus,
    ApprovalType,
    EventKind,
    Resolution,
    RiskLevel,
    WakeReason,
)
from models.tables.agent_activities import AgentActivity
from models.tables.approvals import Approval, ApprovalActivity


async def ask(
    db: AsyncConnection,
    *,
    tenant_id: str,
    approval_id: str,
    campaign_id: str,
    activity_ids: Sequence[str],
    kind: ApprovalType,
    risk: RiskLevel,
    title: str,
    description: str | None,
    options: Sequence[str] | None,
    content_hash: str | None,
    cost_so_far: Decimal,
    created_by: str,
    at: datetime,
    expires_at: datetime,
    reopens_id: str | None = None,
) -> bool:
    """Insert a pending approval with its links and its event; False when it is there already."""
    inserted = await db.execute(
        upsert(Approval)
        .values(
            id=approval_id,
            tenant_id=tenant_id,
            campaign_id=campaign_id,
            title=title,
            type=kind,
            risk_level=risk,
            status=ApprovalStatus.PENDING,
            description=description,
            options=list(options) if options else None,
            content_hash=content_hash,
            cost_so_far_usd=cost_so_far,
            created_by=created_by,
            created_on=at,
            expires_at=expires_at,
            reopens_id=reopens_id,
        )
        .on_conflict_do_nothing()
    )
    if not inserted.rowcount:
        return False
    await link(db, tenant_id, approval_id, activity_ids)
    payload = {"approvalId": approval_id, "type": kind, "riskLevel": risk, "title": title}
    await events.publish(db, tenant_id, EventKind.APPROVAL_CREATED, payload)
    return True


async def link(
    db: AsyncConnection, tenant_id: str, approval_id: str, activity_ids: Sequence[str]
) -> None:
    """Let an approval decide about activities."""
    rows = [
        {"tenant_id": tenant_id, "approval_id": approval_id, "activity_id": activity_id}
        for activity_id in activity_ids
    ]
    if rows:
        await db.execute(upsert(ApprovalActivity).on_conflict_do_nothing(), rows)


async def locked(db: AsyncConnection, approval_id: str) -> AnyRow | None:
    """The approval's row, locked until the transaction ends."""
    found = await db.execute(
        select(Approval.__table__).where(Approval.id == approval_id).with_for_update()
    )
    return found.one_or_none()


async def waiting_activities(db: AsyncConnection, approval_id: str) -> list[str]:
    """The linked activities that this approval still holds up, oldest first."""
    held = (ActivityStatus.AWAITING_APPROVAL, ActivityStatus.BLOCKED)
    found = await db.execute(
        select(AgentActivity.id)
        .join(ApprovalActivity, ApprovalActivity.activity_id == AgentActivity.id)
        .where(
            ApprovalActivity.approval_id == approval_id,
            AgentActivity.approval_id == approval_id,
            AgentActivity.status.in_(held),
            AgentActivity.wake_reason.is_distinct_from(WakeReason.CAMPAIGN_ARCHIVED),
        )
        .order_by(AgentActivity.id)
    )
    return list(found.scalars())


async def remind(db: AsyncConnection, tenant_id: str, approval_id: str, hours_left: int) -> bool:
    """Announce once that a pending approval will expire; False when it was, or it has ended."""
    earlier = Approval.reminded_hours_left
    found = await db.execute(
        update(Approval)
        .where(
            Approval.id == approval_id,
            Approval.status == ApprovalStatus.PENDING,
            or_(earlier.is_(None), earlier > hours_left),
        )
        .values(reminded_hours_left=hours_left)
        .returning(Approval.expires_at)
    )
    row = found.one_or_none()
    if row is None:
        return False
    payload = {
        "approvalId": approval_id,
        "expiresAt": iso(row.expires_at),
        "hoursLeft": hours_left,
    }
    await events.publish(db, tenant_id, EventKind.APPROVAL_EXPIRING, payload)
    return True


async def decide(
    db: AsyncConnection, approval_id: str, decision: ResolveApproval, at: datetime
) -> None:
    """Write what an admin decided."""
    approved = decision.resolution is Resolution.APPROVED
    await db.execute(
        update(Approval)
        .where(Approval.id == approval_id)
        .values(
            status=ApprovalStatus.APPROVED if approved else ApprovalStatus.REJECTED,
            resolution=decision.resolution,
            resolved_at=at,
            resolved_by=decision.actor.id,
            resolution_note=decision.note,
            decision_id=decision.id,
            selected_option=decision.selected_option,
        )
    )


async def close(
    db: AsyncConnection, approval_id: str, closing: CloseApproval, at: datetime
) -> None:
    """Write that an approval ended without a decision: expired, or approved by raising the cap."""
    raised = closing.wake_reason is WakeReason.BUDGET_RAISED
    values: dict[str, Any] = {"status": ApprovalStatus.EXPIRED}
    if raised:
        values = {
            "status": ApprovalStatus.APPROVED,
            "resolution": Resolution.APPROVED,
            "resolved_at": at,
            "resolved_by": closing.actor.id if closing.actor else None,
            "resolution_note": "The campaign's cap was raised or lifted.",
        }
    await db.execute(update(Approval).where(Approval.id == approval_id).values(**values))


async def allow_beyond_cap(db: AsyncConnection, activity_ids: Sequence[str]) -> None:
    """Let activities run beyond their campaign's cap: an authorization was approved."""
    await db.execute(
        update(AgentActivity).where(AgentActivity.id.in_(activity_ids)).values(beyond_cap=True)
    )


async def pending_of_campaign(db: AsyncConnection, campaign_id: str) -> list[str]:
    """The ids of a campaign's pending approvals."""
    found = await db.execute(
        select(Approval.id).where(
            Approval.campaign_id == campaign_id, Approval.status == ApprovalStatus.PENDING
        )
    )
    return list(found.scalars())


async def pending_authorization(db: AsyncConnection, campaign_id: str) -> str | None:
    """The campaign's pending budget authorization, locked against a decision, if one is open."""
    found = await db.execute(
        select(Approval.id)
        .where(
            Approval.campaign_id == campaign_id,
            Approval.type == ApprovalType.BUDGET_AUTHORIZATION,
            Approval.status == ApprovalStatus.PENDING,
        )
        .order_by(Approval.created_on.desc())
        .limit(1)
        .with_for_update()
    )
    return found.scalar_one_or_none()


async def reopened(db: AsyncConnection, old_id: str, new_id: str) -> Opened | None:
    """What reopening made, when it was done before."""
    found = await db.execute(
        select(Approval.title, Approval.expires_at, Approval.options).where(
            Approval.id == new_id, Approval.reopens_id == old_id
        )
    )
    row = found.one_or_none()
    if row is None:
        return None
    return Opened(
        title=row.title,
        expires_at=row.expires_at,
        options=tuple(row.options or ()),
        activity_ids=tuple(await waiting_activities(db, new_id)),
    )
