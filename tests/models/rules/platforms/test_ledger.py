"""Which days of an account are asked for."""

from datetime import date, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from models.rules.platforms.ledger import (
    SYNC_WINDOW,
    DayState,
    backfill_ranges,
    days_of,
    state_of,
    sync_ranges,
)
from models.rules.platforms.registry import PlatformId
from models.rules.platforms.restatement import RESTATED_DAYS

META = PlatformId.META_ADS
TODAY = date(2026, 3, 10)
DAY = timedelta(days=1)


def ago(days: int) -> date:
    return TODAY - days * DAY


def asked(known: dict[date, DayState]) -> set[date]:
    ranges = sync_ranges(META, known, today=TODAY)
    return {day for first, last in ranges for day in days_of(first, last)}


def test_a_first_sync_asks_from_thirty_days_ago_up_to_today() -> None:
    assert asked({}) == set(days_of(ago(30), TODAY))


def test_a_sync_asks_from_seven_days_before_the_last_stored_day() -> None:
    known = {ago(number): DayState.PROVISIONAL for number in range(3, 20)}
    assert asked(known) == set(days_of(ago(10), TODAY))


def test_days_that_are_only_wanted_do_not_count_as_stored() -> None:
    known = {ago(number): DayState.MISSING for number in range(31)}
    assert asked(known) == set(days_of(ago(30), TODAY))


def test_a_sync_closes_gaps_however_old() -> None:
    known = {ago(number): DayState.FINAL for number in range(1, 200)}
    assert asked(known | {ago(200): DayState.MISSING}) == {ago(200), *days_of(ago(8), TODAY)}


def test_days_between_stored_ones_that_nobody_asked_for_are_a_gap() -> None:
    rest, backfill = range(90, 99), range(1, 31)
    known = {ago(number): DayState.FINAL for number in (*rest, *backfill)}
    assert asked(known) == {*days_of(ago(89), ago(31)), *days_of(ago(8), TODAY)}


def test_a_day_that_has_settled_is_asked_for_once_more() -> None:
    settled = RESTATED_DAYS[META] + 1
    known = {ago(number): DayState.PROVISIONAL for number in range(settled + 1)}
    known[ago(settled + 1)] = DayState.FINAL
    assert asked(known) == {ago(settled), *days_of(ago(7), TODAY)}


def test_a_usual_day_takes_one_window() -> None:
    known = {ago(number): DayState.PROVISIONAL for number in range(1, 20)}
    assert sync_ranges(META, known, today=TODAY) == [(ago(8), TODAY)]


def test_an_account_whose_clock_went_back_is_not_asked_for_tomorrow() -> None:
    known = {TODAY + DAY: DayState.PROVISIONAL, TODAY + 2 * DAY: DayState.MISSING}
    assert asked(known) == set(days_of(ago(7), TODAY))


@given(st.dictionaries(st.integers(-2, 150).map(ago), st.sampled_from(DayState)))
def test_windows_are_short_newest_first_and_never_overlap(known: dict[date, DayState]) -> None:
    ranges = sync_ranges(META, known, today=TODAY)
    assert all(first <= last <= TODAY for first, last in ranges)
    assert all((last - first).days < SYNC_WINDOW for first, last in ranges)
    assert all(newer > last for (newer, _), (_, last) in pairwise(ranges))
    gaps = {day for day, state in known.items() if state is DayState.MISSING and day <= TODAY}
    assert gaps <= {day for first, last in ranges for day in days_of(first, last)}


def test_a_backfill_asks_for_windows_of_seven_days_before_today_newest_first() -> None:
    ranges = backfill_ranges({}, today=TODAY, days=30)
    assert ranges[0] == (date(2026, 3, 3), date(2026, 3, 9))
    assert ranges[-1] == (date(2026, 2, 8), date(2026, 2, 9))
    assert len(ranges) == 5


def test_a_backfill_leaves_out_what_is_final_as_a_whole() -> None:
    known = {day: DayState.FINAL for day in days_of(ago(90), ago(40))}
    known[ago(50)] = DayState.MISSING
    ranges = backfill_ranges(known, today=TODAY, days=90)
    assert (ago(56), ago(50)) in ranges
    assert (ago(63), ago(57)) not in ranges


def test_a_pulled_day_is_final_once_it_is_restated_no_more() -> None:
    settled = RESTATED_DAYS[META] + 1
    assert state_of(META, ago(settled - 1), today=TODAY) is DayState.PROVISIONAL
    assert state_of(META, ago(settled), today=TODAY) is DayState.FINAL


def test_a_recent_day_that_the_platform_does_not_tell_is_still_missing() -> None:
    assert state_of(META, ago(1), today=TODAY, is_told=False) is DayState.MISSING
    assert state_of(META, ago(200), today=TODAY, is_told=False) is DayState.FINAL
