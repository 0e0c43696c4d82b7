"""Agent activities, their outputs, comments and dependencies."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base, Created, Money, TenantRow

STATUSES = (
    "created, assigned, in_progress, awaiting_approval, awaiting_subtask, awaiting_review, "
    "blocked, done, reassigned, failed"
)


class AgentActivity(TenantRow, Base):
    """One unit of work by one principal.

    `spent_usd` is what its runs cost. `beyond_cap` is set by an approved budget authorization.
    `generation` grows with each change of state, so that a late projection cannot undo a newer
    one. `workflow_run_id` is the Temporal run that last wrote here.
    """

    __tablename__ = "agent_activity"
    id: Mapped[str] = mapped_column(primary_key=True)
    campaign_id: Mapped[str] = mapped_column(ForeignKey("campaign.id"))
    deliverable_id: Mapped[str | None] = mapped_column(ForeignKey("deliverable.id"))
    period_id: Mapped[str | None] = mapped_column(ForeignKey("deliverable_period.id"))
    parent_id: Mapped[str | None] = mapped_column(ForeignKey("agent_activity.id"))
    reviews_id: Mapped[str | None] = mapped_column(ForeignKey("agent_activity.id"))
    title: Mapped[str]
    type: Mapped[str]
    status: Mapped[str]
    wake_reason: Mapped[str | None]
    agent_role: Mapped[str | None]
    assignee_id: Mapped[str] = mapped_column(ForeignKey("principal.id"))
    input_prompt: Mapped[str]
    risk: Mapped[str] = mapped_column(server_default="low")
    approval_id: Mapped[str | None]
    output_id: Mapped[str | None]
    verdict: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    """What a reviewing activity found: {agrees, feedback}."""
    spent_usd: Mapped[Money] = mapped_column(server_default="0")
    reserved_usd: Mapped[Money] = mapped_column(server_default="0")
    beyond_cap: Mapped[bool] = mapped_column(server_default=text("false"))
    auto_retries: Mapped[int] = mapped_column(server_default="0")
    last_error: Mapped[str | None]
    last_error_message: Mapped[str | None]
    generation: Mapped[int] = mapped_column(server_default="0")
    workflow_run_id: Mapped[str | None]
    started_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    completed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    created_on: Mapped[Created]
    updated_on: Mapped[Created]

    __table_args__ = (
        CheckConstraint(
            "status in ("
            + ", ".join(f"'{status}'" for status in STATUSES.split(", "))
            + ")",
            name="status",
        ),
        Index("ix_agent_activity_listed", "tenant_id", "created_on", "id"),
        Index("ix_agent_activity_status", "tenant_id", "status", "created_on", "id"),
        Index("ix_agent_activity_role", "tenant_id", "agent_role", "created_on", "id"),
        Index(
            "ix_agent_activity_role_status",
            "tenant_id", "agent_role", "status", "created_on", "id",
        ),
        Index("ix_agent_activity_wake", "tenant_id", "wake_reason", "created_on", "id"),
        # tenant_id leads so that counting, which row security makes look at it, stays in the index.
        Index(
            "ix_agent_activity_campaign", "tenant_id", "campaign_id", "status", "created_on", "id",
        ),
        Index("ix_agent_activity_campaign_changed", "campaign_id", "updated_on"),
        Index("ix_agent_activity_campaign_listed", "campaign_id", "created_on", "id"),
        Index("ix_agent_activity_deliverable", "deliverable_id", "created_on", "id"),
        Index("ix_agent_activity_period", "tenant_id", "period_id", "status"),
        Index("ix_agent_activity_parent", "parent_id", postgresql_where="parent_id is not null"),
    )  # fmt: skip


class ActivityDependency(TenantRow, Base):
    """`activity_id` waits until `needs_id` is done."""

    __tablename__ = "activity_dependency"
    activity_id: Mapped[str] = mapped_column(ForeignKey("agent_activity.id"), primary_key=True)
    needs_id: Mapped[str] = mapped_column(ForeignKey("agent_activity.id"), primary_key=True)

    __table_args__ = (Index("ix_activity_dependency_needs", "needs_id"),)


class Output(TenantRow, Base):
    """A stored output; an approval approves its `content_hash` (SHA-256 of the text)."""

    __tablename__ = "output"
    id: Mapped[str] = mapped_column(primary_key=True)
    activity_id: Mapped[str] = mapped_column(ForeignKey("agent_activity.id"))
    run_id: Mapped[str | None]
    text: Mapped[str]
    format: Mapped[str]
    content_hash: Mapped[str]
    created_on: Mapped[Created]

    __table_args__ = (Index("ix_output_activity", "activity_id", "created_on"),)


class Comment(TenantRow, Base):
    """A remark on an activity; an intervention note is read by the agent at its next turn."""

    __tablename__ = "comment"
    id: Mapped[str] = mapped_column(primary_key=True)
    activity_id: Mapped[str] = mapped_column(ForeignKey("agent_activity.id"))
    author_id: Mapped[str] = mapped_column(ForeignKey("principal.id"))
    type: Mapped[str]
    text: Mapped[str]
    mentions: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    read_in_run: Mapped[str | None]
    """The run whose transcript took the comment in; null until then."""
    created_on: Mapped[Created]

    __table_args__ = (Index("ix_comment_activity", "activity_id", "created_on", "id"),)
