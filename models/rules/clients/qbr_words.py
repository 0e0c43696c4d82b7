"""The words of a prepared QBR as a model gives them, and the content that is made from them.

Source: clients/qbrs.yaml, rules.preparation.output. The model writes words and refers to what it
was given by key or id; numbers, ids and dates of the content come from the input alone.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from models.rules.clients.qbrs import CONTENT_VERSION, LONGEST_LIST
from models.rules.results.named import metric_named
from models.rules.text import storable

Title = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(storable)]
Words = Annotated[str, Field(min_length=1, max_length=2000), AfterValidator(storable)]
_Summary = Annotated[str, Field(min_length=1, max_length=4000), AfterValidator(storable)]
_Owner = Literal["agency", "client"]
_SOURCES: Final = ("goals", "wins", "health_scores", "meetings", "history", "projects")
_OF_METRICS: Final = (
    "metric_key", "currency", "value", "prior_value", "delta_pct", "target", "tracking_status",
)  # fmt: skip
_OF_GOALS: Final = ("metric", "current_value", "target", "progress_pct")
_LARGEST: Final = 10**15
"""What a number of a QBR may be at most; goals know no bounds."""


class Part(BaseModel):
    """A part of what a model answers: exactly its members, and texts that can be stored."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, str_strip_whitespace=True
    )  # fmt: skip


class PerformanceWords(Part):
    """What is said of a metric."""

    metric_key: str
    currency: str | None = None
    comment: Words


class WinWords(Part):
    """Something that went well: a win of the list, or told by other sources."""

    win_id: str | None = None
    source_ids: list[str] = []
    title: Title
    detail: Words


class ChallengeWords(Part):
    """Something that did not go well, and which sources tell of it."""

    source_ids: list[str]
    title: Title
    detail: Words


class GoalWords(Part):
    """What is said of a goal."""

    goal_id: str
    comment: Words


class RecommendationWords(Part):
    """What should be done."""

    title: Title
    rationale: Words
    priority: Literal["high", "medium", "low"]
    owner: _Owner


class NextStepWords(Part):
    """What will be done, and by whom."""

    title: Title
    owner: _Owner


class QbrWords(Part):
    """All the words of a QBR."""

    executive_summary: _Summary
    performance: list[PerformanceWords]
    wins: list[WinWords]
    challenges: list[ChallengeWords]
    goals: list[GoalWords]
    recommendations: list[RecommendationWords]
    discussion_points: list[Words]
    next_steps: list[NextStepWords]

    def texts(self) -> Iterator[str]:
        """Every text of it; keys and ids are none."""
        yield self.executive_summary
        yield from self.discussion_points
        parts: tuple[Sequence[Part], ...] = (
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
    goals = {goal["id"]: goal for goal in given["goals"] if _is_shown(goal["target"])}
    period = given["period"]
    known = _known(given)
    return {
        "version": CONTENT_VERSION,
        "period": {"start": period["start"], "end": period["end"]},
        "executive_summary": words.executive_summary,
        "performance": _performance(words.performance, given["metrics"]),
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


def _known(given: Mapping[str, Any]) -> set[str]:
    """By what a source can be named: its id, and a metric by its key."""
    insight = given["insight"]
    return {
        *(row["id"] for name in _SOURCES for row in given[name]),
        *(metric["metric_key"] for metric in given["metrics"]),
        *([insight["id"]] if insight else []),
    }


def _performance(
    words: Sequence[PerformanceWords], metrics: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    found = ((one, metric_named(metrics, one.metric_key, one.currency)) for one in words)
    return _first(
        (
            f"{metric['metric_key']} {metric['currency']}",
            {**_picked(metric, _OF_METRICS), "comment": one.comment},
        )
        for one, metric in found
        if metric is not None
    )


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
