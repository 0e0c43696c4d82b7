"""The success profile on the wire."""

from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from api.http.bodies import Omissible, SnakePatch, left_out
from api.http.wire import Number, Second, Snake
from models.queries.people.success_profiles import ProfileRow
from models.rules.clients.success import is_day_of_year

_ANSWERS: dict[str, Any] = {
    "financial_year_start": "04-01",
    "financial_year_end": "03-31",
    "key_trading_periods": [
        {"name": "Christmas", "start": "11-20", "end": "01-05", "note": "Half of the year's gifts"}
    ],
    "channel_online_pct": 62.5,
    "channel_instore_pct": 37.5,
    "channel_wholesale_pct": None,
    "celebration_vision": "A second shop that pays for itself.",
    "growth_priorities_text": "Returning customers before new ones.",
    "company_direction_text": "From one town to three.",
}
_PROFILE: dict[str, Any] = {
    "id": "01K9SPR0000000000000000001",
    "company_id": "01K9CMP0000000000000000001",
    **_ANSWERS,
    "completed_at": "2026-03-10T09:00:00Z",
    "created_at": "2026-02-01T10:30:00Z",
    "updated_at": "2026-03-10T09:00:00Z",
}


def _in_some_year(text: str) -> str:
    if not is_day_of_year(text):
        raise PydanticCustomError("day_of_year", "There is no such day in any year")
    return text


DayOfYear = Annotated[
    str,
    Field(pattern="^(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$", description="MM-DD"),
    AfterValidator(_in_some_year),
]
"""A day of the year; the 29th of February is one."""
Percentage = Annotated[Number, Field(ge=0, le=100)]
Words = Annotated[str, Field(max_length=5000)]


class TradingPeriod(Snake):
    """A stretch of the year that matters to a client; it may wrap over the new year."""

    name: str = Field(min_length=1, max_length=200)
    start: DayOfYear
    end: DayOfYear
    note: Words | None = None


class SuccessProfileOut(Snake):
    """A client's answers to the success questionnaire."""

    model_config = ConfigDict(json_schema_extra={"examples": [_PROFILE]})

    id: str
    company_id: str
    financial_year_start: str | None
    financial_year_end: str | None
    key_trading_periods: list[TradingPeriod]
    channel_online_pct: Number | None
    channel_instore_pct: Number | None
    channel_wholesale_pct: Number | None
    celebration_vision: str | None
    growth_priorities_text: str | None
    company_direction_text: str | None
    completed_at: Second | None = Field(description="When it was complete for the first time.")
    created_at: Second
    updated_at: Second


class ProfileFoundOut(Snake):
    """The profile, if there is one, and whether every question is answered now."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"profile": _PROFILE, "questionnaire_completed": True}]}
    )

    profile: SuccessProfileOut | None = Field(description="Null before the first answer.")
    questionnaire_completed: bool

    @classmethod
    def of(cls, row: ProfileRow | None) -> "ProfileFoundOut":
        if row is None:
            return cls(profile=None, questionnaire_completed=False)
        profile = SuccessProfileOut.model_validate(row)
        return cls(profile=profile, questionnaire_completed=row.is_complete)


class ProfileAnsweredOut(Snake):
    """The profile after an answer, and whether every question is answered now."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"profile": _PROFILE, "questionnaire_completed": True}]}
    )

    profile: SuccessProfileOut
    questionnaire_completed: bool

    @classmethod
    def of(cls, row: ProfileRow) -> "ProfileAnsweredOut":
        profile = SuccessProfileOut.model_validate(row)
        return cls(profile=profile, questionnaire_completed=row.is_complete)


class SuccessProfilePatch(SnakePatch):
    """Answers to questions; null takes one back, and the periods are replaced whole."""

    model_config = ConfigDict(json_schema_extra={"examples": [_ANSWERS]})

    financial_year_start: DayOfYear | None = Field(default_factory=left_out)
    financial_year_end: DayOfYear | None = Field(default_factory=left_out)
    key_trading_periods: Omissible[Annotated[list[TradingPeriod], Field(max_length=24)]] = Field(
        default_factory=left_out
    )
    channel_online_pct: Percentage | None = Field(default_factory=left_out)
    channel_instore_pct: Percentage | None = Field(default_factory=left_out)
    channel_wholesale_pct: Percentage | None = Field(default_factory=left_out)
    celebration_vision: Words | None = Field(default_factory=left_out)
    growth_priorities_text: Words | None = Field(default_factory=left_out)
    company_direction_text: Words | None = Field(default_factory=left_out)

    def answers(self) -> dict[str, Any]:
        """The answers that were sent, by their columns."""
        sent = self.sent()
        if self.key_trading_periods is not None:
            sent["key_trading_periods"] = [one.model_dump() for one in self.key_trading_periods]
        return sent
