from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.rules.clients.metrics import MetricKind
from models.rules.clients.rounding import rounded
from models.rules.results.aggregation import Aggregate, DayValue, aggregate

AMOUNTS = st.decimals(min_value=0, max_value=10**9, places=2)


def days(values, weights=None):
    weights = weights or [1] * len(values)
    return [DayValue(Decimal(v), Decimal(w)) for v, w in zip(values, weights, strict=True)]


def told(value, avg, points):
    return Aggregate(value=Decimal(value), avg_value=Decimal(avg), data_points=points)


@pytest.mark.parametrize(
    ("kind", "given_days", "places", "expected"),
    [
        ("sum", days([100, 0, 50]), 2, told("150.00", "50.00", 3)),
        ("ratio", days([300, 0, 50], [100, 0, 50]), 4, told("2.3333", "2.0000", 2)),
        ("mean", days([10, 20, 40]), 2, told("23.33", "23.33", 3)),
        ("weighted", days([4, 8], [300, 100]), 2, told("5.00", "6.00", 2)),
        ("last", days([1000, 1010, 1025]), 2, told("1025.00", "1011.67", 3)),
    ],
)
def test_days_become_one_number_by_kind(kind, given_days, places, expected):
    assert aggregate(MetricKind(kind), given_days, places=places) == expected


@pytest.mark.parametrize("kind", MetricKind)
def test_without_days_there_is_no_number(kind):
    assert aggregate(kind, [], places=2) is None


def test_a_ratio_whose_denominators_are_all_zero_is_left_out():
    assert aggregate(MetricKind.RATIO, days([5, 0], [0, 0]), places=4) is None


def test_what_was_spent_without_a_conversion_counts_for_the_cost_of_one():
    found = aggregate(MetricKind.RATIO, days([100, 100], [0, 2]), places=2)
    assert found == told("100.00", "50.00", 1)


def test_a_mean_of_ratios_that_lies_on_the_edge_is_rounded_as_the_exact_one():
    thirds = days([1, 2, "0.015"], [3, 3, 1])
    found = aggregate(MetricKind.RATIO, thirds, places=2, factor=3)
    assert found is not None
    assert found.avg_value == Decimal("1.02")


@given(st.lists(st.tuples(AMOUNTS, AMOUNTS), min_size=1, max_size=60), st.integers(0, 4))
def test_a_mean_of_ratios_is_rounded_once(pairs, places):
    found = aggregate(MetricKind.RATIO, [DayValue(*pair) for pair in pairs], places=places)
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
    found = aggregate(
        MetricKind.RATIO, [DayValue(above, below) for above, below in pairs], places=4
    )
    daily = [Fraction(above) / Fraction(below) for above, below in pairs if below]
    if not daily:
        assert found is None
        return
    assert found is not None
    half = Fraction(1, 20_000)
    assert min(daily) - half <= Fraction(found.value) <= max(daily) + half
