"""Health scores on the wire."""

from typing import Annotated, Any

from pydantic import ConfigDict, Field, WithJsonSchema

from api.http.bodies import Omissible, left_out
from api.http.wire import Number, Second, Snake

_EXAMPLE: dict[str, Any] = {
    "id": "01K9HEA0000000000000000001",
    "company_id": "01K9CPY0000000000000000001",
    "score": 72.5,
    "previous_score": 64.0,
    "factors": ["Two campaigns above target", "Sponsor answers within a day"],
    "assessed_by": "01K9SER0000000000000000001",
    "created_at": "2026-03-02T09:15:04Z",
}

Health = Annotated[
    Number,
    Field(ge=0, le=100),
    WithJsonSchema({"type": "number", "minimum": 0, "maximum": 100}),
]
Factor = Annotated[str, Field(min_length=1, max_length=200)]


class HealthScoreIn(Snake):
    """How well a client is, and what makes one think so."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"score": 72.5, "factors": _EXAMPLE["factors"]}]}
    )

    score: Health = Field(description="Kept to two places.")
    factors: list[Factor] = Field(default=[], max_length=50)
    assessed_by: Omissible[Annotated[str, Field(min_length=1, max_length=200)]] = Field(
        default_factory=left_out, description="A person, a tool, a survey; else the caller's id."
    )


class HealthScoreOut(Snake):
    """A health score; it never changes."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    id: str
    company_id: str
    score: Number
    previous_score: Number | None
    factors: list[str]
    assessed_by: str
    created_at: Second


class HealthScoreRecordedOut(Snake):
    """The health score that was recorded."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"health_score": _EXAMPLE}]})

    health_score: HealthScoreOut
