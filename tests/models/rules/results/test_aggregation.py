from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.rules.clients.metrics import MetricKind
from models.rules.clients.rounding import rounded
from models.rules.results.aggregation import Aggregate, Series, aggregate, divided

AMOUNTS = st.decimals(min_value=0, max_value=10**9, places=2)


def days(values, weights=None, first=0):
    """Days that follow each other, of a metric whose days may be weighed."""
    amounts = [Decimal(value) for value in values]
    series = Series(
        total=sum(amounts, Decimal(0)), points=len(amounts), first=first,
        last=first + len(amounts) - 1, latest=amounts[-1],
        days=range(first, first + len(amounts)), amounts=amounts,
    )  # fmt: skip
    if weights is None:
        return series
    weighed = [Decimal(weight) for weight in weights]
    amounts = [
        one * weight if weight else one for one, weight in zip(amounts, weighed, strict=True)
    ]
    known = [one for one, weight in zip(amounts, weighed, strict=True) if weight]
    return series._replace(
        total=sum(known if any(weighed) else amounts, Decimal(0)), weights=sum(weighed, Decimal(0)),
        amounts=amounts, day_weights=weighed,
    )  # fmt: skip


def ratio(above, below, *, places=2, factor=1):
    parts = divided(days(above), days(below))
    assert parts is not None
    return aggregate(MetricKind.RATIO, parts, places=places, factor=factor)


def told(value, avg, points):
    return Aggregate(value=Decimal(value), avg_value=Decimal(avg), data_points=points)


@pytest.mark.parametrize(
    ("kind", "given_days", "places", "expected"),
    [
        ("sum", days([100, 0, 50]), 2, told("150.00", "50.00", 3)),
        ("ratio", divided(days([300, 0, 50]), days([100, 0, 50])), 4, told("2.3333", "2.0000", 2)),
        ("mean", days([10, 20, 40]), 2, told("23.33", "23.33", 3)),
        ("weighted", days([4, 8], [300, 100]), 2, told("5.00", "6.00", 2)),
        ("last", days([1000, 1010, 1025]), 2, told("1025.00", "1011.67", 3)),
    ],
)
def test_days_become_one_number_by_kind(kind, given_days, places, expected):
    assert aggregate(MetricKind(kind), given_days, places=places) == expected


def test_without_a_denominator_there_is_no_ratio():
    assert divided(days([1]), None) is None


def test_what_is_stored_nowhere_is_nothing_above_the_line():
    parts = divided(None, days([4, 0, 5]))
    assert parts is not None
    found = aggregate(MetricKind.RATIO, parts, places=4)
    assert found == told("0.0000", "0.0000", 2)


def test_a_ratio_whose_denominators_are_all_zero_is_left_out():
    assert ratio([5, 0], [0, 0]) is None


def test_what_was_spent_without_a_conversion_counts_for_the_cost_of_one():
    assert ratio([100, 100], [0, 2]) == told("100.00", "50.00", 1)


def test_days_that_one_part_of_a_ratio_lacks_count_for_the_other():
    parts = divided(days([6, 4], first=2), days([2, 2], first=3))
    assert parts is not None
    assert (parts.first, parts.last) == (2, 4)
    found = aggregate(MetricKind.RATIO, parts, places=2)
    assert found == told("2.50", "1.00", 2)


def test_a_mean_of_ratios_that_lies_on_the_edge_is_rounded_as_the_exact_one():
    found = ratio([1, 2, "0.015"], [3, 3, 1], factor=3)
    assert found is not None
    assert found.avg_value == Decimal("1.02")


@given(st.lists(st.tuples(AMOUNTS, AMOUNTS), min_size=1, max_size=60), st.integers(0, 4))
def test_a_mean_of_ratios_is_rounded_once(pairs, places):
    found = ratio(*zip(*pairs, strict=True), places=places)
    daily = [Fraction(above) / Fraction(below) for above, below in pairs if below]
    if not daily:
        assert found is None
        return
    assert found is not None
    assert found.avg_value == rounded(sum(daily, Fraction(0)) / len(daily), places)


def test_a_position_that_nobody_saw_counts_each_day_alike():
    found = aggregate(MetricKind.WEIGHTED, days([4, 8], [0, 0]), places=2)
    assert found == told("6.00", "6.00", 2)


@given(st.lists(AMOUNTS, min_size=1, max_size=60))
def test_a_sum_is_exact(amounts):
    found = aggregate(MetricKind.SUM, days(amounts), places=2)
    assert found is not None
    assert found.value == sum((Fraction(amount) for amount in amounts), Fraction(0))


@given(st.lists(st.tuples(AMOUNTS, AMOUNTS), min_size=1, max_size=30))
def test_a_ratio_lies_between_its_lowest_and_its_highest_day(pairs):
    pairs = [(above, below) for above, below in pairs if below]
    if not pairs:
        return
    found = ratio(*zip(*pairs, strict=True), places=4)
    daily = [Fraction(above) / Fraction(below) for above, below in pairs]
    assert found is not None
    half = Fraction(1, 20_000)
    assert min(daily) - half <= Fraction(found.value) <= max(daily) + half
