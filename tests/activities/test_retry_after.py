"""How long vendors ask us to wait, in every writing that was seen."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from math import isfinite

import pytest

from activities.retry_after import retry_after


@pytest.mark.parametrize(
    ("given", "seconds"),
    [("30", 30), ("1.5", 1.5), ("-5", 0), ("soon", None), ("nan", None), ("inf", None), ("", None)],
)
def test_seconds_are_taken_where_they_are_some(given: str, seconds: float | None) -> None:
    assert retry_after({"retry-after": given}) == seconds


def test_a_moment_is_counted_from_now_and_one_that_has_passed_is_no_wait() -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(minutes=5))
    assert 290 < (retry_after({"retry-after": soon}) or 0) <= 300
    assert retry_after({"retry-after": "Mon, 01 Jan 2001 00:00:00 GMT"}) == 0


@pytest.mark.parametrize("given", ["9" * 30, "1e300", "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_a_wait_of_ages_is_one_that_can_be_reckoned_with(given: str) -> None:
    wait = retry_after({"retry-after": given})
    assert wait is not None
    assert isfinite(wait)
    assert datetime.now(UTC) + timedelta(seconds=wait)
