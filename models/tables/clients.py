"""Clients: the profiles of companies, what is kept beside them, and their history.

Source: clients/clients.yaml and clients/common.yaml, schema Client and rules.history. What is
computed when it is read (is_qbr_overdue, is_score_stale) has no column.
"""

from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Computed,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Numeric,
    SmallInteger,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base, Created, Moment, Score, TenantRow

# Whatever the list filters by is in each index that it is sorted by: rows that do not match, and
# the count of those that do, are found without a look at the table.
_FILTERED = ["status", "tier", "assigned_dm_id", "health_score"]


class Client(TenantRow, Base):
    """A company that has been promoted; one row a company.

    `name_key` is the company's and follows it. `tier_revenue_score` is the computed score, also
    where `tier_revenue_override` stands in its place.
    """

    __tablename__ = "client"
    id: Mapped[str] = mapped_column(primary_key=True)
    company_id: Mapped[str]
    name_key: Mapped[str] = mapped_column(Text(collation="C"))
    status: Mapped[str]
    assigned_dm_id: Mapped[str | None] = mapped_column(ForeignKey("principal.id"))
    tier: Mapped[str | None]
    tier_rank: Mapped[int] = mapped_column(
        SmallInteger,
        Computed(
            "case tier when 'platinum' then 1 when 'core' then 2 when 'standard' then 3"
            " when 'review' then 4 else 5 end",
            persisted=True,
        ),
    )
    tier_track: Mapped[str | None]
    tier_score: Mapped[Score | None]
    tier_revenue_score: Mapped[int | None] = mapped_column(SmallInteger)
    tier_profitability_score: Mapped[Score | None]
    tier_strategic_score: Mapped[Score | None]
    tier_relationship_score: Mapped[Score | None]
    tier_growth_score: Mapped[Score | None]
    tier_adoption_score: Mapped[Score | None]
    tier_revenue_override: Mapped[Score | None]
    tier_override_reason: Mapped[str | None]
    tier_scored_at: Mapped[Moment | None]
    """When a person scored it last; the recalculation leaves it alone."""
    tier_scored_by: Mapped[str | None] = mapped_column(ForeignKey("principal.id"))
    health_score: Mapped[Decimal | None] = mapped_column(Numeric(5, 2))
    health_scored_at: Mapped[Moment | None]
    last_qbr_date: Mapped[date | None]
    next_qbr_date: Mapped[date | None]
    onboarding_started_at: Mapped[Moment | None]
    onboarding_completed_at: Mapped[Moment | None]
    offboarding_started_at: Mapped[Moment | None]
    offboarding_completed_at: Mapped[Moment | None]
    created_at: Mapped[Created]
    updated_at: Mapped[Created]

    __table_args__ = (
        ForeignKeyConstraint(
            ["company_id", "name_key"], ["company.id", "company.name_key"], onupdate="CASCADE"
        ),
        UniqueConstraint("company_id"),
        CheckConstraint("status in ('prospect', 'active', 'dormant', 'alumni')", name="status"),
        CheckConstraint("tier in ('platinum', 'core', 'standard', 'review')", name="tier"),
        CheckConstraint("tier_track in ('delivery', 'product')", name="tier_track"),
        CheckConstraint("health_score between 0 and 100", name="health_score"),
        CheckConstraint(
            "(tier_revenue_override is null) = (tier_override_reason is null)", name="override"
        ),
        Index(
            "ix_client_by_health", "tenant_id", "health_score", "name_key", "company_id",
            postgresql_include=["status", "tier", "assigned_dm_id"],
        ),
        Index(
            "ix_client_by_name", "tenant_id", "name_key", "company_id",
            postgresql_include=_FILTERED,
        ),
        Index(
            "ix_client_by_tier", "tenant_id", "tier_rank", "name_key", "company_id",
            postgresql_include=_FILTERED,
        ),
        Index(
            "ix_client_by_last_qbr",
            "tenant_id", text("last_qbr_date nulls first"), "name_key", "company_id",
            postgresql_include=_FILTERED,
        ),
        Index(
            "ix_client_by_dm", "tenant_id", "assigned_dm_id", "health_score", "name_key",
            "company_id",
            postgresql_include=["status", "tier"],
            postgresql_where="assigned_dm_id is not null",
        ),
        Index(
            "ix_client_active", "tenant_id", "company_id",
            postgresql_include=[
                "health_score", "next_qbr_date", "last_qbr_date", "tier", "tier_track",
            ],
            postgresql_where="status = 'active'",
        ),
    )  # fmt: skip


class ClientSummary(TenantRow, Base):
    """The summary that a model wrote last, and of what input, so that it can be used again."""

    __tablename__ = "client_summary"
    company_id: Mapped[str] = mapped_column(ForeignKey("client.company_id"), primary_key=True)
    text: Mapped[str]
    model: Mapped[str]
    prompt_version: Mapped[str]
    input_hash: Mapped[str]
    generated_at: Mapped[Moment]


class AdoptionWeek(TenantRow, Base):
    """A week, named by its Monday (UTC), in which the client showed that it uses the service."""

    __tablename__ = "adoption_week"
    company_id: Mapped[str] = mapped_column(ForeignKey("client.company_id"), primary_key=True)
    week: Mapped[date] = mapped_column(primary_key=True)

    __table_args__ = (CheckConstraint("extract(isodow from week) = 1", name="monday"),)


class HistoryEvent(TenantRow, Base):
    """What happened to a resource, written in the transaction of the change; never altered.

    Of clients `resource_type` is client and `resource_id` the company's id. `details` is metadata
    on the wire; without an actor the system did it.
    """

    __tablename__ = "history_event"
    id: Mapped[str] = mapped_column(primary_key=True)
    resource_type: Mapped[str]
    resource_id: Mapped[str]
    event_type: Mapped[str]
    field: Mapped[str | None]
    old_value: Mapped[Any | None] = mapped_column(JSONB(none_as_null=True))
    new_value: Mapped[Any | None] = mapped_column(JSONB(none_as_null=True))
    details: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    actor_id: Mapped[str | None] = mapped_column(ForeignKey("principal.id"))
    created_at: Mapped[Created]

    __table_args__ = (
        Index(
            "ix_history_event_listed",
            "tenant_id", "resource_type", "resource_id", "created_at", "id",
        ),
    )  # fmt: skip
