from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.rules.clients.goals import (
    GoalDirection,
    direction,
    gained,
    in_words,
    is_reached,
    progress_pct,
    reached_in_words,
)
from models.rules.clients.metrics import METRICS, MetricDirection, MetricKind, metric_of

HIGHER, LOWER = GoalDirection.HIGHER, GoalDirection.LOWER
NUMBERS = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30)


def decimal(value):
    return None if value is None else Decimal(value)


@pytest.mark.parametrize(
    ("target", "baseline", "current", "way", "expected"),
    [
        (200, 100, 150, HIGHER, "50.00"),
        (30, 50, 35, LOWER, "75.00"),
        (120, None, 90, HIGHER, "75.00"),
        (20, None, 25, LOWER, "80.00"),
        (0, None, 5, HIGHER, None),
        (120, None, None, HIGHER, None),
        (120, 120, 90, HIGHER, "75.00"),
        (20, None, 0, LOWER, None),
        (200, 100, 50, HIGHER, "-50.00"),
        (200, 100, 400, HIGHER, "300.00"),
        (3, None, 1, HIGHER, "33.33"),
    ],
)
def test_progress_is_the_share_of_the_way(target, baseline, current, way, expected):
    found = progress_pct(
        target=Decimal(target), baseline=decimal(baseline), current=decimal(current), direction=way
    )
    assert (str(found) if found is not None else None) == expected


@given(NUMBERS, NUMBERS, NUMBERS)
def test_progress_is_exact_to_half_a_hundredth_of_a_percent(target, baseline, current):
    found = progress_pct(target=target, baseline=baseline, current=current, direction=HIGHER)
    if baseline == target:
        return
    way = Fraction(target) - Fraction(baseline)
    exact = (Fraction(current) - Fraction(baseline)) / way * 100
    assert found is not None
    assert abs(Fraction(found) - exact) <= Fraction(1, 200)


@given(NUMBERS, NUMBERS)
def test_a_goal_with_a_baseline_is_at_a_hundred_percent_when_it_is_at_its_target(target, baseline):
    way = LOWER if target < baseline else HIGHER
    assert is_reached(target=target, current=target, direction=way)
    if baseline != target:
        found = progress_pct(target=target, baseline=baseline, current=target, direction=way)
        assert found == 100


@pytest.mark.parametrize(
    ("current", "way", "reached"),
    [(99, HIGHER, False), (100, HIGHER, True), (101, LOWER, False), (100, LOWER, True)],
)
def test_a_goal_is_reached_at_its_target(current, way, reached):
    assert is_reached(target=Decimal(100), current=Decimal(current), direction=way) is reached


@pytest.mark.parametrize(
    ("metric", "target", "baseline", "expected"),
    [
        ("cpa", 20, None, LOWER),
        ("cpa", 50, 20, LOWER),
        ("conversions", 10, 50, HIGHER),
        ("spend", 10, 50, HIGHER),
        ("support tickets", 10, 50, LOWER),
        ("support tickets", 50, 10, HIGHER),
        ("support tickets", 50, None, HIGHER),
        ("frequency", 2, 3, LOWER),
    ],
)
def test_the_registry_says_what_is_better_and_the_baseline_where_it_does_not(
    metric, target, baseline, expected
):
    found = direction(metric, target=Decimal(target), baseline=decimal(baseline))
    assert found is expected


def test_the_parts_of_a_metric_are_in_the_registry_and_no_ratios_themselves():
    parts = [
        METRICS[part].kind
        for metric in METRICS.values()
        for part in (metric.numerator, metric.denominator, metric.weight)
        if part is not None
    ]
    assert set(parts) == {MetricKind.SUM}
    assert len(METRICS) == 36


def test_an_unknown_metric_is_a_sum_without_a_direction():
    unknown = metric_of("podcast_downloads")
    assert (unknown.kind, unknown.direction) == (MetricKind.SUM, MetricDirection.NONE)


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [
        ("5000.00", "EUR", "5000 EUR"),
        ("4.20", "%", "4.2%"),
        ("1E+17", None, "100000000000000000"),
        ("-0.0", "", "0"),
        (
            "-0.000000000000000000000000000000012345",
            "x",
            "-0.000000000000000000000000000000012345 x",
        ),
    ],
)
def test_a_value_is_written_as_people_write_it(value, unit, said):
    assert in_words(Decimal(value), unit) == said


def test_only_keys_of_the_registry_are_made_words():
    value = Decimal(5)
    assert reached_in_words("store_revenue", value, None) == "Goal reached: store revenue at 5"
    assert reached_in_words("NPS_b2b", value, None) == "Goal reached: NPS_b2b at 5"


def test_what_was_gained_loses_no_digit():
    value, baseline = Decimal(123456789012345678), Decimal("0.12345678901234568")
    assert str(gained(value, baseline)) == "123456789012345677.87654321098765432"
    assert gained(value, None) is None
