"""The gap ledger's rules: which days of an account are asked for, and what is known of them then.

Source: clients/connections.yaml, rules.sync.range and rules.backfill. Days are the account's own.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from models.rules.platforms.registry import PlatformId
from models.rules.platforms.restatement import is_provisional
from models.rules.results.periods import backfill_range, windows

OVERLAP: Final = timedelta(days=7)
"""How far a sync looks back behind the last stored day: platforms restate recent conversions."""
FIRST_LOOK: Final = timedelta(days=30)
"""How far back a sync looks where nothing is stored."""
SYNC_WINDOW: Final = 10
"""The days that a sync asks for at once, so that a usual day takes one window."""
BACKFILL_WINDOW: Final = 7
_DAY: Final = timedelta(days=1)

Range = tuple[date, date]
"""Consecutive days, both ends included."""


class Level(StrEnum):
    """What a day is known of: the whole account, or its campaigns and creatives."""

    ACCOUNT = "account"
    CAMPAIGN = "campaign"


class DayState(StrEnum):
    """What is known of a day."""

    MISSING = "missing"
    PROVISIONAL = "provisional"
    FINAL = "final"


def state_of(platform: PlatformId, day: date, *, today: date, is_told: bool = True) -> DayState:
    """What a day is known as that is pulled today.

    A recent day of which the platform told nothing at all is one that it does not have yet.
    """
    if not is_provisional(platform, day, today=today):
        return DayState.FINAL
    return DayState.PROVISIONAL if is_told else DayState.MISSING


def sync_ranges(
    platform: PlatformId, known: Mapping[date, DayState], *, today: date
) -> list[Range]:
    """What a sync asks for, newest first: the recent days, every gap, and what has settled since.

    A day has settled when the platform restates it no more, but was pulled last while it did. A
    gap is also a day between two stored ones that nobody ever asked for, as where a backfill came
    before the first sync after a long rest.
    """
    stored = [day for day, state in known.items() if state is not DayState.MISSING]
    first = min(max(stored), today) - OVERLAP if stored else today - FIRST_LOOK
    recent = set(days_of(first, today))
    older = {day for day, state in known.items() if _is_due(platform, day, state, today)}
    between = set(days_of(min(stored, default=first), first)) - known.keys()
    return list(_cut(recent | older | between))


def backfill_ranges(known: Mapping[date, DayState], *, today: date, days: int) -> list[Range]:
    """What a backfill asks for, newest first; a window is left out that is final as a whole."""
    return [
        (first, last)
        for first, last in windows(*backfill_range(today, days), BACKFILL_WINDOW)
        if any(known.get(day) is not DayState.FINAL for day in days_of(first, last))
    ]


def days_of(first: date, last: date) -> Iterator[date]:
    """Every day from the first to the last."""
    for number in range((last - first).days + 1):
        yield first + number * _DAY


def _is_due(platform: PlatformId, day: date, state: DayState, today: date) -> bool:
    if day > today:
        return False
    if state is DayState.MISSING:
        return True
    return state is DayState.PROVISIONAL and not is_provisional(platform, day, today=today)


def _cut(days: Iterable[date]) -> Iterator[Range]:
    """The runs of consecutive days, newest first, cut to the length of a window."""
    run: list[date] = []
    for day in sorted(days, reverse=True):
        if run and run[-1] - day != _DAY:
            yield from windows(run[-1], run[0], SYNC_WINDOW)
            run = []
        run.append(day)
    if run:
        yield from windows(run[-1], run[0], SYNC_WINDOW)
