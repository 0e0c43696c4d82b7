"""How the values of days become one number of a period.

Source: clients/results.yaml, rules.aggregation. A day has data when a row is stored for it, a
stored 0 included; a day of a ratio, when its denominator is not 0. Days without data still count
for the numerator of a ratio. Values are exact until they are rounded, once, at the end.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Context, Decimal, localcontext
from fractions import Fraction
from types import MappingProxyType
from typing import Final, NamedTuple

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
_EXACT: Final = Context(prec=200_000)
"""More digits than PostgreSQL's numbers have."""
_NEAR: Final = Context(prec=60)
_MARGIN: Final = 10**50
"""Far more than what is lost at sixty digits over the days of a year."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Aggregate:
    """A metric over a period: its value, the mean of its days, and how many days have data."""

    value: Decimal
    avg_value: Decimal
    data_points: int
    exact: Fraction = field(default=Fraction(0), compare=False)
    """The value before it was rounded, which is what others are computed from."""


class DayValue(NamedTuple):
    """A day's value; of a ratio the numerator, with the denominator in `weight`."""

    value: Decimal | Fraction
    weight: Decimal | Fraction = Decimal(1)


def aggregate(
    kind: MetricKind, days: Sequence[DayValue], *, places: int, factor: int = 1
) -> Aggregate | None:
    """The number of a period from its days in order; None where there is nothing to tell."""
    exact = exact_value(kind, days, factor=factor)
    if exact is None:
        return None
    if kind is MetricKind.RATIO:
        days = [day for day in days if day.weight]
        avg_value = _mean_of_ratios(days, factor, places)
    else:
        avg_value = rounded(_total(day.value for day in days) / len(days), places)
    return Aggregate(
        value=rounded(exact, places), avg_value=avg_value, data_points=len(days), exact=exact
    )


def exact_value(kind: MetricKind, days: Sequence[DayValue], *, factor: int = 1) -> Fraction | None:
    """The number of a period before it is rounded; None where there is nothing to tell."""
    if not days:
        return None
    match kind:
        case MetricKind.SUM:
            return _total(day.value for day in days)
        case MetricKind.MEAN:
            return _total(day.value for day in days) / len(days)
        case MetricKind.LAST:
            return Fraction(days[-1].value)
        case MetricKind.RATIO:
            # Of all days: what was spent on a day without a conversion was spent on conversions.
            below = _total(day.weight for day in days)
            return _total(day.value for day in days) / below * factor if below else None
        case MetricKind.WEIGHTED:
            weights = _total(day.weight for day in days)
            if not weights:
                # Seen by nobody: every day counts alike.
                return _total(day.value for day in days) / len(days)
            above = (Fraction(day.value) * Fraction(day.weight) for day in days)
            return sum(above, Fraction(0)) / weights


def _total(values: Iterable[Decimal | Fraction]) -> Fraction:
    """The exact sum. Decimals are added as such, which is many times cheaper than fractions are."""
    every = list(values)
    decimals = [value for value in every if isinstance(value, Decimal)]
    with localcontext(_EXACT):
        total = Fraction(sum(decimals, Decimal(0)))
    if len(decimals) == len(every):
        return total
    return sum((value for value in every if isinstance(value, Fraction)), total)


def _mean_of_ratios(days: Sequence[DayValue], factor: int, places: int) -> Decimal:
    """The mean of the daily ratios, rounded as the exact one is.

    The exact mean of a year is a fraction of thousands of digits. Sixty of them tell how it is
    rounded, unless it is too near to where the rounding turns.
    """
    near, size = Decimal(0), Decimal(0)
    for day in days:
        share = _NEAR.divide(_nearly(day.value), _nearly(day.weight))
        near, size = _NEAR.add(near, share), _NEAR.add(size, abs(share))
    mean = Fraction(near) * factor / len(days)
    margin = abs(Fraction(size) * factor) / _MARGIN
    low, high = rounded(mean - margin, places), rounded(mean + margin, places)
    if low == high:
        return low
    shares = (Fraction(day.value) / Fraction(day.weight) for day in days)
    return rounded(sum(shares, Fraction(0)) * factor / len(days), places)


def _nearly(value: Decimal | Fraction) -> Decimal:
    if isinstance(value, Decimal):
        return value
    return _NEAR.divide(Decimal(value.numerator), Decimal(value.denominator))
