"""The words of an insight as a model gives them, and the content that is made from them.

Source: clients/results.yaml, rules.insight. The model writes words and names metrics, campaigns
and platforms; numbers, statuses and ids of the content come from what it was given.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, Literal

from models.rules.clients.metrics import metric_of
from models.rules.clients.qbr_words import Part, Title, Words
from models.rules.clients.vocabulary import TrackingStatus
from models.rules.results.named import Facts, campaign_named, metric_named
from models.rules.results.performance import PerformanceHealth, Signal, performance_health

CONTENT_VERSION: Final = 1
CONTENT_WORDS: Final = (80, 250)
LONGEST_LIST: Final = 5
"""How many entries a list of an insight holds; every metric with a goal has its progress."""
_STANDING: Final[Mapping[str, str]] = {
    TrackingStatus.ON_TRACK: "On track for its goal.",
    TrackingStatus.AT_RISK: "At risk of missing its goal.",
    TrackingStatus.OFF_TRACK: "Off track for its goal.",
}
_CHANGED: Final = ("metric_key", "currency", "value", "prior_value", "delta_pct")
_AGAINST_GOAL: Final = ("metric_key", "currency", "value", "target", "tracking_status")
_OF_CAMPAIGN: Final = ("campaign_id", "platform", "spend", "roas", "cpa")

Grade = Literal["low", "medium", "high"]


class MetricWords(Part):
    """What is said of a metric."""

    metric_key: str
    currency: str | None = None
    comment: Words


class ConcernWords(MetricWords):
    """What is said of a metric to look at."""

    severity: Grade


class CampaignWords(Part):
    """What to do with a campaign, and why."""

    campaign_id: str
    platform: str
    verdict: Literal["scale", "keep", "fix", "stop"]
    comment: Words


class AdviceWords(Part):
    """What to do next."""

    title: Title
    rationale: Words
    priority: Grade
    platform: str | None = None
    metric_key: str | None = None


class QualityWords(Part):
    """What is wrong with the data of a platform."""

    platform: str
    issue: Words


class InsightWords(Part):
    """All the words of an insight."""

    content: Words
    headline: Title
    summary: Words
    highlights: list[MetricWords]
    concerns: list[ConcernWords]
    goal_progress: list[MetricWords]
    campaigns: list[CampaignWords]
    recommendations: list[AdviceWords]
    data_quality: list[QualityWords]

    def texts(self) -> Iterator[str]:
        """Every text of it; keys and ids are none."""
        yield from (self.content, self.headline, self.summary)
        parts: tuple[Sequence[Part], ...] = (
            self.highlights, self.concerns, self.goal_progress, self.campaigns,
            self.recommendations, self.data_quality,
        )  # fmt: skip
        for part in parts:
            for entry in part:
                for name in ("title", "comment", "rationale", "issue"):
                    yield getattr(entry, name, "")


def insight_content(words: InsightWords, given: Facts) -> dict[str, Any]:
    """The content of an insight. What names nothing that was given is dropped.

    Of several entries about one thing the first stays.
    """
    metrics, platforms = given["metrics"], {one["platform"] for one in given["connections"]}
    return {
        "version": CONTENT_VERSION,
        "headline": words.headline,
        "summary": words.summary,
        "highlights": _about(words.highlights, metrics, _CHANGED),
        "concerns": _about(words.concerns, metrics, _CHANGED, "severity"),
        "goal_progress": list(_progress(words.goal_progress, metrics)),
        "campaigns": _campaigns(words.campaigns, given["campaigns"]),
        "recommendations": [
            {
                **one.model_dump(),
                "platform": one.platform if one.platform in platforms else None,
                "metric_key": _known_key(one.metric_key, metrics),
            }
            for one in words.recommendations[:LONGEST_LIST]
        ],
        "data_quality": [
            one.model_dump() for one in words.data_quality if one.platform in platforms
        ][:LONGEST_LIST],
    }


def health_of(metrics: Sequence[Facts]) -> PerformanceHealth:
    """How well the given metrics do together."""
    return performance_health(
        Signal(
            direction=metric_of(one["metric_key"]).direction,
            tracking_status=_status(one["tracking_status"]),
            delta_pct=None if one["delta_pct"] is None else Decimal(str(one["delta_pct"])),
        )
        for one in metrics
    )


def _status(said: str | None) -> TrackingStatus | None:
    return None if said is None else TrackingStatus(said)


def _about(
    words: Iterable[MetricWords], metrics: Sequence[Facts], members: Sequence[str], *more: str
) -> list[dict[str, Any]]:
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for one in words:
        metric = metric_named(metrics, one.metric_key, one.currency)
        if metric is not None:
            said = {name: getattr(one, name) for name in (*more, "comment")}
            found.setdefault(_key(metric), {**_picked(metric, members), **said})
    return list(found.values())[:LONGEST_LIST]


def _progress(words: Iterable[MetricWords], metrics: Sequence[Facts]) -> Iterator[dict[str, Any]]:
    """Every metric with a goal it can be held against, with the model's words where it has any."""
    said: dict[tuple[str, str], str] = {}
    for one in words:
        metric = metric_named(metrics, one.metric_key, one.currency)
        if metric is not None:
            said.setdefault(_key(metric), one.comment)
    for metric in metrics:
        status = metric["tracking_status"]
        if status is not None:
            comment = said.get(_key(metric), _STANDING[status])
            yield {**_picked(metric, _AGAINST_GOAL), "comment": comment}


def _campaigns(words: Iterable[CampaignWords], campaigns: Sequence[Facts]) -> list[dict[str, Any]]:
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for one in words:
        campaign = campaign_named(campaigns, one.campaign_id, one.platform)
        if campaign is not None:
            said = {"verdict": one.verdict, "comment": one.comment}
            key = one.campaign_id, one.platform
            found.setdefault(key, {**_picked(campaign, _OF_CAMPAIGN), **said})
    return list(found.values())[:LONGEST_LIST]


def _known_key(key: str | None, metrics: Sequence[Facts]) -> str | None:
    return key if any(one["metric_key"] == key for one in metrics) else None


def _key(metric: Facts) -> tuple[str, str]:
    return metric["metric_key"], metric["currency"]


def _picked(row: Facts, names: Sequence[str]) -> dict[str, Any]:
    return {name: row[name] for name in names}
