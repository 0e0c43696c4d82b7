"""Ranges of days for reports."""

from datetime import date

import pytest

from models.rules.ranges import CalendarPeriod, days, reaching_back, running

SUNDAY = date(2026, 5, 31)


@pytest.mark.parametrize(
    ("period", "start"),
    [
        (CalendarPeriod.DAY, SUNDAY),
        (CalendarPeriod.WEEK, date(2026, 5, 25)),
        (CalendarPeriod.MONTH, date(2026, 5, 1)),
        (CalendarPeriod.QUARTER, date(2026, 4, 1)),
    ],
)
def test_the_running_period_begins_where_the_calendar_says(
    period: CalendarPeriod, start: date
) -> None:
    assert running(period, SUNDAY) == (start, SUNDAY)


@pytest.mark.parametrize(
    ("period", "start"),
    [
        (CalendarPeriod.DAY, SUNDAY),
        (CalendarPeriod.WEEK, date(2026, 5, 25)),
        (CalendarPeriod.MONTH, date(2026, 5, 1)),
        (CalendarPeriod.QUARTER, date(2026, 3, 1)),
    ],
)
def test_an_end_alone_reaches_one_period_back(period: CalendarPeriod, start: date) -> None:
    assert reaching_back(period, SUNDAY) == (start, SUNDAY)


def test_a_range_holds_both_of_its_ends() -> None:
    assert days(date(2026, 2, 27), date(2026, 3, 1)) == [
        date(2026, 2, 27), date(2026, 2, 28), date(2026, 3, 1),
    ]  # fmt: skip
