"""A QBR without a model: fixed sentences around the metrics and the insight of the quarter.

Source: clients/results.yaml, rules.prepare_qbr.
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from models.rules.clients.metrics import MetricUnit, metric_of
from models.rules.clients.qbrs import CONTENT_VERSION, LONGEST_LIST
from models.rules.clients.vocabulary import TrackingStatus
from models.rules.results.named import Facts

_INITIALS: Final = frozenset({"roas", "ctr", "cpc", "cpm", "cpa", "aov"})
_FIRST: Final = 3
"""How many metrics the summary names."""
_STANDING: Final[Mapping[str, str]] = {
    TrackingStatus.ON_TRACK: "on track for its goal",
    TrackingStatus.AT_RISK: "at risk of missing its goal",
    TrackingStatus.OFF_TRACK: "off track for its goal",
}
_OF_METRICS: Final = (
    "metric_key", "currency", "value", "prior_value", "delta_pct", "target", "tracking_status",
)  # fmt: skip


def template_content(given: Facts) -> dict[str, Any]:
    """The content of a QBR from what it is prepared from, in words that are always the same."""
    metrics, period = given["metrics"], given["period"]
    insight = (given["insight"] or {}).get("content_json") or {}
    return {
        "version": CONTENT_VERSION,
        "period": {"start": period["start"], "end": period["end"]},
        "executive_summary": " ".join(_summary(metrics, period, insight)),
        "performance": [
            {
                **{name: metric[name] for name in _OF_METRICS},
                "comment": f"{described(metric)}.",
            }
            for metric in metrics[:LONGEST_LIST]
        ],
        "wins": [
            {"win_id": None, "title": f"{label(one)} went well", "detail": one["comment"]}
            for one in insight.get("highlights", ())[:LONGEST_LIST]
        ],
        "challenges": [
            {"title": f"{label(one)} needs a look", "detail": one["comment"]}
            for one in insight.get("concerns", ())[:LONGEST_LIST]
        ],
        "goals": [],
        "recommendations": [
            {name: one[name] for name in ("title", "rationale", "priority")} | {"owner": "agency"}
            for one in insight.get("recommendations", ())[:LONGEST_LIST]
        ],
        "discussion_points": ["What do these numbers mean for the quarter that comes?"],
        "next_steps": [
            {"title": "Go through the numbers together", "owner": "agency", "due_date": None}
        ],
    }


def label(metric: Facts) -> str:
    """A metric as a reader calls it: Store revenue, ROAS."""
    key: str = metric["metric_key"]
    words = [one.upper() if one in _INITIALS else one for one in key.split("_")]
    said = " ".join(words)
    return f"{said[:1].upper()}{said[1:]}"


def described(metric: Facts) -> str:
    """What a metric came to, how it changed, and how it stands, without a full stop."""
    said = f"{label(metric)} came to {amount(metric, metric['value'])}"
    if metric["delta_pct"] is not None:
        way = "up" if metric["delta_pct"] >= 0 else "down"
        said += f", {way} {figure(abs(metric['delta_pct']))} % on the period before"
    if metric["tracking_status"] is not None:
        said += f"; it is {_STANDING[metric['tracking_status']]}"
    return said


def amount(metric: Facts, value: float) -> str:
    """A value of a metric with its unit, where that is money or percent."""
    unit = metric_of(metric["metric_key"]).unit
    if unit is MetricUnit.MONEY:
        return f"{figure(value)} {metric['currency']}"
    return f"{figure(value)} %" if unit is MetricUnit.PERCENT else figure(value)


def figure(value: float) -> str:
    """A number as English has it, without an exponent: 1,250.5."""
    return f"{Decimal(str(value)):,f}"


def _summary(metrics: Sequence[Facts], period: Facts, insight: Facts) -> Iterator[str]:
    yield f"This review looks at the results from {period['start']} to {period['end']}."
    for metric in metrics[:_FIRST]:
        yield f"{described(metric)}."
    if insight.get("summary"):
        yield insight["summary"]
