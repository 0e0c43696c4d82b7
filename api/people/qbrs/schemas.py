"""QBRs on the wire."""

from datetime import date as Date
from decimal import Decimal
from enum import StrEnum
from math import isinf
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict
from pydantic_core import PydanticCustomError

from api.http.bodies import Day
from api.http.wire import Number, Second, Snake
from models.queries.people.qbrs import ListedQbr, QbrRow
from models.rules.clients.qbrs import QbrPreparation
from models.rules.clients.vocabulary import QbrStatus, TrackingStatus


def _fits(value: Decimal) -> Decimal:
    if isinf(float(value)):
        raise PydanticCustomError("number_range", "Input should be a number that JSON can carry")
    return value


Figure = Annotated[Number, AfterValidator(_fits)]
"""A number that is kept as JSON has it, and so has to be one there."""

_ID = "01K9QBR0000000000000000001"
_COMPANY = "01K9CMP0000000000000000001"
_PERSON = "01K9SER0000000000000000001"

CONTENT_EXAMPLE: dict[str, Any] = {
    "version": 1,
    "period": {"start": "2026-01-01", "end": "2026-03-10"},
    "executive_summary": "Revenue from search grew while spend stayed level.",
    "performance": [
        {
            "metric_key": "roas",
            "currency": None,
            "value": 4.2,
            "prior_value": 3.5,
            "delta_pct": 20,
            "target": 4,
            "tracking_status": "on_track",
            "comment": "Above the target since February.",
        }
    ],
    "wins": [
        {
            "win_id": "01K9WTN0000000000000000001",
            "title": "Best February so far",
            "detail": "The new landing pages carried it.",
        }
    ],
    "challenges": [{"title": "Stock", "detail": "Two lines sold out in January."}],
    "goals": [
        {
            "goal_id": "01K9GAA0000000000000000001",
            "metric": "roas",
            "current_value": 4.2,
            "target": 4,
            "progress_pct": 105,
            "comment": "Reached.",
        }
    ],
    "recommendations": [
        {
            "title": "Move budget to search",
            "rationale": "It returns the most.",
            "priority": "high",
            "owner": "agency",
        }
    ],
    "discussion_points": ["Plans for the summer range"],
    "next_steps": [
        {"title": "Agree the summer budget", "owner": "client", "due_date": "2026-04-01"}
    ],
}
_SOURCE: dict[str, Any] = {
    "kind": "ai",
    "since": "2025-12-10",
    "until": "2026-03-10",
    "last_qbr_id": None,
    "metrics": [],
    "insight_id": None,
    "goals": [],
    "win_ids": ["01K9WTN0000000000000000001"],
    "meetings": [],
    "health_scores": [{"score": 72.5, "created_at": "2026-03-01T08:00:00Z"}],
    "history_event_ids": [],
    "project_ids": [],
    "model": "claude-sonnet-4-5",
    "prompt_version": "1",
    "input_hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "generated_at": "2026-03-10T09:00:00Z",
}
_VISIBILITY: dict[str, Any] = {
    "visible": False,
    "sections": {
        "executive_summary": True,
        "performance": True,
        "wins": True,
        "challenges": False,
        "goals": True,
        "recommendations": True,
        "discussion_points": False,
        "next_steps": True,
    },
}
_LISTED: dict[str, Any] = {
    "id": _ID,
    "company_id": _COMPANY,
    "date": "2026-03-10",
    "status": "draft",
    "attendees": ["Mara Lind", "Jo Park"],
    "summary": "Revenue from search grew while spend stayed level.",
    "outcomes": None,
    "next_qbr_date": "2026-06-10",
    "granola_meeting_id": None,
    "presented_at": None,
    "created_at": "2026-03-10T09:00:00Z",
    "updated_at": "2026-03-10T09:00:00Z",
}
_QBR: dict[str, Any] = {
    **_LISTED,
    "content": CONTENT_EXAMPLE,
    "source_data": _SOURCE,
    "portal_visibility": _VISIBILITY,
    "presented_by": None,
    "created_by": _PERSON,
}


class Priority(StrEnum):
    """How soon a recommendation should be followed."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class RecommendationOwner(StrEnum):
    """Who would follow a recommendation."""

    AGENCY = "agency"
    CLIENT = "client"


class QbrPeriod(Snake):
    """The days that a QBR looks back on, both included."""

    start: Day
    end: Day


class QbrPerformance(Snake):
    """How one metric did."""

    metric_key: str
    currency: str | None = None
    value: Figure
    prior_value: Figure | None = None
    delta_pct: Figure | None = None
    target: Figure | None = None
    tracking_status: TrackingStatus | None = None
    comment: str


class QbrWin(Snake):
    """Something that went well."""

    win_id: str | None = None
    title: str
    detail: str


class QbrChallenge(Snake):
    """Something that did not."""

    title: str
    detail: str


class QbrGoal(Snake):
    """How far a goal has come."""

    goal_id: str
    metric: str
    current_value: Figure | None = None
    target: Figure
    progress_pct: Figure | None = None
    comment: str


class QbrRecommendation(Snake):
    """What should be done."""

    title: str
    rationale: str
    priority: Priority
    owner: RecommendationOwner


class QbrNextStep(Snake):
    """What will be done, by whom and until when."""

    title: str
    owner: str
    due_date: Day | None = None


class QbrContent(Snake):
    """A QBR section by section."""

    model_config = ConfigDict(json_schema_extra={"examples": [CONTENT_EXAMPLE]})

    version: Literal[1]
    period: QbrPeriod
    executive_summary: str
    performance: list[QbrPerformance]
    wins: list[QbrWin]
    challenges: list[QbrChallenge]
    goals: list[QbrGoal]
    recommendations: list[QbrRecommendation]
    discussion_points: list[str]
    next_steps: list[QbrNextStep]


class QbrMeeting(Snake):
    """A meeting that a QBR was prepared from."""

    id: str
    title: str
    date: Date


class QbrHealthScore(Snake):
    """A health score that a QBR was prepared from."""

    score: Number
    created_at: Second


class QbrSourceData(Snake):
    """What a QBR was prepared from, as it was then."""

    model_config = ConfigDict(json_schema_extra={"examples": [_SOURCE]})

    kind: QbrPreparation
    since: Date
    until: Date
    last_qbr_id: str | None
    metrics: list[dict[str, Any]]
    insight_id: str | None
    goals: list[dict[str, Any]]
    win_ids: list[str]
    meetings: list[QbrMeeting]
    health_scores: list[QbrHealthScore]
    history_event_ids: list[str]
    project_ids: list[str]
    model: str | None
    prompt_version: str | None
    input_hash: str
    generated_at: Second


class QbrSections(Snake):
    """Which sections of a QBR the client's portal shows."""

    executive_summary: bool
    performance: bool
    wins: bool
    challenges: bool
    goals: bool
    recommendations: bool
    discussion_points: bool
    next_steps: bool


class QbrPortalVisibility(Snake):
    """Whether the client's portal shows a QBR once it is presented, and what of it."""

    model_config = ConfigDict(json_schema_extra={"examples": [_VISIBILITY]})

    visible: bool
    sections: QbrSections


class QbrListItem(Snake):
    """A QBR in a list."""

    model_config = ConfigDict(json_schema_extra={"examples": [_LISTED]})

    id: str
    company_id: str
    date: Date
    status: QbrStatus
    attendees: list[str]
    summary: str | None
    outcomes: str | None
    next_qbr_date: Date | None
    granola_meeting_id: str | None
    presented_at: Second | None
    created_at: Second
    updated_at: Second

    @classmethod
    def of(cls, row: ListedQbr) -> "QbrListItem":
        return cls(**_listed(row))


class Qbr(QbrListItem):
    """A quarterly business review: planned or prepared, recorded afterwards, or presented."""

    model_config = ConfigDict(json_schema_extra={"examples": [_QBR]})

    content: QbrContent | None
    source_data: QbrSourceData | None
    portal_visibility: QbrPortalVisibility
    presented_by: str | None
    created_by: str | None


class QbrOut(Snake):
    """One QBR in full."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"qbr": _QBR}]})

    qbr: Qbr

    @classmethod
    def of(cls, row: QbrRow) -> "QbrOut":
        qbr = Qbr.model_validate(
            {
                **_listed(row),
                "content": row.content,
                "source_data": row.source_data,
                "portal_visibility": row.portal_visibility,
                "presented_by": row.presented_by,
                "created_by": row.created_by,
            }
        )
        return cls(qbr=qbr)


class QbrsOut(Snake):
    """All QBRs of a client, newest date first."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"qbrs": [_LISTED]}]})

    qbrs: list[QbrListItem]


def _listed(row: ListedQbr) -> dict[str, Any]:
    return {
        "id": row.id,
        "company_id": row.company_id,
        "date": row.held_on,
        "status": row.status,
        "attendees": list(row.attendees),
        "summary": row.summary,
        "outcomes": row.outcomes,
        "next_qbr_date": row.next_qbr_date,
        "granola_meeting_id": row.granola_meeting_id,
        "presented_at": row.presented_at,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
    }
