from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.rules.clients.vocabulary import PeriodType
from models.rules.results.periods import backfill_range, latest_end, period, prior, windows

DAYS = st.dates(min_value=date(2000, 1, 1), max_value=date(2100, 1, 1))


@pytest.mark.parametrize(
    ("kind", "end", "start", "days", "prior_start", "prior_end"),
    [
        ("month", "2026-03-31", "2026-03-01", 31, "2026-02-01", "2026-02-28"),
        ("month", "2026-03-15", "2026-02-16", 28, "2026-01-16", "2026-02-15"),
        ("month", "2026-03-30", "2026-02-28", 31, "2026-01-28", "2026-02-27"),
        ("week", "2026-03-08", "2026-03-02", 7, "2026-02-23", "2026-03-01"),
        ("quarter", "2026-06-30", "2026-04-01", 91, "2026-01-01", "2026-03-31"),
        ("quarter", "2026-05-10", "2026-02-11", 89, "2025-11-11", "2026-02-10"),
        ("year", "2026-02-28", "2025-03-01", 365, "2024-03-01", "2025-02-28"),
    ],
)
def test_a_period_ends_on_its_day_and_the_one_before_ends_where_it_begins(
    kind, end, start, days, prior_start, prior_end
):
    found = period(PeriodType(kind), date.fromisoformat(end))
    before = prior(found)
    assert (found.start.isoformat(), found.end.isoformat(), found.days) == (start, end, days)
    assert (before.start.isoformat(), before.end.isoformat()) == (prior_start, prior_end)


@given(st.sampled_from(PeriodType), DAYS)
def test_a_period_and_the_one_before_neither_overlap_nor_leave_a_gap(kind, end):
    found = period(kind, end)
    assert prior(found).end + timedelta(days=1) == found.start <= found.end


def test_a_period_may_end_a_day_ahead_of_us():
    assert latest_end(date(2026, 3, 10)) == date(2026, 3, 11)


def test_a_backfill_is_of_the_days_before_today():
    assert backfill_range(date(2026, 3, 10), 30) == (date(2026, 2, 8), date(2026, 3, 9))


@given(DAYS, st.integers(1, 90))
def test_windows_cover_each_day_once_newest_first(today, days):
    first, last = backfill_range(today, days)
    found = list(windows(first, last))
    covered = [
        start + timedelta(days=number)
        for start, end in found
        for number in range((end - start).days + 1)
    ]
    assert sorted(covered) == [first + timedelta(days=number) for number in range(days)]
    assert found == sorted(found, reverse=True)
    assert all((end - start).days < 7 for start, end in found)
