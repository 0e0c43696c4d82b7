"""How well the numbers do together, computed and never asked of a model.

Source: clients/results.yaml, rules.insight.health. It is not the client's health score, which
people record.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from types import MappingProxyType
from typing import Final

from models.rules.clients.metrics import MetricDirection
from models.rules.clients.rounding import rounded
from models.rules.clients.vocabulary import TrackingStatus

_GOALS: Final = MappingProxyType(
    {TrackingStatus.ON_TRACK: 100, TrackingStatus.AT_RISK: 50, TrackingStatus.OFF_TRACK: 0}
)
_SIGNS: Final = MappingProxyType({MetricDirection.HIGHER: 1, MetricDirection.LOWER: -1})
_OF_GOALS, _OF_TREND = Fraction("0.6"), Fraction("0.4")
_HEALTHY, _ATTENTION = 70, 50


class OverallHealth(StrEnum):
    """The score in a word."""

    HEALTHY = "healthy"
    NEEDS_ATTENTION = "needs_attention"
    AT_RISK = "at_risk"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """What a metric says: which way is better, how it stands, how it changed."""

    direction: MetricDirection
    tracking_status: TrackingStatus | None
    delta_pct: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PerformanceHealth:
    """A whole number from 0 to 100 with its word, or neither."""

    health_score: int | None
    overall_health: OverallHealth | None


def performance_health(signals: Iterable[Signal]) -> PerformanceHealth:
    """Goals count for 0.6, the trend for 0.4; where only one of them is known, it counts alone."""
    every = list(signals)
    goals = _mean(
        [Fraction(_GOALS[one.tracking_status]) for one in every if one.tracking_status is not None]
    )
    trend = _mean(
        [
            min(
                max(50 + _SIGNS[one.direction] * Fraction(one.delta_pct), Fraction(0)),
                Fraction(100),
            )
            for one in every
            if one.direction in _SIGNS and one.delta_pct is not None
        ]
    )
    if goals is not None and trend is not None:
        exact: Fraction | None = _OF_GOALS * goals + _OF_TREND * trend
    else:
        exact = goals if goals is not None else trend
    if exact is None:
        return PerformanceHealth(health_score=None, overall_health=None)
    score = int(rounded(exact, 0))
    return PerformanceHealth(health_score=score, overall_health=_word(score))


def _mean(values: list[Fraction]) -> Fraction | None:
    return sum(values, Fraction(0)) / len(values) if values else None


def _word(score: int) -> OverallHealth:
    if score >= _HEALTHY:
        return OverallHealth.HEALTHY
    return OverallHealth.NEEDS_ATTENTION if score >= _ATTENTION else OverallHealth.AT_RISK
