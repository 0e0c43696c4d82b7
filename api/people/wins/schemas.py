"""Wins on the wire."""

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, field_validator
from pydantic_core import PydanticCustomError

from api.http.bodies import Day, Measure, Omissible, SnakePatch, WholeSecond, left_out
from api.http.rows import writer
from api.http.wire import Number, Second, Snake
from models.rules.clients.vocabulary import WinSource, WinStatus

_EXAMPLE: dict[str, Any] = {
    "id": "01K9WAA0000000000000000001",
    "company_id": "01K9CPY0000000000000000001",
    "title": "Return on ad spend passed four",
    "description": "The spring campaign carried it.",
    "outcome_text": "Every euro of advertising brought four of revenue.",
    "project_id": "01K9PRJ0000000000000000001",
    "project": {"id": "01K9PRJ0000000000000000001", "name": "Spring heat pumps"},
    "metric_key": "roas",
    "metric_delta": 1.2,
    "metric_delta_unit": "x",
    "won_at": "2026-03-02",
    "linked_goal_id": "01K9GAA0000000000000000001",
    "linked_goal": {
        "id": "01K9GAA0000000000000000001",
        "metric": "roas",
        "target": 4.0,
        "current_value": 4.2,
        "unit": "x",
    },
    "source": "manual",
    "status": "confirmed",
    "snoozed_until": None,
    "created_by": "01K9SER0000000000000000001",
    "created_at": "2026-03-02T09:15:04Z",
    "updated_at": "2026-03-02T09:15:04Z",
}

Title = Annotated[str, Field(min_length=1, max_length=300, pattern=r"\S")]
Text = Annotated[str, Field(max_length=10_000)]
Unit = Annotated[str, Field(max_length=40)]


class WinIn(Snake):
    """Something that went well."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "title": "Return on ad spend passed four",
                    "outcome_text": "Every euro of advertising brought four of revenue.",
                    "metric_key": "roas",
                    "metric_delta": 1.2,
                    "metric_delta_unit": "x",
                    "won_at": "2026-03-02",
                }
            ]
        }
    )

    title: Title
    description: Text | None = None
    outcome_text: Text | None = None
    project_id: str | None = None
    metric_key: Annotated[str, Field(max_length=100)] | None = None
    metric_delta: Measure | None = None
    metric_delta_unit: Unit | None = None
    won_at: Omissible[Day] = Field(default_factory=left_out, description="Else today, in UTC.")
    linked_goal_id: str | None = None
    source: WinSource = WinSource.MANUAL
    status: WinStatus = Field(WinStatus.CONFIRMED, description="Anything but snoozed.")

    @field_validator("status")
    @classmethod
    def _is_awake(cls, status: WinStatus) -> WinStatus:
        if status is WinStatus.SNOOZED:
            raise PydanticCustomError(
                "snoozed", "A win is snoozed by an update that says until when"
            )
        return status


class WinPatch(SnakePatch):
    """What of a win can be changed: its words, its figure, its goal, and what is made of it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"status": "confirmed", "outcome_text": "Every euro brought four of revenue."}
            ]
        }
    )

    title: Omissible[Title] = Field(default_factory=left_out)
    description: Text | None = Field(default_factory=left_out)
    outcome_text: Text | None = Field(default_factory=left_out)
    metric_delta: Measure | None = Field(default_factory=left_out)
    metric_delta_unit: Unit | None = Field(default_factory=left_out)
    linked_goal_id: str | None = Field(default_factory=left_out)
    status: Omissible[WinStatus] = Field(default_factory=left_out)
    snoozed_until: WholeSecond | None = Field(
        default_factory=left_out,
        description="In the future. By itself it snoozes the win, and null wakes it.",
    )


class WinProjectOut(Snake):
    """The project that a win came of."""

    id: str
    name: str


class WinGoalOut(Snake):
    """The goal that a win belongs to, as it stands now."""

    id: str
    metric: str
    target: Number
    current_value: Number | None
    unit: str | None


class WinOut(Snake):
    """Something that went well, with the project and the goal that it is linked to."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    id: str
    company_id: str
    title: str
    description: str | None
    outcome_text: str | None
    project_id: str | None
    project: WinProjectOut | None
    metric_key: str | None
    metric_delta: Number | None
    metric_delta_unit: str | None
    won_at: date
    linked_goal_id: str | None
    linked_goal: WinGoalOut | None
    source: WinSource
    status: WinStatus
    snoozed_until: Second | None
    created_by: str | None = Field(description="Null when a goal that was reached suggested it.")
    created_at: Second
    updated_at: Second


_write_project, _write_goal = writer(WinProjectOut), writer(WinGoalOut)
write_win = writer(
    WinOut,
    project=lambda row: row.project and _write_project(row.project),
    linked_goal=lambda row: row.linked_goal and _write_goal(row.linked_goal),
)


class OneWinOut(Snake):
    """The win that was recorded or changed."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"win": _EXAMPLE}]})

    win: WinOut


class WinsOut(Snake):
    """The wins of a client that were asked for."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"wins": [_EXAMPLE]}]})

    wins: list[WinOut]


class WinDeletedOut(Snake):
    """The win is gone."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"ok": True}]})

    ok: Literal[True] = True
