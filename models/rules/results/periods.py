"""Periods of results: they roll, and end on a given day, that day included.

Source: clients/results.yaml, rules.periods, and clients/connections.yaml, rules.backfill. Days are
those of the ad account, as the platform reports them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType
from typing import Final

from models.rules.clients.vocabulary import PeriodType
from models.rules.months import add_months

_DAY: Final = timedelta(days=1)
_WEEK: Final = timedelta(days=7)
_MONTHS: Final = MappingProxyType({PeriodType.MONTH: 1, PeriodType.QUARTER: 3, PeriodType.YEAR: 12})


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """From `start` to `end`, both included."""

    type: PeriodType
    start: date
    end: date

    @property
    def days(self) -> int:
        return (self.end - self.start).days + 1


def period(type: PeriodType, end: date) -> Period:
    """The period of this type that ends on the day."""
    after = end + _DAY
    start = after - _WEEK if type is PeriodType.WEEK else add_months(after, -_MONTHS[type])
    return Period(type=type, start=start, end=end)


def prior(present: Period) -> Period:
    """The period of the same type that ends on the day before."""
    return period(present.type, present.start - _DAY)


def latest_end(today: date) -> date:
    """The last day that a period may end on: clients east of UTC are a day ahead."""
    return today + _DAY


def backfill_range(today: date, days: int) -> tuple[date, date]:
    """The first and the last day of a backfill: so many days before today."""
    return today - timedelta(days=days), today - _DAY


def windows(first: date, last: date, length: int = 7) -> Iterator[tuple[date, date]]:
    """Cut a range into windows of at most `length` days, newest first, both ends included."""
    end = last
    while end >= first:
        start = max(first, end - timedelta(days=length - 1))
        yield start, end
        end = start - _DAY
