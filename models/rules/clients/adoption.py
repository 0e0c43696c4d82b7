"""Adoption: how much a client of the product track uses what the tenant offers.

Source: clients/tier_scores.yaml, rules.adoption. Weeks are ISO weeks, Monday to Sunday, in UTC, and
are named by their Monday.
"""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Final

from models.rules.clients.rounding import rounded
from models.rules.clients.vocabulary import HistoryKind

WEEKS: Final = 12
_PLATFORMS_ENOUGH: Final = 4
_OF_PLATFORMS = Fraction("0.5")
_OF_WEEKS = Fraction("0.4")
_OF_QUESTIONNAIRE = Fraction("0.1")

_ALWAYS: Final = frozenset(
    {
        HistoryKind.GOAL_CREATED,
        HistoryKind.GOAL_PROGRESS,
        HistoryKind.QBR_RECORDED,
        HistoryKind.QBR_PRESENTED,
        HistoryKind.SUCCESS_PROFILE_UPDATED,
        HistoryKind.CONNECTION_CREATED,
    }
)


def adoption_score(*, platforms: int, active_weeks: int, questionnaire: bool) -> Decimal:
    """From 1 to 5, to 2 places: platforms connected, weeks with an event, questionnaire done."""
    index = (
        _OF_PLATFORMS * Fraction(min(platforms, _PLATFORMS_ENOUGH), _PLATFORMS_ENOUGH)
        + _OF_WEEKS * Fraction(active_weeks, WEEKS)
        + _OF_QUESTIONNAIRE * questionnaire
    )
    return rounded(1 + 4 * index)


def week_of(day: date) -> date:
    """The Monday of the day's week."""
    return day - timedelta(days=day.weekday())


def weeks_before(today: date) -> tuple[date, date]:
    """The 12 complete weeks before the current one: the first Monday, and the one after them."""
    end = week_of(today)
    return end - timedelta(weeks=WEEKS), end


def shows_adoption(kind: HistoryKind, *, by_person: bool, confirms_win: bool = False) -> bool:
    """Tell whether an event of the history counts; asking about results counts too.

    A win counts when a person creates it, and when it is confirmed.
    """
    if kind is HistoryKind.WIN_CREATED:
        return by_person
    if kind is HistoryKind.WIN_UPDATED:
        return confirms_win
    return kind in _ALWAYS
