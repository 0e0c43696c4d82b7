from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.rules.clients.adoption import (
    WEEKS,
    adoption_score,
    shows_adoption,
    week_of,
    weeks_before,
)
from models.rules.clients.vocabulary import HistoryKind

DAYS = st.dates(date(1990, 1, 1), date(2100, 12, 31))
PLATFORMS = st.integers(0, 20)
ACTIVE = st.integers(0, WEEKS)


@pytest.mark.parametrize(
    ("platforms", "weeks", "questionnaire", "expected"),
    [
        (3, 9, True, "4.10"),
        (0, 0, False, "1.00"),
        (6, 12, True, "5.00"),
        (1, 4, False, "2.03"),
    ],
)
def test_adoption_is_scored(platforms, weeks, questionnaire, expected):
    found = adoption_score(platforms=platforms, active_weeks=weeks, questionnaire=questionnaire)
    assert str(found) == expected


@given(PLATFORMS, ACTIVE, st.booleans())
def test_adoption_is_between_one_and_five_and_never_falls_with_more_use(platforms, weeks, done):
    less = adoption_score(platforms=platforms, active_weeks=weeks, questionnaire=done)
    more = adoption_score(
        platforms=platforms + 1, active_weeks=min(weeks + 1, WEEKS), questionnaire=True
    )
    assert Decimal(1) <= less <= more <= Decimal(5)


@given(DAYS)
def test_the_weeks_are_complete_and_end_before_the_current_one(today):
    first, end = weeks_before(today)
    assert (first.weekday(), end.weekday()) == (0, 0)
    assert end - first == timedelta(weeks=WEEKS)
    assert end <= today < end + timedelta(weeks=1)


def test_a_week_begins_on_monday():
    sunday = date(2026, 3, 8)
    assert (week_of(sunday), week_of(sunday + timedelta(days=1))) == (
        date(2026, 3, 2), date(2026, 3, 9),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "by_person", "confirms", "shows"),
    [
        (HistoryKind.GOAL_PROGRESS, True, False, True),
        (HistoryKind.WIN_CREATED, True, False, True),
        (HistoryKind.WIN_CREATED, False, False, False),
        (HistoryKind.WIN_UPDATED, True, True, True),
        (HistoryKind.WIN_UPDATED, True, False, False),
        (HistoryKind.QBR_PREPARED, True, False, False),
        (HistoryKind.SYNC_STARTED, True, False, False),
    ],
)
def test_only_use_shows_adoption(kind, by_person, confirms, shows):
    assert shows_adoption(kind, by_person=by_person, confirms_win=confirms) is shows
