"""What is agreed with a client and reviewed with it: QBRs, goals, wins, the success profile.

Source: clients/qbrs.yaml, clients/goals.yaml, clients/wins.yaml and clients/success_profile.yaml.
`held_on` is date on the wire. Numbers of goals and wins are in the metric's own unit and are kept
as they were sent.
"""

from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, Numeric, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base, Created, Moment, TenantRow


class Qbr(TenantRow, Base):
    """A quarterly business review: planned or prepared, recorded afterwards, or presented."""

    __tablename__ = "qbr"
    id: Mapped[str] = mapped_column(primary_key=True)
    company_id: Mapped[str] = mapped_column(ForeignKey("client.company_id"))
    held_on: Mapped[date]
    status: Mapped[str]
    attendees: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    summary: Mapped[str | None]
    outcomes: Mapped[str | None]
    next_qbr_date: Mapped[date | None]
    granola_meeting_id: Mapped[str | None]
    content: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    source_data: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    portal_visibility: Mapped[dict[str, Any]] = mapped_column(JSONB)
    presented_at: Mapped[Moment | None]
    presented_by: Mapped[str | None] = mapped_column(ForeignKey("principal.id"))
    created_by: Mapped[str | None] = mapped_column(ForeignKey("principal.id"))
    created_at: Mapped[Created]
    updated_at: Mapped[Created]

    __table_args__ = (
        CheckConstraint("status in ('draft', 'recorded', 'presented')", name="status"),
        CheckConstraint("(status = 'presented') = (presented_at is not null)", name="presented"),
        Index("ix_qbr_listed", "company_id", "held_on", "created_at", "id"),
    )


class ClientGoal(TenantRow, Base):
    """A target for one metric of a client; `achieved_at` is when it was first reached."""

    __tablename__ = "client_goal"
    id: Mapped[str] = mapped_column(primary_key=True)
    company_id: Mapped[str] = mapped_column(ForeignKey("client.company_id"))
    metric: Mapped[str]
    target: Mapped[Decimal] = mapped_column(Numeric)
    baseline: Mapped[Decimal | None] = mapped_column(Numeric)
    current_value: Mapped[Decimal | None] = mapped_column(Numeric)
    unit: Mapped[str | None]
    period: Mapped[str]
    achieved_at: Mapped[Moment | None]
    created_by: Mapped[str | None] = mapped_column(ForeignKey("principal.id"))
    created_at: Mapped[Created]
    updated_at: Mapped[Created]

    __table_args__ = (
        CheckConstraint("period in ('week', 'month', 'quarter', 'year')", name="period"),
        Index("ix_client_goal_listed", "company_id", "created_at", "id"),
        Index("ix_client_goal_metric", "company_id", "metric", "created_at"),
    )


class Win(TenantRow, Base):
    """Something that went well for a client, noticed by a person or suggested to one."""

    __tablename__ = "win"
    id: Mapped[str] = mapped_column(primary_key=True)
    company_id: Mapped[str] = mapped_column(ForeignKey("client.company_id"))
    title: Mapped[str]
    description: Mapped[str | None]
    outcome_text: Mapped[str | None]
    project_id: Mapped[str | None] = mapped_column(ForeignKey("project.id"))
    metric_key: Mapped[str | None]
    metric_delta: Mapped[Decimal | None] = mapped_column(Numeric)
    metric_delta_unit: Mapped[str | None]
    won_at: Mapped[date]
    linked_goal_id: Mapped[str | None] = mapped_column(ForeignKey("client_goal.id"))
    source: Mapped[str]
    status: Mapped[str]
    snoozed_until: Mapped[Moment | None]
    created_by: Mapped[str | None] = mapped_column(ForeignKey("principal.id"))
    created_at: Mapped[Created]
    updated_at: Mapped[Created]

    __table_args__ = (
        CheckConstraint("source in ('manual', 'goal', 'ai', 'meeting')", name="source"),
        CheckConstraint(
            "status in ('suggested', 'confirmed', 'snoozed', 'dismissed')", name="status"
        ),
        CheckConstraint("(status = 'snoozed') = (snoozed_until is not null)", name="snoozed"),
        Index("ix_win_listed", "company_id", "won_at", "created_at", "id"),
    )


class SuccessProfile(TenantRow, Base):
    """A client's answers to the success questionnaire; days of the year are MM-DD.

    `completed_at` is when it was first complete. Whether it is now is told from the answers.
    """

    __tablename__ = "success_profile"
    id: Mapped[str] = mapped_column(primary_key=True)
    company_id: Mapped[str] = mapped_column(ForeignKey("client.company_id"))
    financial_year_start: Mapped[str | None]
    financial_year_end: Mapped[str | None]
    key_trading_periods: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default="[]")
    channel_online_pct: Mapped[Decimal | None] = mapped_column(Numeric)
    channel_instore_pct: Mapped[Decimal | None] = mapped_column(Numeric)
    channel_wholesale_pct: Mapped[Decimal | None] = mapped_column(Numeric)
    celebration_vision: Mapped[str | None]
    growth_priorities_text: Mapped[str | None]
    company_direction_text: Mapped[str | None]
    completed_at: Mapped[Moment | None]
    created_at: Mapped[Created]
    updated_at: Mapped[Created]

    __table_args__ = (
        UniqueConstraint("company_id"),
        CheckConstraint(
            "coalesce(channel_online_pct, 0) + coalesce(channel_instore_pct, 0)"
            " + coalesce(channel_wholesale_pct, 0) <= 100",
            name="channels",
        ),
    )
