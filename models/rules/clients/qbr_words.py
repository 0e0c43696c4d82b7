"""The words of a prepared QBR as a model gives them, and the content that is made from them.

Source: clients/qbrs.yaml, rules.preparation.output. The model writes words and refers to what it
was given by key or id; numbers, ids and dates of the content come from the input alone.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from models.rules.clients.qbrs import CONTENT_VERSION, LONGEST_LIST
from models.rules.text import storable

_Title = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(storable)]
_Words = Annotated[str, Field(min_length=1, max_length=2000), AfterValidator(storable)]
_Summary = Annotated[str, Field(min_length=1, max_length=4000), AfterValidator(storable)]
_Owner = Literal["agency", "client"]
_SOURCES: Final = ("goals", "wins", "health_scores", "meetings", "history", "projects")
_OF_METRICS: Final = (
    "metric_key", "currency", "value", "prior_value", "delta_pct", "target", "tracking_status",
)  # fmt: skip
_OF_GOALS: Final = ("metric", "current_value", "target", "progress_pct")
_LARGEST: Final = 10**15
"""What a number of a QBR may be at most; goals know no bounds."""


class _Part(BaseModel):
    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, str_strip_whitespace=True
    )  # fmt: skip


class PerformanceWords(_Part):
    """What is said of a metric."""

    metric_key: str
    comment: _Words


class WinWords(_Part):
    """Something that went well: a win of the list, or told by other sources."""

    win_id: str | None = None
    source_ids: list[str] = []
    title: _Title
    detail: _Words


class ChallengeWords(_Part):
    """Something that did not go well, and which sources tell of it."""

    source_ids: list[str]
    title: _Title
    detail: _Words


class GoalWords(_Part):
    """What is said of a goal."""

    goal_id: str
    comment: _Words


class RecommendationWords(_Part):
    """What should be done."""

    title: _Title
    rationale: _Words
    priority: Literal["high", "medium", "low"]
    owner: _Owner


class NextStepWords(_Part):
    """What will be done, and by whom."""

    title: _Title
    owner: _Owner


class QbrWords(_Part):
    """All the words of a QBR."""

    executive_summary: _Summary
    performance: list[PerformanceWords]
    wins: list[WinWords]
    challenges: list[ChallengeWords]
    goals: list[GoalWords]
    recommendations: list[RecommendationWords]
    discussion_points: list[_Words]
    next_steps: list[NextStepWords]

    def texts(self) -> Iterator[str]:
        """Every text of it; keys and ids are none."""
        yield self.executive_summary
        yield from self.discussion_points
        parts: tuple[Sequence[_Part], ...] = (
            self.performance, self.wins, self.challenges, self.goals, self.recommendations,
            self.next_steps,
        )  # fmt: skip
        for part in parts:
            for entry in part:
                for name in ("title", "detail", "comment", "rationale"):
                    yield getattr(entry, name, "")


def qbr_content(words: QbrWords, given: Mapping[str, Any]) -> dict[str, Any]:
    """The content of a QBR. What refers to nothing that was given is dropped.

    A win or a challenge must name a source. Of several entries about one thing the first stays.
    """
    metrics = {metric["metric_key"]: metric for metric in given["metrics"]}
    goals = {goal["id"]: goal for goal in given["goals"] if _is_shown(goal["target"])}
    period = given["period"]
    known = {row["id"] for name in _SOURCES for row in given[name]}
    return {
        "version": CONTENT_VERSION,
        "period": {"start": period["start"], "end": period["end"]},
        "executive_summary": words.executive_summary,
        "performance": _first(
            (one.metric_key, {**_picked(metrics[one.metric_key], _OF_METRICS),
                              "comment": one.comment})
            for one in words.performance if one.metric_key in metrics
        ),
        "wins": _wins(words.wins, {win["id"] for win in given["wins"]}, known),
        "challenges": [
            {"title": one.title, "detail": one.detail}
            for one in words.challenges if known.intersection(one.source_ids)
        ][:LONGEST_LIST],
        "goals": _first(
            (one.goal_id, {"goal_id": one.goal_id, **_picked(goals[one.goal_id], _OF_GOALS),
                           "comment": one.comment})
            for one in words.goals if one.goal_id in goals
        ),
        "recommendations": [one.model_dump() for one in words.recommendations[:LONGEST_LIST]],
        "discussion_points": list(words.discussion_points[:LONGEST_LIST]),
        "next_steps": [
            # No input has a date for what nobody has agreed on yet.
            {"title": one.title, "owner": one.owner, "due_date": None}
            for one in words.next_steps[:LONGEST_LIST]
        ],
    }  # fmt: skip


def _wins(
    words: Sequence[WinWords], listed: Collection[str], known: Collection[str]
) -> list[dict[str, Any]]:
    kept = []
    for number, one in enumerate(words):
        is_listed = one.win_id in listed
        if not is_listed and (one.win_id is not None or not set(known) & set(one.source_ids)):
            continue
        win_id = one.win_id if is_listed else None
        entry = {"win_id": win_id, "title": one.title, "detail": one.detail}
        kept.append((win_id or str(number), entry))
    return _first(iter(kept))


def _first(entries: Iterator[tuple[str, dict[str, Any]]]) -> list[dict[str, Any]]:
    unique: dict[str, dict[str, Any]] = {}
    for key, entry in entries:
        unique.setdefault(key, entry)
    return list(unique.values())[:LONGEST_LIST]


def _picked(row: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {name: row.get(name) if _is_shown(row.get(name)) else None for name in names}


def _is_shown(value: object) -> bool:
    return not isinstance(value, int | float) or abs(value) <= _LARGEST
