"""Results on the wire."""

from datetime import date
from enum import StrEnum
from operator import attrgetter
from typing import Any

from pydantic import ConfigDict, Field

from api.http.rows import writer
from api.http.wire import Number, Second, Snake
from models.rules.clients.vocabulary import PeriodType, TrackingStatus
from models.rules.results.performance import OverallHealth

_PERIOD: dict[str, Any] = {
    "type": "month",
    "start": "2026-03-01",
    "end": "2026-03-31",
    "days": 31,
}
_METRIC: dict[str, Any] = {
    "metric_key": "roas",
    "value": 3.7125,
    "avg_value": 3.6904,
    "data_points": 31,
    "currency": "USD",
    "prior_value": 3.5,
    "delta_pct": 6.07,
    "target": 4.0,
    "tracking_status": "on_track",
}
_CONTENT: dict[str, Any] = {
    "version": 1,
    "headline": "Returns are up on steady spend",
    "summary": "Return on ad spend rose by 6 % while spend stayed level.",
    "highlights": [
        {
            "metric_key": "roas",
            "currency": "USD",
            "value": 3.7125,
            "prior_value": 3.5,
            "delta_pct": 6.07,
            "comment": "The best month since the launch.",
        }
    ],
    "concerns": [],
    "goal_progress": [
        {
            "metric_key": "roas",
            "currency": "USD",
            "value": 3.7125,
            "target": 4.0,
            "tracking_status": "on_track",
            "comment": "Close to the target.",
        }
    ],
    "campaigns": [
        {
            "campaign_id": "120210000000000001",
            "platform": "meta_ads",
            "spend": 1200.0,
            "roas": 4.0,
            "cpa": 20.0,
            "verdict": "scale",
            "comment": "Carries the month.",
        }
    ],
    "recommendations": [
        {
            "title": "Move budget to the spring campaign",
            "rationale": "It returns more for each dollar than the others.",
            "priority": "high",
            "platform": "meta_ads",
            "metric_key": "roas",
        }
    ],
    "data_quality": [],
}
_INSIGHT: dict[str, Any] = {
    "content": "Return on ad spend rose by 6 % while spend stayed level.",
    "content_json": _CONTENT,
    "health_score": 80,
    "overall_health": "healthy",
    "period_type": "month",
    "period_start": "2026-03-01",
    "period_end": "2026-03-31",
    "generated_at": "2026-04-01T04:12:09Z",
}


class PeriodOut(Snake):
    """From the first to the last day, both included."""

    type: PeriodType
    start: date
    end: date
    days: int


class MetricOut(Snake):
    """A metric over the period, once for each currency where it is money."""

    model_config = ConfigDict(json_schema_extra={"examples": [_METRIC]})

    metric_key: str
    value: Number
    avg_value: Number = Field(description="The mean of the days that have data.")
    data_points: int = Field(description="How many days have data.")
    currency: str = Field(description="The primary one where the metric is not money.")
    prior_value: Number | None
    delta_pct: Number | None
    target: Number | None = Field(description="The goal's, scaled to the period for sums.")
    tracking_status: TrackingStatus | None


class Severity(StrEnum):
    """How bad a concern is."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Verdict(StrEnum):
    """What to do with a campaign."""

    SCALE = "scale"
    KEEP = "keep"
    FIX = "fix"
    STOP = "stop"


class HighlightOut(Snake):
    """A number that went well."""

    metric_key: str
    currency: str
    value: Number
    prior_value: Number | None
    delta_pct: Number | None
    comment: str


class ConcernOut(Snake):
    """A number to look at."""

    metric_key: str
    currency: str
    value: Number
    prior_value: Number | None
    delta_pct: Number | None
    severity: Severity
    comment: str


class GoalProgressOut(Snake):
    """How a metric stands against its goal."""

    metric_key: str
    currency: str
    value: Number
    target: Number
    tracking_status: TrackingStatus
    comment: str


class CampaignVerdictOut(Snake):
    """What to do with a campaign, and why."""

    campaign_id: str
    platform: str
    spend: Number
    roas: Number | None
    cpa: Number | None
    verdict: Verdict
    comment: str


class RecommendationOut(Snake):
    """What to do next."""

    title: str
    rationale: str
    priority: Severity
    platform: str | None
    metric_key: str | None


class DataQualityOut(Snake):
    """What is wrong with the data of a platform."""

    platform: str
    issue: str


class InsightContentOut(Snake):
    """An insight in parts: the numbers are computed, the words are a model's."""

    version: int
    headline: str
    summary: str
    highlights: list[HighlightOut]
    concerns: list[ConcernOut]
    goal_progress: list[GoalProgressOut]
    campaigns: list[CampaignVerdictOut]
    recommendations: list[RecommendationOut]
    data_quality: list[DataQualityOut]


class InsightOut(Snake):
    """What a model wrote about a period; the score is computed."""

    model_config = ConfigDict(json_schema_extra={"examples": [_INSIGHT]})

    content: str
    content_json: InsightContentOut
    health_score: Number | None
    overall_health: OverallHealth | None
    period_type: PeriodType
    period_start: date
    period_end: date
    generated_at: Second


class ResultsOut(Snake):
    """A client's results over a period."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "period": _PERIOD,
                    "prior_period": {
                        "type": "month",
                        "start": "2026-02-01",
                        "end": "2026-02-28",
                        "days": 28,
                    },
                    "metrics": [_METRIC],
                    "insight": _INSIGHT,
                    "connected_platforms": ["meta_ads", "shopify"],
                }
            ]
        }
    )

    period: PeriodOut
    prior_period: PeriodOut
    metrics: list[MetricOut]
    insight: InsightOut | None
    connected_platforms: list[str]


write_period = writer(PeriodOut)
write_metric = writer(MetricOut)
write_insight = writer(InsightOut, content_json=attrgetter("content_json"))
