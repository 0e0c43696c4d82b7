"""Turns to ask a platform."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from math import inf, nan

import pytest

from models.rules.platforms.quotas import (
    LONGEST_REST,
    RATES,
    UNTOLD_REST,
    Lease,
    Rate,
    full,
    rest,
    take,
)
from models.rules.platforms.registry import PlatformId

NOW = datetime(2026, 3, 10, 4, tzinfo=UTC)
RATE = Rate(burst=3, per_minute=6)


def test_every_platform_has_a_rate() -> None:
    assert set(RATES) == set(PlatformId)
    assert all(rate.burst >= 1 and rate.per_minute >= 1 for rate in RATES.values())


def test_after_a_burst_the_next_turn_comes_with_the_rate() -> None:
    lease = full(RATE, NOW)
    for _ in range(3):
        lease, until = take(lease, RATE, NOW)
        assert until is None
    lease, until = take(lease, RATE, NOW)
    assert until == NOW + timedelta(seconds=10)
    lease, until = take(lease, RATE, until)
    assert until is None


def test_turns_do_not_pile_up_beyond_a_burst() -> None:
    lease = Lease(tokens=Decimal(0), refilled_at=NOW - timedelta(days=1))
    assert take(lease, RATE, NOW)[0].tokens == 2


def test_a_connection_that_rests_has_no_turn_and_loses_none() -> None:
    until = NOW + timedelta(hours=1)
    lease = Lease(tokens=Decimal(3), refilled_at=NOW, resting_until=until)
    assert take(lease, RATE, NOW) == (lease, until)
    assert take(lease, RATE, until)[1] is None


def test_a_clock_that_goes_back_gives_no_turns() -> None:
    lease = Lease(tokens=Decimal(0), refilled_at=NOW)
    assert take(lease, RATE, NOW - timedelta(hours=1))[1] is not None


def test_a_rest_is_as_long_as_the_platform_says() -> None:
    assert rest(NOW, 3600) == NOW + timedelta(hours=1)
    assert rest(NOW, None) == NOW + UNTOLD_REST
    assert rest(NOW, 1e9) == NOW + LONGEST_REST
    assert rest(NOW, 0) > NOW


@pytest.mark.parametrize("told", [1e17, inf, nan])
def test_a_rest_that_no_calendar_holds_is_as_long_as_one_may_be(told: float) -> None:
    assert NOW < rest(NOW, told) <= NOW + LONGEST_REST
