"""The registry of metric keys: their units, how days become one number, and what is better.

Source: clients/results.yaml, rules.metrics.registry. Goals take their direction from here, results
everything. The order is the order of a response.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class MetricDirection(StrEnum):
    """What is better; pacing means close to the target."""

    HIGHER = "higher"
    LOWER = "lower"
    PACING = "pacing"
    NONE = "none"


class MetricUnit(StrEnum):
    """What a metric is counted in."""

    MONEY = "money"
    COUNT = "count"
    PERCENT = "percent"
    RATIO = "ratio"
    POSITION = "position"


class MetricKind(StrEnum):
    """How the values of days become the value of a period; ratios are never stored."""

    SUM = "sum"
    RATIO = "ratio"
    MEAN = "mean"
    WEIGHTED = "weighted"
    LAST = "last"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One metric; a ratio is factor * numerator / denominator, both summed over the period."""

    key: str
    unit: MetricUnit = MetricUnit.COUNT
    kind: MetricKind = MetricKind.SUM
    direction: MetricDirection = MetricDirection.HIGHER
    numerator: str | None = None
    denominator: str | None = None
    factor: int = 1
    weight: str | None = None


def _count(key: str, direction: MetricDirection = MetricDirection.HIGHER) -> Metric:
    return Metric(key=key, direction=direction)


def _money(key: str, direction: MetricDirection = MetricDirection.HIGHER) -> Metric:
    return Metric(key=key, unit=MetricUnit.MONEY, direction=direction)


def _ratio(
    key: str, unit: MetricUnit, numerator: str, denominator: str, factor: int = 1,
    direction: MetricDirection = MetricDirection.HIGHER,
) -> Metric:  # fmt: skip
    return Metric(
        key=key, unit=unit, kind=MetricKind.RATIO, direction=direction,
        numerator=numerator, denominator=denominator, factor=factor,
    )  # fmt: skip


_U, _D = MetricUnit, MetricDirection
_ALL = (
    _money("spend", _D.PACING),
    _count("impressions"),
    _count("reach"),
    _count("clicks"),
    _count("conversions"),
    _money("conversion_value"),
    _ratio("frequency", _U.RATIO, "impressions", "reach", direction=_D.NONE),
    _ratio("ctr", _U.PERCENT, "clicks", "impressions", 100),
    _ratio("cpc", _U.MONEY, "spend", "clicks", direction=_D.LOWER),
    _ratio("cpm", _U.MONEY, "spend", "impressions", 1000, _D.LOWER),
    _ratio("cpa", _U.MONEY, "spend", "conversions", direction=_D.LOWER),
    _ratio("roas", _U.RATIO, "conversion_value", "spend"),
    _money("store_revenue"),
    _count("orders"),
    _ratio("aov", _U.MONEY, "store_revenue", "orders"),
    _count("new_customers"),
    _count("returning_orders"),
    _ratio("returning_order_rate", _U.PERCENT, "returning_orders", "orders", 100),
    _count("sessions"),
    _count("engaged_sessions"),
    _ratio("engagement_rate", _U.PERCENT, "engaged_sessions", "sessions", 100),
    Metric(key="active_users", kind=MetricKind.MEAN),
    _count("key_events"),
    _money("web_revenue"),
    _count("search_clicks"),
    _count("search_impressions"),
    _ratio("search_ctr", _U.PERCENT, "search_clicks", "search_impressions", 100),
    Metric(
        key="search_position", unit=_U.POSITION, kind=MetricKind.WEIGHTED, direction=_D.LOWER,
        weight="search_impressions",
    ),
    _count("emails_delivered"),
    _count("emails_opened"),
    _count("emails_clicked"),
    _count("unsubscribes", _D.LOWER),
    _ratio("open_rate", _U.PERCENT, "emails_opened", "emails_delivered", 100),
    _ratio("click_rate", _U.PERCENT, "emails_clicked", "emails_delivered", 100),
    _money("email_revenue"),
    Metric(key="subscribers", kind=MetricKind.LAST),
)  # fmt: skip

METRICS: Final[Mapping[str, Metric]] = MappingProxyType({metric.key: metric for metric in _ALL})
"""Every metric by its key, in the order of the registry."""
STANDINGS: Final = frozenset(key for key, one in METRICS.items() if one.kind is MetricKind.LAST)
"""The metrics that are what they are at a moment, and nothing that happens on a day."""


def metric_of(key: str) -> Metric:
    """The metric of a key; one outside the registry is a sum of counts that has no direction."""
    return METRICS.get(key) or Metric(key=key, direction=MetricDirection.NONE)
