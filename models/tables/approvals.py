"""Approvals: questions to a person on which activities wait."""

from datetime import datetime

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base, Created, Money, TenantRow


class Approval(TenantRow, Base):
    """A typed question with an expiry; `content_hash` is what exactly would be approved."""

    __tablename__ = "approval"
    id: Mapped[str] = mapped_column(primary_key=True)
    campaign_id: Mapped[str] = mapped_column(ForeignKey("campaign.id"))
    title: Mapped[str]
    type: Mapped[str]
    risk_level: Mapped[str]
    status: Mapped[str]
    description: Mapped[str | None]
    options: Mapped[list[str] | None] = mapped_column(JSONB)
    content_hash: Mapped[str | None]
    cost_so_far_usd: Mapped[Money] = mapped_column(server_default="0")
    reopens_id: Mapped[str | None]
    created_by: Mapped[str] = mapped_column(ForeignKey("principal.id"))
    created_on: Mapped[Created]
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    reminded_hours_left: Mapped[int | None]
    """The hours left that the last reminder announced."""
    resolved_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    resolved_by: Mapped[str | None] = mapped_column(ForeignKey("principal.id"))
    resolution: Mapped[str | None]
    resolution_note: Mapped[str | None]
    decision_id: Mapped[str | None]
    """The `id` of the `ResolveApproval` that counted."""
    selected_option: Mapped[str | None]

    __table_args__ = (
        CheckConstraint("status in ('pending', 'approved', 'rejected', 'expired')", name="status"),
        Index("ix_approval_status", "tenant_id", "status", "created_on", "id"),
        Index("ix_approval_resolved", "tenant_id", "resolved_at"),
        Index("ix_approval_campaign", "campaign_id", "status"),
    )


class ApprovalActivity(TenantRow, Base):
    """An activity that an approval decides about."""

    __tablename__ = "approval_activity"
    approval_id: Mapped[str] = mapped_column(ForeignKey("approval.id"), primary_key=True)
    activity_id: Mapped[str] = mapped_column(ForeignKey("agent_activity.id"), primary_key=True)

    __table_args__ = (Index("ix_approval_activity_activity", "activity_id"),)
