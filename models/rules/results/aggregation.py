"""How the values of days become one number of a period.

Source: clients/results.yaml, rules.aggregation. A day has data when a row is stored for it, a
stored 0 included; a day of a ratio, when its denominator is not 0. Values are exact until they are
rounded, once, at the end.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType
from typing import Final

from models.rules.clients.metrics import MetricKind, MetricUnit
from models.rules.clients.rounding import RATIO_PLACES, SCORE_PLACES, rounded

PLACES: Final[Mapping[MetricUnit, int]] = MappingProxyType(
    {
        MetricUnit.MONEY: SCORE_PLACES,
        MetricUnit.PERCENT: SCORE_PLACES,
        MetricUnit.COUNT: SCORE_PLACES,
        MetricUnit.POSITION: SCORE_PLACES,
        MetricUnit.RATIO: RATIO_PLACES,
    }
)
"""How many places a value of each unit is rounded to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Aggregate:
    """A metric over a period: its value, the mean of its days, and how many days have data."""

    value: Decimal
    avg_value: Decimal
    data_points: int


@dataclass(frozen=True, slots=True)
class DayValue:
    """A day's value; of a ratio the numerator, with the denominator in `weight`."""

    value: Decimal
    weight: Decimal = Decimal(1)


def aggregate(
    kind: MetricKind, days: Sequence[DayValue], *, places: int, factor: int = 1
) -> Aggregate | None:
    """The number of a period from its days in order; None where there is nothing to tell."""
    if kind is MetricKind.RATIO:
        days = [day for day in days if day.weight]
    if not days:
        return None
    of_period = _value(kind, days, factor)
    if of_period is None:
        return None
    daily = [
        Fraction(day.value) / Fraction(day.weight) * factor
        if kind is MetricKind.RATIO
        else Fraction(day.value)
        for day in days
    ]
    return Aggregate(
        value=rounded(of_period, places),
        avg_value=rounded(sum(daily, Fraction(0)) / len(daily), places),
        data_points=len(days),
    )


def _value(kind: MetricKind, days: Sequence[DayValue], factor: int) -> Fraction | None:
    total = sum((Fraction(day.value) for day in days), Fraction(0))
    match kind:
        case MetricKind.SUM:
            return total
        case MetricKind.MEAN:
            return total / len(days)
        case MetricKind.LAST:
            return Fraction(days[-1].value)
        case MetricKind.RATIO:
            below = sum((Fraction(day.weight) for day in days), Fraction(0))
            return total / below * factor if below else None
        case MetricKind.WEIGHTED:
            weights = sum((Fraction(day.weight) for day in days), Fraction(0))
            if not weights:
                # Seen by nobody: every day counts alike.
                return total / len(days)
            above = (Fraction(day.value) * Fraction(day.weight) for day in days)
            return sum(above, Fraction(0)) / weights
