"""When a client is due for its daily sync."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from models.rules.platforms.daily_syncs import due_at, due_within, spread

HOUR = timedelta(hours=1)
CLIENTS = [f"client-{number}" for number in range(200)]


def times_due(company_id: str, zone: str | None, start: datetime, hours: int) -> int:
    """How often an hourly look finds the client due."""
    starts = [start + number * HOUR for number in range(hours)]
    return sum(due_within(company_id, zone, one, one + HOUR) for one in starts)


def test_clients_are_spread_over_the_hour_after_four() -> None:
    minutes = {int(spread(one).total_seconds() // 600) for one in CLIENTS}
    assert minutes == set(range(6))
    for one in CLIENTS:
        due = due_at(one, "Europe/Berlin", date(2026, 3, 10)).astimezone(ZoneInfo("Europe/Berlin"))
        assert (due.date(), due.hour) == (date(2026, 3, 10), 4)


@pytest.mark.parametrize("zone", [None, "", "Mars/Olympus"])
def test_without_a_zone_that_is_one_it_is_four_in_utc(zone: str | None) -> None:
    assert due_at("c", zone, date(2026, 3, 10)).hour == 4


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("Europe/Berlin", date(2026, 3, 29)),  # 23 hours
        ("Europe/Berlin", date(2026, 10, 25)),  # 25 hours
        ("America/New_York", date(2026, 3, 8)),
        ("America/New_York", date(2026, 11, 1)),
        ("Australia/Lord_Howe", date(2026, 4, 5)),  # half an hour
        ("Asia/Kathmandu", date(2026, 3, 10)),
    ],
)
def test_each_day_has_exactly_one_sync_however_long_it_is(zone: str, day: date) -> None:
    midnight = datetime.combine(day, datetime.min.time(), ZoneInfo(zone))
    start = midnight.astimezone(UTC).replace(minute=0) - 48 * HOUR
    for one in CLIENTS[:20]:
        # Five days, whose middle one is shorter or longer than the others.
        first = due_at(one, zone, day - timedelta(days=2))
        last = due_at(one, zone, day + timedelta(days=2))
        hours = int((last - start) / HOUR) + 1
        assert first >= start
        assert times_due(one, zone, start, hours) == 5


def test_who_was_due_in_a_long_stretch_is_due_once() -> None:
    end = datetime(2026, 3, 29, 12, tzinfo=UTC)
    assert all(due_within(one, "Europe/Berlin", end - 24 * HOUR, end) for one in CLIENTS)


def test_the_moment_itself_belongs_to_the_stretch_that_it_begins() -> None:
    due = due_at("c", "UTC", date(2026, 3, 10))
    assert due_within("c", "UTC", due, due + HOUR)
    assert not due_within("c", "UTC", due - HOUR, due)
