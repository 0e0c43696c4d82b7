"""The metrics of a period, from what is stored of its days.

Source: clients/results.yaml, rules.metrics, aggregation, delta, targets and currency. What is
stored comes added up over platforms and accounts, a number for each metric, currency and day.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType
from typing import Final

from models.rules.clients.metrics import METRICS, Metric, MetricKind, MetricUnit, metric_of
from models.rules.clients.rounding import rounded
from models.rules.clients.vocabulary import PeriodType, TrackingStatus
from models.rules.results.aggregation import (
    PLACES,
    Aggregate,
    Series,
    aggregate,
    divided,
    exact_value,
)
from models.rules.results.comparison import delta_pct, exact_target, tracking
from models.rules.results.currencies import goal_currency, in_order, primary_currency
from models.rules.results.periods import Period

MONEY: Final = tuple(key for key, one in METRICS.items() if one.unit is MetricUnit.MONEY)
"""The metrics that are given for each currency."""
WEIGHTS: Final[Mapping[str, str]] = MappingProxyType(
    {key: one.weight for key, one in METRICS.items() if one.weight is not None}
)
"""By which metric another is weighted."""


def _money_parts(metric: Metric) -> tuple[str, ...]:
    return tuple(part for part in (metric.numerator, metric.denominator) if part in MONEY)


def _beside_money() -> Mapping[str, str]:
    found: dict[str, str] = {}
    for metric in METRICS.values():
        parts = _money_parts(metric)
        if len(parts) == 1:
            (other,) = {metric.numerator, metric.denominator} - set(parts)
            assert other is not None
            if found.setdefault(other, parts[0]) != parts[0]:
                raise LookupError(f"{other} stands beside two kinds of money")
    return MappingProxyType(found)


BESIDE_MONEY: Final = _beside_money()
"""The counts that are divided with money, each with that money: both are of the same accounts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What is stored of a period, by metric, and by currency where it is money.

    `beside` has the counts of `BESIDE_MONEY` once more, for each currency of their accounts alone.
    """

    series: Mapping[tuple[str, str | None], Series] = field(default_factory=dict)
    beside: Mapping[tuple[str, str], Series] = field(default_factory=dict)

    def totals(self, key: str) -> dict[str, Fraction]:
        """What a metric of money comes to in each of its currencies."""
        return {
            currency: Fraction(series.total)
            for (stored, currency), series in self.series.items()
            if stored == key and currency is not None
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A goal of the client, as far as results look at it."""

    metric: str
    target: Decimal
    unit: str | None
    period: PeriodType


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A metric of a period, in one currency, against the period before and its goal."""

    metric: Metric
    value: Decimal
    avg_value: Decimal
    data_points: int
    currency: str
    prior_value: Decimal | None
    delta_pct: Decimal | None
    target: Decimal | None
    tracking_status: TrackingStatus | None

    @property
    def metric_key(self) -> str:
        return self.metric.key


def primary_of(present: Stored, *, reporting: str) -> str:
    """The currency that comes first in a response over this period."""
    return primary_currency(
        present.totals("spend"), present.totals("store_revenue"), reporting=reporting
    )


def measured(
    present: Stored,
    prior: Stored,
    *,
    period: Period,
    targets: Sequence[Target],
    reporting: str,
) -> list[Measured]:
    """Every metric that the period has data for, in the order of a response.

    `targets` come newest first.
    """
    primary = primary_of(present, reporting=reporting)
    found: list[Measured] = []
    for metric in _metrics(present):
        for currency in _currencies(metric, present, primary):
            series = _series(metric, currency, present)
            number = _aggregate(metric, series)
            if series is None or number is None:
                continue
            found.append(
                _compared(
                    metric,
                    number,
                    currency=currency or primary,
                    prior=_exact(metric, _series(metric, currency, prior)),
                    target=_target(targets, metric, currency, primary, period.type),
                    # From the first to the last day with data.
                    covered=series.last - series.first + 1,
                    period=period,
                )
            )
    return found


def _compared(
    metric: Metric,
    number: Aggregate,
    *,
    currency: str,
    prior: Fraction | None,
    target: Target | None,
    covered: int,
    period: Period,
) -> Measured:
    places = PLACES[metric.unit]
    aim = None if target is None else _aim(metric, target, period.type)
    return Measured(
        metric=metric,
        value=number.value,
        avg_value=number.avg_value,
        data_points=number.data_points,
        currency=currency,
        prior_value=None if prior is None else rounded(prior, places),
        delta_pct=delta_pct(number.exact, prior),
        target=None if aim is None else rounded(aim, places),
        tracking_status=tracking(
            metric.direction,
            metric.kind,
            value=number.exact,
            target=aim,
            covered=covered,
            days=period.days,
        ),
    )


def _aggregate(metric: Metric, series: Series | None) -> Aggregate | None:
    if series is None:
        return None
    return aggregate(metric.kind, series, places=PLACES[metric.unit], factor=metric.factor)


def _exact(metric: Metric, series: Series | None) -> Fraction | None:
    return None if series is None else exact_value(metric.kind, series, factor=metric.factor)


def _metrics(stored: Stored) -> Iterable[Metric]:
    yield from METRICS.values()
    yield from map(metric_of, sorted({key for key, _ in stored.series} - METRICS.keys()))


def _currencies(metric: Metric, stored: Stored, primary: str) -> Sequence[str | None]:
    """The currencies that a metric may have data in; None alone where it is no matter of money."""
    parts = _money_parts(metric) or ((metric.key,) if metric.key in MONEY else ())
    if not parts:
        return [None]
    codes = (code for key, code in stored.series if key in parts and code is not None)
    return in_order(codes, primary)


def _series(metric: Metric, currency: str | None, stored: Stored) -> Series | None:
    if metric.kind is not MetricKind.RATIO:
        return stored.series.get((metric.key, currency))
    return divided(
        _part(metric.numerator, currency, stored), _part(metric.denominator, currency, stored)
    )


def _part(key: str | None, currency: str | None, stored: Stored) -> Series | None:
    """The days of one part of a ratio in a currency."""
    assert key is not None
    if currency is None or key in MONEY:
        return stored.series.get((key, currency))
    return stored.beside.get((key, currency))


def _target(
    targets: Sequence[Target],
    metric: Metric,
    currency: str | None,
    primary: str,
    period_type: PeriodType,
) -> Target | None:
    """The goal of a metric in a currency: one of the period's type, else the newest."""
    meant = [
        one
        for one in targets
        if one.metric == metric.key
        and (currency is None or goal_currency(one.unit, primary) == currency)
    ]
    return next((one for one in meant if one.period is period_type), meant[0] if meant else None)


def _aim(metric: Metric, target: Target, period_type: PeriodType) -> Fraction:
    if metric.kind is not MetricKind.SUM:
        return Fraction(target.target)
    return exact_target(target.target, goal_period=target.period, period_type=period_type)
