"""Tier scores and revenue on the wire."""

from typing import Annotated, Any

from pydantic import ConfigDict, Field

from api.http.bodies import Omissible, left_out
from api.http.wire import Absent, Number, Second, Snake
from models.queries.people.scorings import Scored
from models.rules.clients.revenue import RevenueSummary, month_name
from models.rules.clients.tiers import HUMAN, Dimension
from models.rules.clients.vocabulary import RevenueSource, ScoreSource, Tier, TierTrack

_SCORED: dict[str, Any] = {
    "tier": "platinum",
    "tier_score": 4.25,
    "tier_track": "delivery",
    "revenue": {"annual_total": 285000, "score": 4, "source": "nucleus", "override": None},
    "dimensions": {"revenue": 4, "profitability": 3, "strategic": 4, "relationship": 5},
}
_ENTRY: dict[str, Any] = {
    "id": "01K9TSC0000000000000000001",
    "scored_at": "2026-03-10T09:00:00Z",
    "tier_track": "delivery",
    "tier": "platinum",
    "previous_tier": "core",
    "tier_score": 4.25,
    "revenue_score": 4,
    "revenue_override": None,
    "override_reason": None,
    "profitability_score": 3,
    "strategic_score": 4,
    "relationship_score": 5,
    "growth_score": None,
    "adoption_score": None,
    "annual_total": 285000,
    "revenue_source": "nucleus",
    "source": "manual",
    "scored_by": "01K9SER0000000000000000001",
    "scored_by_name": "Mara Lind",
}
_OF_DELIVERY = "On the delivery track. From 1 to 5; left out, the stored score stays."
_OF_PRODUCT = "On the product track. From 1 to 5; left out, the stored score stays."
_OF_BOTH = "On either track. From 1 to 5; left out, the stored score stays."


class TierScoreIn(Snake):
    """What a person gives a client on one track; revenue and adoption are computed."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "tier_track": "delivery",
                    "profitability_score": 3,
                    "strategic_score": 4,
                    "relationship_score": 5,
                }
            ]
        }
    )

    tier_track: TierTrack
    profitability_score: Omissible[Number] = Field(
        default_factory=left_out, description=_OF_DELIVERY
    )
    strategic_score: Omissible[Number] = Field(default_factory=left_out, description=_OF_DELIVERY)
    relationship_score: Omissible[Number] = Field(default_factory=left_out, description=_OF_BOTH)
    growth_score: Omissible[Number] = Field(default_factory=left_out, description=_OF_PRODUCT)
    revenue_override: Number | None = Field(
        default_factory=left_out,
        description="From 1 to 5, in place of the computed revenue score; null removes it.",
    )
    override_reason: Annotated[str, Field(min_length=1, max_length=1000)] | None = Field(
        None, description="Needed with a revenue_override, and without one refused."
    )

    def human(self) -> dict[Dimension, Any]:
        """The scores that were sent."""
        sent = {dimension: getattr(self, f"{dimension}_score") for dimension in HUMAN}
        return {dimension: value for dimension, value in sent.items() if value is not None}

    @property
    def sends_override(self) -> bool:
        """Whether the override was sent, be it null."""
        return "revenue_override" in self.model_fields_set


class ScoredRevenueOut(Snake):
    """The revenue that a client was scored with."""

    annual_total: Number
    score: int = Field(description="The computed score, also where an override replaces it.")
    source: RevenueSource
    override: Number | None


class TierDimensionsOut(Snake):
    """The dimensions of the client's track; those of the other are left out."""

    revenue: Number
    relationship: Number
    profitability: Absent[Number] = None
    strategic: Absent[Number] = None
    growth: Absent[Number] = None
    adoption: Absent[Number] = None


class TierScoreOut(Snake):
    """The tier that a client has earned, and by what."""

    model_config = ConfigDict(json_schema_extra={"examples": [_SCORED]})

    tier: Tier
    tier_score: Number
    tier_track: TierTrack
    revenue: ScoredRevenueOut
    dimensions: TierDimensionsOut

    @classmethod
    def of(cls, scored: Scored) -> "TierScoreOut":
        revenue, scoring = scored.revenue, scored.scoring
        return cls(
            tier=scoring.tier,
            tier_score=scoring.tier_score,
            tier_track=scoring.track,
            revenue=ScoredRevenueOut(
                annual_total=revenue.annual_total,
                score=revenue.score,
                source=revenue.source,
                override=scored.override,
            ),
            dimensions=TierDimensionsOut(
                **{dimension.value: value for dimension, value in scoring.dimensions.items()}
            ),
        )


class TierHistoryEntryOut(Snake):
    """One scoring, by a person (manual) or by the recalculation (auto)."""

    model_config = ConfigDict(json_schema_extra={"examples": [_ENTRY]})

    id: str
    scored_at: Second
    tier_track: TierTrack
    tier: Tier
    previous_tier: Tier | None
    tier_score: Number
    revenue_score: int
    revenue_override: Number | None
    override_reason: str | None
    profitability_score: Number | None
    strategic_score: Number | None
    relationship_score: Number | None
    growth_score: Number | None
    adoption_score: Number | None
    annual_total: Number
    revenue_source: RevenueSource
    source: ScoreSource
    scored_by: str | None
    scored_by_name: str | None


class TierHistoryOut(Snake):
    """Every scoring of a client, oldest first."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"history": [_ENTRY]}]})

    history: list[TierHistoryEntryOut]


class MonthlyRevenueOut(Snake):
    """The revenue of one month."""

    month: str = Field(description="YYYY-MM")
    total: Number


class RevenueSummaryOut(Snake):
    """A client's revenue over the 12 complete months before the current one, oldest first."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "annual_total": 285000,
                    "revenue_score": 4,
                    "source": "nucleus",
                    "monthly": [
                        {"month": f"2025-{month:02}", "total": 23750} for month in range(1, 13)
                    ],
                    "currency": "USD",
                }
            ]
        }
    )

    annual_total: Number
    revenue_score: int
    source: RevenueSource
    monthly: list[MonthlyRevenueOut]
    currency: str

    @classmethod
    def of(cls, summary: RevenueSummary, currency: str) -> "RevenueSummaryOut":
        return cls(
            annual_total=summary.revenue.annual_total,
            revenue_score=summary.revenue.score,
            source=summary.revenue.source,
            monthly=[
                MonthlyRevenueOut(month=month_name(month), total=total)
                for month, total in summary.monthly
            ],
            currency=currency,
        )
