"""The success profile: when its questionnaire is complete, and which answers are possible.

Source: clients/success_profile.yaml, rules.completion and the errors of the update. Days of the
year are MM-DD; percentages are 0 to 100 and together at most 100.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

_WHOLE: Final = Decimal(100)
_LEAP_YEAR: Final = "2024"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """The answers that completeness depends on; `trading_periods` is how many there are."""

    financial_year_start: str | None = None
    financial_year_end: str | None = None
    trading_periods: int = 0
    channel_pcts: tuple[Decimal | None, ...] = ()
    celebration_vision: str | None = None
    growth_priorities_text: str | None = None
    company_direction_text: str | None = None


def is_complete(answers: Answers) -> bool:
    """Tell whether nothing is missing; one of the channels' percentages is enough."""
    days = (answers.financial_year_start, answers.financial_year_end)
    texts = (
        answers.celebration_vision,
        answers.growth_priorities_text,
        answers.company_direction_text,
    )
    return (
        all(day is not None for day in days)
        and answers.trading_periods > 0
        and any(pct is not None for pct in answers.channel_pcts)
        and all(text is not None and bool(text.strip()) for text in texts)
    )


def exceeds_whole(pcts: Iterable[Decimal | None]) -> bool:
    """Tell whether the channels together are more than everything."""
    return sum((pct for pct in pcts if pct is not None), Decimal(0)) > _WHOLE


def is_day_of_year(text: str) -> bool:
    """Tell whether there is such a day in some year, written MM-DD; 02-29 is one."""
    try:
        return date.fromisoformat(f"{_LEAP_YEAR}-{text}").strftime("%m-%d") == text
    except ValueError:
        return False
