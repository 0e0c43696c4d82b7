"""Goals on the wire."""

from typing import Annotated, Any

from pydantic import ConfigDict, Field

from api.http.bodies import Measure
from api.http.rows import writer
from api.http.wire import Number, Second, Snake
from models.rules.clients.vocabulary import PeriodType

_EXAMPLE: dict[str, Any] = {
    "id": "01K9GAA0000000000000000001",
    "company_id": "01K9CPY0000000000000000001",
    "metric": "roas",
    "target": 4.0,
    "baseline": 3.0,
    "current_value": 3.5,
    "unit": "x",
    "period": "month",
    "progress_pct": 50.0,
    "achieved_at": None,
    "created_by": "01K9SER0000000000000000001",
    "created_at": "2026-03-02T09:15:04Z",
    "updated_at": "2026-03-09T08:00:00Z",
}


class GoalIn(Snake):
    """A target for one metric."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"metric": "roas", "target": 4, "baseline": 3, "unit": "x", "period": "month"}
            ]
        }
    )

    metric: Annotated[str, Field(min_length=1, max_length=100)] = Field(
        description="A metric_key of the results, or any words."
    )
    target: Measure
    baseline: Measure | None = None
    unit: Annotated[str, Field(max_length=40)] | None = None
    period: PeriodType = Field(PeriodType.MONTH, description="What the target is meant for.")


class GoalProgressIn(Snake):
    """A goal's present value."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"current_value": 3.5}]})

    current_value: Measure


class GoalOut(Snake):
    """A goal and how far it has come."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    id: str
    company_id: str
    metric: str
    target: Number
    baseline: Number | None
    current_value: Number | None
    unit: str | None
    period: PeriodType
    progress_pct: Number | None = Field(description="Neither floored nor capped.")
    achieved_at: Second | None = Field(description="When the target was first reached.")
    created_by: str | None
    created_at: Second
    updated_at: Second


write_goal = writer(GoalOut)


class OneGoalOut(Snake):
    """The goal that was set, or whose progress was recorded."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"goal": _EXAMPLE}]})

    goal: GoalOut


class GoalsOut(Snake):
    """All goals of a client."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"goals": [_EXAMPLE]}]})

    goals: list[GoalOut]
