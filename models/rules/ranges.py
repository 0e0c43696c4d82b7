"""Ranges of days for reports: calendar periods, and what one given end of a range means."""

from datetime import date, timedelta
from enum import StrEnum

from models.rules.months import add_months

LONGEST_DAYS = 366
_DAY = timedelta(days=1)


class CalendarPeriod(StrEnum):
    """The periods that a report can be of; weeks start on Monday."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"


def running(period: CalendarPeriod, today: date) -> tuple[date, date]:
    """The calendar period that is running, up to today."""
    match period:
        case CalendarPeriod.DAY:
            return today, today
        case CalendarPeriod.WEEK:
            return today - timedelta(days=today.weekday()), today
        case CalendarPeriod.MONTH:
            return today.replace(day=1), today
        case CalendarPeriod.QUARTER:
            return date(today.year, today.month - (today.month - 1) % 3, 1), today


def reaching_back(period: CalendarPeriod, end: date) -> tuple[date, date]:
    """One period's length that ends with this day."""
    match period:
        case CalendarPeriod.DAY:
            return end, end
        case CalendarPeriod.WEEK:
            return end - timedelta(days=6), end
        case CalendarPeriod.MONTH:
            return add_months(end, -1) + _DAY, end
        case CalendarPeriod.QUARTER:
            return add_months(end, -3) + _DAY, end


def days(start: date, end: date) -> list[date]:
    """Every day of a range, both ends included."""
    return [start + timedelta(days=offset) for offset in range((end - start).days + 1)]
