"""Results against the period before and against the goals.

Source: clients/results.yaml, rules.delta and rules.targets. A goal of a sum is meant for its own
stretch of time and is scaled to the one asked for; what is expected of it grows with the days that
data can be there for.
"""

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType
from typing import Final

from models.rules.clients.metrics import MetricDirection, MetricKind
from models.rules.clients.rounding import quotient, rounded
from models.rules.clients.vocabulary import PeriodType, TrackingStatus

_MONTHS: Final[Mapping[PeriodType, Fraction]] = MappingProxyType(
    {
        PeriodType.WEEK: Fraction(12, 52),
        PeriodType.MONTH: Fraction(1),
        PeriodType.QUARTER: Fraction(3),
        PeriodType.YEAR: Fraction(12),
    }
)
_ON_TRACK = Fraction("0.90")
_AT_RISK = Fraction("0.70")
_PACING: Final = (
    (TrackingStatus.ON_TRACK, Fraction("0.90"), Fraction("1.10")),
    (TrackingStatus.AT_RISK, Fraction("0.75"), Fraction("1.25")),
)


def delta_pct(value: Decimal | Fraction, prior: Decimal | Fraction | None) -> Decimal | None:
    """The change in percent to 2 places; None where there was nothing, or nothing but 0."""
    if not prior:
        return None
    (a, b), (c, d) = value.as_integer_ratio(), prior.as_integer_ratio()
    return quotient((a * d - c * b) * 100, b * abs(c))


def scale_target(
    target: Decimal, *, goal_period: PeriodType, period_type: PeriodType, places: int
) -> Decimal:
    """A sum's target for another stretch of time."""
    return rounded(exact_target(target, goal_period=goal_period, period_type=period_type), places)


def exact_target(target: Decimal, *, goal_period: PeriodType, period_type: PeriodType) -> Fraction:
    """A sum's target for another stretch of time, before it is rounded."""
    return Fraction(target) * _MONTHS[period_type] / _MONTHS[goal_period]


def tracking(
    direction: MetricDirection,
    kind: MetricKind,
    *,
    value: Decimal | Fraction,
    target: Decimal | Fraction | None,
    covered: int,
    days: int,
) -> TrackingStatus | None:
    """How a metric stands against its target; `covered` of the period's `days` have data."""
    if target is None or direction is MetricDirection.NONE:
        return None
    expected = Fraction(target)
    if kind is MetricKind.SUM:
        expected = expected * covered / days
    if expected <= 0:
        return None
    if direction is MetricDirection.PACING:
        return _pacing(Fraction(value) / expected)
    if direction is MetricDirection.LOWER:
        return TrackingStatus.ON_TRACK if value <= 0 else _attained(expected / Fraction(value))
    return _attained(Fraction(value) / expected)


def _attained(share: Fraction) -> TrackingStatus:
    if share >= _ON_TRACK:
        return TrackingStatus.ON_TRACK
    return TrackingStatus.AT_RISK if share >= _AT_RISK else TrackingStatus.OFF_TRACK


def _pacing(share: Fraction) -> TrackingStatus:
    return next(
        (status for status, least, most in _PACING if least <= share <= most),
        TrackingStatus.OFF_TRACK,
    )
