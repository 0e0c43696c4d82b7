"""Scores of clients over time: every scoring of a tier, every health score. Rows never change.

Source: clients/tier_scores.yaml, schema TierHistoryEntry, and clients/health.yaml, schema
HealthScore. Scores are 1 to 5 and 0 to 100, each to 2 places.
"""

from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKey, Index, Numeric, SmallInteger, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base, Created, Moment, Score, TenantRow


class TierScoring(TenantRow, Base):
    """One scoring of a client, by a person (manual) or by the recalculation (auto)."""

    __tablename__ = "tier_scoring"
    id: Mapped[str] = mapped_column(primary_key=True)
    company_id: Mapped[str] = mapped_column(ForeignKey("client.company_id"))
    scored_at: Mapped[Moment]
    tier_track: Mapped[str]
    tier: Mapped[str]
    previous_tier: Mapped[str | None]
    tier_score: Mapped[Score]
    revenue_score: Mapped[int] = mapped_column(SmallInteger)
    revenue_override: Mapped[Score | None]
    override_reason: Mapped[str | None]
    profitability_score: Mapped[Score | None]
    strategic_score: Mapped[Score | None]
    relationship_score: Mapped[Score | None]
    growth_score: Mapped[Score | None]
    adoption_score: Mapped[Score | None]
    annual_total: Mapped[Decimal] = mapped_column(Numeric(24, 6))
    """A sum of amounts, and so wider than each of them."""
    revenue_source: Mapped[str]
    source: Mapped[str]
    scored_by: Mapped[str | None] = mapped_column(ForeignKey("principal.id"))

    __table_args__ = (
        CheckConstraint("source in ('manual', 'auto')", name="source"),
        Index("ix_tier_scoring_listed", "company_id", "scored_at", "id"),
    )


class ClientHealthScore(TenantRow, Base):
    """One health score of a client, what it was made of, and the one before it."""

    __tablename__ = "client_health_score"
    id: Mapped[str] = mapped_column(primary_key=True)
    company_id: Mapped[str] = mapped_column(ForeignKey("client.company_id"))
    score: Mapped[Decimal] = mapped_column(Numeric(5, 2))
    previous_score: Mapped[Decimal | None] = mapped_column(Numeric(5, 2))
    factors: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    assessed_by: Mapped[str]
    """A user's id unless the caller said otherwise: a name, a tool, a survey."""
    created_at: Mapped[Created]

    __table_args__ = (
        CheckConstraint("score between 0 and 100", name="score"),
        Index("ix_client_health_score_listed", "company_id", "created_at", "id"),
    )
