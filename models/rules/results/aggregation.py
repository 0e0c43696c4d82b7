"""How the values of days become one number of a period.

Source: clients/results.yaml, rules.aggregation. A day has data when a row is stored for it, a
stored 0 included; a day of a ratio, when its denominator is not 0. Days without data still count
for the numerator of a ratio. Values are exact until they are rounded, once, at the end.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Context, Decimal, localcontext
from fractions import Fraction
from types import MappingProxyType
from typing import Final, NamedTuple

from models.rules.clients.metrics import MetricKind, MetricUnit
from models.rules.clients.rounding import RATIO_PLACES, SCORE_PLACES, quotient, rounded

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
_NEAR: Final = Context(prec=60)
_MARGIN: Final = Decimal("1e-50")
"""Far more than what is lost at sixty digits over the days of a year."""
_NOTHING, _ONE = Decimal(0), Decimal(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Aggregate:
    """A metric over a period: its value, the mean of its days, and how many days have data."""

    value: Decimal
    avg_value: Decimal
    data_points: int
    exact: Fraction = field(default=Fraction(0), compare=False)
    """The value before it was rounded, which is what others are computed from."""


class Series(NamedTuple):
    """The days of a metric that have data, added up; a day is known by its number.

    Where days are weighed, `weights` is the sum of their weights, and `total` and `amounts` are
    of values times weights; on a day without any weight the amount is the value. A period whose
    mean nobody asks for comes without its single `days`, `amounts` and `day_weights`.
    """

    total: Decimal
    points: int
    first: int
    last: int
    latest: Decimal | None = None
    weights: Decimal | None = None
    days: Sequence[int] = ()
    amounts: Sequence[Decimal] = ()
    day_weights: Sequence[Decimal] = ()


def divided(above: Series | None, below: Series | None) -> Series | None:
    """The days of a ratio: the denominator is the weight of the daily ratios."""
    if below is None:
        return None
    if above is None:
        above = Series(total=_NOTHING, points=0, first=below.first, last=below.last)
    over = dict(zip(above.days, above.amounts, strict=True))
    known = [
        (over.get(day, _NOTHING), weight)
        for day, weight in zip(below.days, below.amounts, strict=True)
        if weight
    ]
    return Series(
        total=above.total,
        points=len(known),
        first=min(above.first, below.first),
        last=max(above.last, below.last),
        # Of all days: what was spent on a day without a conversion was spent on conversions.
        weights=below.total,
        amounts=[amount for amount, _ in known],
        day_weights=[weight for _, weight in known],
    )


def aggregate(
    kind: MetricKind, series: Series, *, places: int, factor: int = 1
) -> Aggregate | None:
    """The number of a period; None where it would be divided by nothing."""
    exact = exact_value(kind, series, factor=factor)
    if exact is None:
        return None
    if series.weights is None:
        avg_value = quotient(series.total, series.points, places)
    else:
        avg_value = _mean_of_ratios(series.amounts, series.day_weights, factor, places)
    return Aggregate(
        value=rounded(exact, places), avg_value=avg_value, data_points=series.points, exact=exact
    )


def exact_value(kind: MetricKind, series: Series, *, factor: int = 1) -> Fraction | None:
    """The number of a period before it is rounded; None where it would be divided by nothing."""
    match kind:
        case MetricKind.SUM:
            return Fraction(series.total)
        case MetricKind.MEAN:
            return _share(series.total, series.points)
        case MetricKind.LAST:
            assert series.latest is not None
            return Fraction(series.latest)
        case MetricKind.RATIO:
            return _share(series.total, series.weights, factor) if series.weights else None
        case MetricKind.WEIGHTED:
            # Seen by nobody: every day counts alike.
            return _share(series.total, series.weights or series.points)


def _share(above: Decimal, below: Decimal | int, factor: int = 1) -> Fraction:
    (a, b), (c, d) = above.as_integer_ratio(), below.as_integer_ratio()
    return Fraction(a * d * factor, b * c)


def _mean_of_ratios(
    amounts: Sequence[Decimal], weights: Sequence[Decimal], factor: int, places: int
) -> Decimal:
    """The mean of the daily ratios, rounded as the exact one is.

    The exact mean of a year is a fraction of thousands of digits. Sixty of them tell how it is
    rounded, unless it is too near to where the rounding turns.
    """
    pairs = [(amount, weight or _ONE) for amount, weight in zip(amounts, weights, strict=True)]
    with localcontext(_NEAR):
        shares = [amount / weight for amount, weight in pairs]
        mean = sum(shares, _NOTHING) * factor / len(shares)
        margin = sum(map(abs, shares), _NOTHING) * factor * _MARGIN
        low, high = mean - margin, mean + margin
    nearest = rounded(low, places)
    if nearest == rounded(high, places):
        return nearest
    exact = sum((Fraction(amount) / Fraction(weight) for amount, weight in pairs), Fraction(0))
    return rounded(exact * factor / len(pairs), places)
