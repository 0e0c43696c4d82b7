from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.rules.periods import Period, PeriodStatus, begun, next_start, period, status

DAY = timedelta(days=1)
MARCH = Period(number=0, start=date(2026, 3, 1), end=date(2026, 3, 31))

days = st.dates(date(1990, 1, 1), date(2100, 12, 31))
spans = st.integers(0, 1500).map(timedelta)


def starts(anchor: date, count: int) -> list[date]:
    return [one.start for number in range(count) if (one := period(anchor, number)) is not None]


def test_a_month_is_counted_from_the_anchor():
    assert period(date(2026, 3, 10), 0) == Period(
        number=0, start=date(2026, 3, 10), end=date(2026, 4, 9)
    )


def test_an_anchor_on_the_31st_comes_back_to_the_31st():
    assert starts(date(2026, 1, 31), 5) == [
        date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 31), date(2026, 4, 30),
        date(2026, 5, 31),
    ]  # fmt: skip


def test_a_leap_year_gives_february_its_29th():
    assert starts(date(2027, 12, 30), 4)[2] == date(2028, 2, 29)
    assert starts(date(2028, 2, 29), 13)[12] == date(2029, 2, 28)


def test_the_last_period_ends_with_the_campaign():
    last = period(date(2026, 3, 10), 1, date(2026, 4, 20))
    assert last == Period(number=1, start=date(2026, 4, 10), end=date(2026, 4, 20))
    assert period(date(2026, 3, 10), 2, date(2026, 4, 20)) is None


def test_a_campaign_of_one_day_has_one_period():
    day = date(2026, 3, 10)
    assert begun(day, day + 90 * DAY, day) == [Period(number=0, start=day, end=day)]


def test_only_periods_that_have_begun_exist():
    anchor = date(2026, 3, 10)
    around = (date(2026, 3, 9), date(2026, 3, 10), date(2026, 4, 9), date(2026, 4, 10))
    assert [len(begun(anchor, day)) for day in around] == [0, 1, 1, 2]


@pytest.mark.parametrize(
    ("today", "end", "expected"),
    [
        (date(2026, 3, 9), None, date(2026, 3, 10)),
        (date(2026, 3, 10), None, date(2026, 4, 10)),
        (date(2026, 4, 10), None, date(2026, 5, 10)),
        (date(2026, 3, 10), date(2026, 4, 10), date(2026, 4, 10)),
        (date(2026, 3, 10), date(2026, 4, 9), None),
    ],
)
def test_the_next_period_starts_after_today_or_never(today, end, expected):
    assert next_start(date(2026, 3, 10), today, end) == expected


def test_time_ends_in_the_year_9999():
    last = period(date(9999, 12, 15), 0)
    assert last is not None
    assert (last.end, next_start(date(9999, 12, 15), date(9999, 12, 20))) == (date.max, None)


@given(days, spans, st.none() | spans)
def test_periods_tile_the_time_from_the_anchor(anchor, passed, length):
    end = anchor + length if length is not None else None
    today = anchor + passed
    periods = begun(anchor, today, end)
    assert periods[0].start == anchor
    assert [one.number for one in periods] == list(range(len(periods)))
    for earlier, later in pairwise(periods):
        assert later.start == earlier.end + DAY
    assert all(one.start <= one.end and one.start <= today for one in periods)
    covered = today if end is None else min(today, end)
    assert periods[-1].end >= covered
    following = next_start(anchor, today, end)
    if following is None:
        assert periods[-1].end == end
    else:
        assert following == periods[-1].end + DAY > today


@pytest.mark.parametrize(
    ("target", "completed", "in_progress", "today", "expected"),
    [
        (4, 0, 0, date(2026, 3, 1), PeriodStatus.ON_TRACK),  # nothing is owed on the first day
        (4, 0, 0, date(2026, 3, 2), PeriodStatus.AT_RISK),
        (4, 0, 1, date(2026, 3, 8), PeriodStatus.ON_TRACK),  # 7/31 of 4 is less than 1
        (4, 0, 1, date(2026, 3, 9), PeriodStatus.AT_RISK),  # 8/31 of 4 is more than 1
        (4, 1, 1, date(2026, 3, 16), PeriodStatus.ON_TRACK),
        (4, 1, 1, date(2026, 3, 17), PeriodStatus.AT_RISK),
        (31, 7, 0, date(2026, 3, 8), PeriodStatus.ON_TRACK),  # exactly the share is enough
        (31, 6, 0, date(2026, 3, 8), PeriodStatus.AT_RISK),
        (4, 4, 0, date(2026, 3, 2), PeriodStatus.ON_TRACK),
        (4, 0, 4, date(2026, 3, 31), PeriodStatus.ON_TRACK),
        (4, 3, 1, date(2026, 4, 1), PeriodStatus.MISSED),  # in progress does not count at the end
        (4, 4, 0, date(2026, 4, 1), PeriodStatus.COMPLETED),
        (4, 9, 0, date(2027, 1, 1), PeriodStatus.COMPLETED),
        (4, 0, 0, date(2026, 2, 1), PeriodStatus.ON_TRACK),
    ],
)
def test_how_a_period_stands(target, completed, in_progress, today, expected):
    found = status(
        target=target, completed=completed, in_progress=in_progress, period=MARCH, today=today
    )
    assert found is expected


@given(
    st.integers(1, 1000), st.integers(0, 1000), st.integers(0, 1000),
    days, st.integers(0, 40), st.integers(-5, 45),
)  # fmt: skip
def test_more_work_never_makes_a_period_stand_worse(
    target, completed, in_progress, start, length, offset
):
    span = Period(number=0, start=start, end=start + length * DAY)
    today = start + offset * DAY
    order = [PeriodStatus.MISSED, PeriodStatus.AT_RISK, PeriodStatus.ON_TRACK,
             PeriodStatus.COMPLETED]  # fmt: skip
    one, two = (
        order.index(
            status(target=target, completed=done, in_progress=in_progress, period=span, today=today)
        )
        for done in (completed, completed + 1)
    )
    assert two >= one
