"""Numbers of platforms by day, as results read them, and what a model made of them.

Source: clients/results.yaml, rules.storage and rules.insight. Days are those of the account's own
time zone; amounts are in its currency. The two tables of days are partitioned by year: a result
reads a few hundred days of one company among millions.
"""

from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Numeric, SmallInteger
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base, Created, Moment, TenantRow


class MetricSnapshot(TenantRow, Base):
    """The value of one stored metric on one day of an account; currency only where it is money."""

    __tablename__ = "metric_snapshot"
    company_id: Mapped[str] = mapped_column(ForeignKey("client.company_id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    metric_key: Mapped[str] = mapped_column(primary_key=True)
    platform: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[Decimal] = mapped_column(Numeric)
    currency: Mapped[str | None]
    as_of: Mapped[Moment]

    __table_args__ = ({"postgresql_partition_by": "RANGE (day)"},)


class CampaignDaily(TenantRow, Base):
    """One day of an ad campaign; reach is empty where the platform has none."""

    __tablename__ = "campaign_daily"
    company_id: Mapped[str] = mapped_column(ForeignKey("client.company_id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    platform: Mapped[str] = mapped_column(primary_key=True)
    campaign_id: Mapped[str] = mapped_column(primary_key=True)
    spend: Mapped[Decimal] = mapped_column(Numeric(18, 6))
    impressions: Mapped[int] = mapped_column(BigInteger)
    clicks: Mapped[int] = mapped_column(BigInteger)
    conversions: Mapped[Decimal] = mapped_column(Numeric(18, 6))
    conversion_value: Mapped[Decimal] = mapped_column(Numeric(18, 6))
    reach: Mapped[int | None] = mapped_column(BigInteger)
    currency: Mapped[str]
    as_of: Mapped[Moment]

    __table_args__ = ({"postgresql_partition_by": "RANGE (day)"},)


class AdCampaign(TenantRow, Base):
    """What is known latest of an ad campaign, under the platform's own id."""

    __tablename__ = "ad_campaign"
    company_id: Mapped[str] = mapped_column(ForeignKey("client.company_id"), primary_key=True)
    platform: Mapped[str] = mapped_column(primary_key=True)
    campaign_id: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[str]
    name: Mapped[str]
    status: Mapped[str]
    objective: Mapped[str | None]
    daily_budget: Mapped[Decimal | None] = mapped_column(Numeric(18, 6))
    lifetime_budget: Mapped[Decimal | None] = mapped_column(Numeric(18, 6))
    updated_at: Mapped[Created]

    __table_args__ = (
        CheckConstraint(
            "status in ('active', 'paused', 'ended', 'removed', 'unknown')", name="status"
        ),
    )


class CampaignReach(TenantRow, Base):
    """Reach of a campaign over a whole stretch of days, in which nobody is counted twice."""

    __tablename__ = "campaign_reach"
    company_id: Mapped[str] = mapped_column(ForeignKey("client.company_id"), primary_key=True)
    period_start: Mapped[date] = mapped_column(primary_key=True)
    period_end: Mapped[date] = mapped_column(primary_key=True)
    platform: Mapped[str] = mapped_column(primary_key=True)
    campaign_id: Mapped[str] = mapped_column(primary_key=True)
    reach: Mapped[int] = mapped_column(BigInteger)
    as_of: Mapped[Moment]


class AdCreative(TenantRow, Base):
    """What an ad says; title and body are empty where the platform has no text for it."""

    __tablename__ = "ad_creative"
    company_id: Mapped[str] = mapped_column(ForeignKey("client.company_id"), primary_key=True)
    platform: Mapped[str] = mapped_column(primary_key=True)
    creative_id: Mapped[str] = mapped_column(primary_key=True)
    campaign_id: Mapped[str]
    title: Mapped[str | None]
    body: Mapped[str | None]
    updated_at: Mapped[Created]

    __table_args__ = (Index("ix_ad_creative_campaign", "company_id", "platform", "campaign_id"),)


class CreativeDaily(TenantRow, Base):
    """What a creative was spent on a day, which tells a campaign's top creative."""

    __tablename__ = "creative_daily"
    company_id: Mapped[str] = mapped_column(ForeignKey("client.company_id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    platform: Mapped[str] = mapped_column(primary_key=True)
    creative_id: Mapped[str] = mapped_column(primary_key=True)
    spend: Mapped[Decimal] = mapped_column(Numeric(18, 6))
    conversions: Mapped[Decimal] = mapped_column(Numeric(18, 6))
    as_of: Mapped[Moment]

    __table_args__ = ({"postgresql_partition_by": "RANGE (day)"},)


class ResultInsight(TenantRow, Base):
    """What a model wrote about the numbers of a period; each is kept."""

    __tablename__ = "result_insight"
    id: Mapped[str] = mapped_column(primary_key=True)
    company_id: Mapped[str] = mapped_column(ForeignKey("client.company_id"))
    period_type: Mapped[str]
    period_start: Mapped[date]
    period_end: Mapped[date]
    content: Mapped[str]
    content_json: Mapped[dict[str, Any]] = mapped_column(JSONB)
    health_score: Mapped[int | None] = mapped_column(SmallInteger)
    overall_health: Mapped[str | None]
    model: Mapped[str]
    prompt_version: Mapped[str]
    input_hash: Mapped[str]
    generated_at: Mapped[Moment]

    __table_args__ = (
        CheckConstraint("health_score between 0 and 100", name="health_score"),
        Index("ix_result_insight_newest", "company_id", "generated_at"),
    )


class ResultQuestion(TenantRow, Base):
    """A question in plain words about the numbers, with its answer."""

    __tablename__ = "result_question"
    id: Mapped[str] = mapped_column(primary_key=True)
    company_id: Mapped[str] = mapped_column(ForeignKey("client.company_id"))
    asked_by: Mapped[str] = mapped_column(ForeignKey("principal.id"))
    asked_at: Mapped[Moment]
    question: Mapped[str]
    answer: Mapped[str | None]
    model: Mapped[str | None]
    prompt_version: Mapped[str | None]
    input_hash: Mapped[str | None]

    __table_args__ = (Index("ix_result_question_asked", "tenant_id", "asked_by", "asked_at"),)
