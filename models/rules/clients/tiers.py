"""Tiers: dimensions of the two tracks, their weighted sum, the tier it earns, and its age.

Source: clients/tier_scores.yaml, rules.dimensions, rules.tier and rules.staleness. Every dimension
is a number from 1 to 5; `tier_score` is their weighted sum, rounded to 2 places and compared so.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from types import MappingProxyType
from typing import Final

from models.rules.clients.rounding import rounded
from models.rules.clients.vocabulary import Tier, TierTrack

STALE_AFTER: Final = timedelta(days=90)


class Dimension(StrEnum):
    """What a client is scored by; revenue and adoption are computed, the rest people give."""

    REVENUE = "revenue"
    PROFITABILITY = "profitability"
    STRATEGIC = "strategic"
    RELATIONSHIP = "relationship"
    GROWTH = "growth"
    ADOPTION = "adoption"


WEIGHTS: Final[Mapping[TierTrack, Mapping[Dimension, Decimal]]] = MappingProxyType(
    {
        TierTrack.DELIVERY: {
            Dimension.REVENUE: Decimal("0.30"),
            Dimension.PROFITABILITY: Decimal("0.10"),
            Dimension.STRATEGIC: Decimal("0.25"),
            Dimension.RELATIONSHIP: Decimal("0.35"),
        },
        TierTrack.PRODUCT: {
            Dimension.REVENUE: Decimal("0.30"),
            Dimension.RELATIONSHIP: Decimal("0.25"),
            Dimension.GROWTH: Decimal("0.25"),
            Dimension.ADOPTION: Decimal("0.20"),
        },
    }
)
"""Each track's dimensions with their weights, which sum to 1."""

THRESHOLDS: Final = (
    (Tier.PLATINUM, Decimal("4.00")),
    (Tier.CORE, Decimal("3.00")),
    (Tier.STANDARD, Decimal("2.00")),
    (Tier.REVIEW, Decimal("1.00")),
)
"""The lowest score of each tier, best tier first."""

HUMAN: Final = (
    Dimension.PROFITABILITY, Dimension.STRATEGIC, Dimension.RELATIONSHIP, Dimension.GROWTH,
)  # fmt: skip
"""The dimensions that people give."""

Scores = Mapping[Dimension, Decimal]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scoring:
    """What a client has earned: the dimensions of its track, their weighted sum, and the tier."""

    track: TierTrack
    dimensions: Scores
    tier_score: Decimal
    tier: Tier


def human_dimensions(track: TierTrack) -> tuple[Dimension, ...]:
    """The dimensions of a track that people give."""
    return tuple(dimension for dimension in HUMAN if dimension in WEIGHTS[track])


def score(
    track: TierTrack,
    *,
    revenue_score: int,
    override: Decimal | None,
    human: Scores,
    adoption: Decimal | None,
) -> Scoring:
    """Score a client; `human` has at least the track's own, `adoption` is for the product track.

    The revenue dimension is the override where one is set.
    """
    known: dict[Dimension, Decimal] = dict(human)
    known[Dimension.REVENUE] = Decimal(revenue_score) if override is None else override
    if adoption is not None:
        known[Dimension.ADOPTION] = adoption
    dimensions = {dimension: known[dimension] for dimension in WEIGHTS[track]}
    tier_score = weighted(track, dimensions)
    return Scoring(
        track=track, dimensions=dimensions, tier_score=tier_score, tier=tier_of(tier_score)
    )


def weighted(track: TierTrack, dimensions: Scores) -> Decimal:
    """The weighted sum of a track's dimensions, rounded once."""
    parts = (
        Fraction(weight) * Fraction(dimensions[dimension])
        for dimension, weight in WEIGHTS[track].items()
    )
    return rounded(sum(parts, Fraction(0)))


def tier_of(tier_score: Decimal) -> Tier:
    """The tier of a rounded score; a bound belongs to the higher tier."""
    for tier, lowest in THRESHOLDS:
        if tier_score >= lowest:
            return tier
    return Tier.REVIEW


def is_score_stale(track: TierTrack | None, scored_at: datetime | None, now: datetime) -> bool:
    """Tell whether the last human judgement is more than 90 times 24 hours old."""
    return track is not None and scored_at is not None and now - scored_at > STALE_AFTER
