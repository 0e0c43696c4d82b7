"""When a client is synced every day: at 04:00 in its own zone, spread over the hour after it.

Source: clients/common.yaml, rules.workflows.schedules, but for the zone: four in the morning is
meant where the client is. A day has one such moment, however long it is, so that a client is due
once a day.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256
from typing import Final
from zoneinfo import ZoneInfo

_AT: Final = time(4)
_SPREAD_S: Final = 3600
_DAY: Final = timedelta(days=1)


def spread(company_id: str) -> timedelta:
    """How long after 04:00 this client is due, the same every day."""
    digest = sha256(company_id.encode()).digest()
    return timedelta(seconds=int.from_bytes(digest[:8]) % _SPREAD_S)


def due_at(company_id: str, zone: str | None, day: date) -> datetime:
    """When the client is due on a day of its zone."""
    local = datetime.combine(day, _AT, _zone(zone))
    # A clock that jumps over 04:00 shows it never: then it is the moment at which it would.
    return local.astimezone(UTC) + spread(company_id)


def due_within(company_id: str, zone: str | None, start: datetime, end: datetime) -> bool:
    """Tell whether the client is due from `start` until before `end`."""
    return any(start <= due_at(company_id, zone, day) < end for day in _days(start, end, zone))


def _days(start: datetime, end: datetime, zone: str | None) -> Iterator[date]:
    known = _zone(zone)
    day = start.astimezone(known).date() - _DAY
    last = end.astimezone(known).date()
    while day <= last:
        yield day
        day += _DAY


def _zone(name: str | None) -> ZoneInfo:
    try:
        return ZoneInfo(name or "UTC")
    except (KeyError, ValueError, OSError):
        return ZoneInfo("UTC")
