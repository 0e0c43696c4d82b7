"""Campaigns, what they order, and the periods in which it is due."""

from datetime import date
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from models.tables.base import Base, Created, Money, TenantRow


class Campaign(TenantRow, Base):
    """A campaign and its purse.

    `spent_usd` is settled, `reserved_usd` is set aside for turns under way within the cap; what
    an approved budget authorization lets run beyond the cap is reserved in `beyond_cap_usd`.
    `alerted_90_cap`, `alerted_100_cap` and `asked_cap` hold the cap for which an alert was sent or
    an authorization was asked, so that each happens once for each value of the cap.
    """

    __tablename__ = "campaign"
    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    status: Mapped[str]
    brief: Mapped[str]
    budget_cap_usd: Mapped[Money | None]
    spent_usd: Mapped[Money] = mapped_column(server_default="0")
    reserved_usd: Mapped[Money] = mapped_column(server_default="0")
    beyond_cap_usd: Mapped[Money] = mapped_column(server_default="0")
    alerted_90_cap: Mapped[Money | None]
    alerted_100_cap: Mapped[Money | None]
    asked_cap: Mapped[Money | None]
    start_date: Mapped[date | None]
    end_date: Mapped[date | None]
    anchor_date: Mapped[date | None]
    """The day from which months are counted: startDate, or the day of activation."""
    plan: Mapped[list[dict[str, Any]] | None] = mapped_column(JSONB)
    is_system: Mapped[bool] = mapped_column(server_default=text("false"))
    created_by: Mapped[str] = mapped_column(ForeignKey("principal.id"))
    created_on: Mapped[Created]
    updated_on: Mapped[Created]

    __table_args__ = (
        CheckConstraint(
            "status in ('draft', 'active', 'paused', 'completed', 'archived')", name="status"
        ),
        CheckConstraint("spent_usd >= 0 and reserved_usd >= 0", name="purse"),
        Index(
            "ix_campaign_listed", "tenant_id", "created_on", "id",
            postgresql_where="not is_system and status <> 'archived'",
        ),
        Index("ix_campaign_by_status", "tenant_id", "status", "created_on", "id"),
        Index(
            "uq_campaign_system", "tenant_id", unique=True, postgresql_where="is_system",
        ),
    )  # fmt: skip


class Deliverable(TenantRow, Base):
    """One thing a campaign orders, `quantity` of it in each period."""

    __tablename__ = "deliverable"
    id: Mapped[str] = mapped_column(primary_key=True)
    campaign_id: Mapped[str] = mapped_column(ForeignKey("campaign.id"))
    position: Mapped[int]
    type: Mapped[str]
    quantity: Mapped[int]
    channel_ids: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    template_id: Mapped[str | None]

    __table_args__ = (UniqueConstraint("campaign_id", "position"),)


class DeliverablePeriod(TenantRow, Base):
    """One month of one deliverable; both dates are inclusive."""

    __tablename__ = "deliverable_period"
    id: Mapped[str] = mapped_column(primary_key=True)
    campaign_id: Mapped[str] = mapped_column(ForeignKey("campaign.id"))
    deliverable_id: Mapped[str] = mapped_column(ForeignKey("deliverable.id"))
    number: Mapped[int]
    period_start: Mapped[date]
    period_end: Mapped[date]
    target: Mapped[int]

    __table_args__ = (
        UniqueConstraint("deliverable_id", "number"),
        Index("ix_deliverable_period_campaign", "campaign_id", "number"),
    )


class Channel(TenantRow, Base):
    """A place where work can go out; the channels area will fill in its connection."""

    __tablename__ = "channel"
    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    type: Mapped[str]
    created_on: Mapped[Created]


class ActivityTemplate(TenantRow, Base):
    """A tenant's own instructions for a deliverable, in place of the planner's."""

    __tablename__ = "activity_template"
    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    type: Mapped[str]
    prompt: Mapped[str]
    created_on: Mapped[Created]


class Attachment(TenantRow, Base):
    """An uploaded brand or brief file; one that no campaign names is deleted after a day."""

    __tablename__ = "attachment"
    id: Mapped[str] = mapped_column(primary_key=True)
    campaign_id: Mapped[str | None] = mapped_column(ForeignKey("campaign.id"))
    file_name: Mapped[str]
    mime_type: Mapped[str]
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    content: Mapped[bytes] = mapped_column(LargeBinary)
    created_by: Mapped[str] = mapped_column(ForeignKey("principal.id"))
    created_on: Mapped[Created]

    __table_args__ = (
        Index("ix_attachment_campaign", "tenant_id", "campaign_id"),
        Index("ix_attachment_orphans", "created_on", postgresql_where="campaign_id is null"),
    )
