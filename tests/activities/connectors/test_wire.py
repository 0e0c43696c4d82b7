"""The small readings that all connectors share."""

from datetime import date
from decimal import Decimal

import pytest

from activities.connectors.wire import days, halves, number, spans, text, time_zone, whole, words


@pytest.mark.parametrize(
    ("given", "value"),
    [("12.50", "12.50"), (3, "3"), (None, "0"), ("-", "0"), ("", "0"), (Decimal("0.1"), "0.1")],
)
def test_a_number_comes_in_many_writings(given: object, value: str) -> None:
    assert number(given) == Decimal(value)


@pytest.mark.parametrize("given", ["NaN", "Infinity", "1e30", "x", True, [], {}])
def test_what_is_no_number_is_not_taken_for_one(given: object) -> None:
    with pytest.raises((ArithmeticError, ValueError)):
        number(given)


def test_counts_are_whole() -> None:
    assert whole("17.0") == 17


def test_the_first_text_there_is_can_be_stored() -> None:
    assert words(None, "", "  ", 7, "a\x00b") == "a\N{REPLACEMENT CHARACTER}b"
    assert words(None) is None
    assert text(123) == "123"
    odd: list[object] = [None, "", True, 1.5, []]
    for wrong in odd:
        with pytest.raises(ValueError, match="no text"):
            text(wrong)


def test_a_zone_that_is_none_is_utc() -> None:
    assert time_zone("Europe/Berlin") == "Europe/Berlin"
    assert [time_zone(odd) for odd in ("Nowhere/Land", "", None, "../etc/passwd")] == ["UTC"] * 4


def test_ranges_are_cut_without_gaps() -> None:
    first, last = date(2026, 2, 27), date(2026, 3, 5)
    cut = list(spans(first, last, 3))
    assert [(end - start).days + 1 for start, end in cut] == [3, 3, 1]
    assert [day for span in cut for day in days(*span)] == list(days(first, last))
    assert [day for half in halves(first, last) for day in days(*half)] == list(days(first, last))
