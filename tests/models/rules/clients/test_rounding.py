from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.rules.clients.paging import offset, page_count
from models.rules.clients.rounding import RATIO_PLACES, has_places, quotient, rounded
from models.rules.months import add_months

DAYS = st.dates(date(1000, 1, 1), date(3000, 12, 31))
FRACTIONS = st.fractions(min_value=-(10**40), max_value=10**40)


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        (date(2026, 10, 31), 4, date(2027, 2, 28)),
        (date(2026, 8, 31), 4, date(2026, 12, 31)),
        (date(2028, 1, 31), 1, date(2028, 2, 29)),
        (date(2026, 3, 31), -1, date(2026, 2, 28)),
        (date(9999, 12, 1), 1, date.max),
        (date(1, 1, 1), -1, date.min),
    ],
)
def test_a_month_that_is_too_short_gives_its_last_day(day, months, expected):
    assert add_months(day, months) == expected


@given(DAYS, st.integers(-2000, 2000))
def test_months_are_counted_whole_and_the_day_is_kept_where_it_exists(day, months):
    shifted = add_months(day, months)
    assert (shifted.year - day.year) * 12 + shifted.month - day.month == months
    assert shifted.day == day.day or (
        shifted.day < day.day and (shifted + timedelta(days=1)).day == 1
    )


@pytest.mark.parametrize(
    ("value", "places", "expected"),
    [
        ("3.595", 2, "3.60"),
        ("-3.595", 2, "-3.60"),
        ("3.5949999999999999999999999999999999999", 2, "3.59"),
        ("0.005", 2, "0.01"),
        ("-0.004", 2, "0.00"),
        ("7", 2, "7.00"),
        ("2.33335", RATIO_PLACES, "2.3334"),
        ("123456789012345678901234567890123456.785", 2, "123456789012345678901234567890123456.79"),
    ],
)
def test_half_goes_away_from_zero(value, places, expected):
    assert str(rounded(Decimal(value), places)) == expected


@given(FRACTIONS, st.integers(0, 6))
def test_a_rounded_value_is_the_nearest_with_so_many_places(value, places):
    result = rounded(value, places)
    assert abs(Fraction(result) - value) * 2 <= Fraction(1, 10**places)
    assert result.as_tuple().exponent == -places
    assert rounded(-value, places) == -Fraction(result)


@given(FRACTIONS, st.integers(0, 6))
def test_rounding_again_changes_nothing(value, places):
    assert rounded(rounded(value, places), places) == rounded(value, places)


@given(FRACTIONS, FRACTIONS)
def test_rounding_keeps_the_order(one, other):
    low, high = sorted((one, other))
    assert rounded(low) <= rounded(high)


@given(FRACTIONS, FRACTIONS.filter(bool), st.integers(0, 6), st.integers(1, 1000))
def test_a_quotient_is_rounded_once(above, below, places, factor):
    exact = above / below * factor
    assert quotient(above, below, places, factor=factor) == rounded(exact, places)


@pytest.mark.parametrize(
    ("value", "fits"), [("3", True), ("3.50", True), ("3.500", True), ("3.505", False)]
)
def test_places_are_counted_without_trailing_zeros(value, fits):
    assert has_places(Decimal(value)) is fits


@pytest.mark.parametrize(
    ("total", "per_page", "pages"), [(0, 50, 0), (1, 50, 1), (50, 50, 1), (51, 50, 2)]
)
def test_pages_are_counted_up(total, per_page, pages):
    assert page_count(total, per_page) == pages


@given(st.integers(0, 10**6), st.integers(1, 200))
def test_the_last_page_holds_the_last_row(total, per_page):
    pages = page_count(total, per_page)
    assert offset(pages, per_page) < total or pages == 0
    assert offset(pages + 1, per_page) >= total
