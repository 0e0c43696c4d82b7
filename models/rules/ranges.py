"""Ranges of days for reports: calendar periods, and what one given end of a range means."""

from calendar import monthrange
from datetime import date, timedelta
from enum import StrEnum

LONGEST_DAYS = 366
_DAY = timedelta(days=1)
_MONTHS = 12


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
            return _months_before(end, 1) + _DAY, end
        case CalendarPeriod.QUARTER:
            return _months_before(end, 3) + _DAY, end


def days(start: date, end: date) -> list[date]:
    """Every day of a range, both ends included."""
    return [start + timedelta(days=offset) for offset in range((end - start).days + 1)]


def _months_before(day: date, months: int) -> date:
    """The same day of an earlier month, or the month's last where it is shorter."""
    years, month = divmod(day.year * _MONTHS + day.month - 1 - months, _MONTHS)
    return date(years, month + 1, min(day.day, monthrange(years, month + 1)[1]))
