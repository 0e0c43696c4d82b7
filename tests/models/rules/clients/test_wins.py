from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import Invalid
from models.rules.clients.vocabulary import WinStatus
from models.rules.clients.wins import LISTED, Standing, changed, in_window, shown

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
SOON, PAST = NOW + timedelta(days=7), NOW - timedelta(seconds=1)
W = WinStatus
CONFIRMED, SUGGESTED = Standing(status=W.CONFIRMED), Standing(status=W.SUGGESTED)
ASLEEP = Standing(status=W.SNOOZED, snoozed_until=SOON)
AWAKE_AGAIN = Standing(status=W.SNOOZED, snoozed_until=PAST)
DAYS = st.dates(date(2020, 1, 1), date(2030, 1, 1))


@pytest.mark.parametrize(
    ("won_at", "since", "until", "inside"),
    [
        (date(2026, 3, 1), date(2026, 3, 1), date(2026, 4, 1), True),
        (date(2026, 4, 1), date(2026, 3, 1), date(2026, 4, 1), False),
        (date(2026, 2, 28), date(2026, 3, 1), None, False),
        (date(2026, 2, 28), None, None, True),
    ],
)
def test_a_window_has_its_first_day_and_not_its_last(won_at, since, until, inside):
    assert in_window(won_at, since=since, until=until) is inside


@given(DAYS, DAYS)
def test_windows_that_share_a_bound_leave_no_gap_and_no_overlap(won_at, bound):
    before = in_window(won_at, since=None, until=bound)
    after = in_window(won_at, since=bound, until=None)
    assert before is not after


@pytest.mark.parametrize(
    ("standing", "expected"),
    [(ASLEEP, ASLEEP), (AWAKE_AGAIN, SUGGESTED), (CONFIRMED, CONFIRMED)],
)
def test_a_win_whose_time_has_come_is_suggested_again(standing, expected):
    assert shown(standing, NOW) == expected


@pytest.mark.parametrize(
    ("standing", "status", "sends", "until", "expected"),
    [
        (CONFIRMED, None, False, None, CONFIRMED),
        (CONFIRMED, None, True, SOON, ASLEEP),
        (CONFIRMED, W.SNOOZED, True, SOON, ASLEEP),
        (CONFIRMED, None, True, None, CONFIRMED),
        (ASLEEP, W.SNOOZED, False, None, ASLEEP),
        (ASLEEP, None, False, None, ASLEEP),
        (ASLEEP, None, True, None, SUGGESTED),
        (ASLEEP, W.CONFIRMED, False, None, CONFIRMED),
        (ASLEEP, W.CONFIRMED, True, SOON, CONFIRMED),
        (AWAKE_AGAIN, None, False, None, SUGGESTED),
    ],
)
def test_an_update_moves_a_win(standing, status, sends, until, expected):
    assert changed(standing, status=status, sends_until=sends, until=until, now=NOW) == expected


@pytest.mark.parametrize(
    ("standing", "status", "sends", "until"),
    [
        (CONFIRMED, W.SNOOZED, False, None),
        (CONFIRMED, W.SNOOZED, True, PAST),
        (CONFIRMED, None, True, PAST),
        (ASLEEP, W.SNOOZED, True, None),
        (ASLEEP, None, True, NOW),
        (AWAKE_AGAIN, W.SNOOZED, False, None),
    ],
)
def test_nothing_sleeps_without_an_end_in_the_future(standing, status, sends, until):
    with pytest.raises(Invalid) as refused:
        changed(standing, status=status, sends_until=sends, until=until, now=NOW)
    assert [item.location for item in refused.value.items] == ["body.snoozed_until"]


def test_the_list_leaves_out_dismissed_wins_alone():
    assert set(WinStatus) - LISTED == {W.DISMISSED}
