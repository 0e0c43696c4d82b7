from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.rules.clients.metrics import MetricDirection, MetricKind
from models.rules.clients.vocabulary import PeriodType, TrackingStatus
from models.rules.results.comparison import delta_pct, scale_target, tracking

RANK = {TrackingStatus.OFF_TRACK: 0, TrackingStatus.AT_RISK: 1, TrackingStatus.ON_TRACK: 2}


@pytest.mark.parametrize(
    ("value", "prior", "expected"),
    [
        (120, "100", "20.00"),
        (80, "120", "-33.33"),
        (25, "-50", "150.00"),
        (50, "0", None),
        (50, None, None),
    ],
)
def test_a_change_is_told_in_percent_of_what_was(value, prior, expected):
    found = delta_pct(Decimal(value), None if prior is None else Decimal(prior))
    assert found == (None if expected is None else Decimal(expected))


@pytest.mark.parametrize(
    ("target", "goal", "asked", "expected"),
    [(120, "month", "quarter", 360), (520, "month", "week", 120), (1200, "year", "month", 100)],
)
def test_a_target_is_scaled_to_the_period(target, goal, asked, expected):
    found = scale_target(
        Decimal(target), goal_period=PeriodType(goal), period_type=PeriodType(asked), places=2
    )
    assert found == expected


@pytest.mark.parametrize(
    ("direction", "kind", "value", "target", "covered", "days", "expected"),
    [
        ("higher", "sum", 300, 360, 92, 92, "at_risk"),
        ("higher", "sum", 95, 310, 10, 31, "on_track"),
        ("lower", "ratio", 25, 20, 31, 31, "at_risk"),
        ("lower", "ratio", 22, 20, 31, 31, "on_track"),
        ("pacing", "sum", 1150, 1000, 31, 31, "at_risk"),
        ("pacing", "sum", 1300, 1000, 31, 31, "off_track"),
        ("none", "ratio", 3, 2, 31, 31, None),
        ("lower", "ratio", 0, 20, 31, 31, "on_track"),
        ("higher", "sum", 5, 0, 31, 31, None),
        ("higher", "sum", 5, None, 31, 31, None),
        ("pacing", "sum", 1100, 1000, 31, 31, "on_track"),
        ("pacing", "sum", 750, 1000, 31, 31, "at_risk"),
    ],
)
def test_tracking(direction, kind, value, target, covered, days, expected):
    found = tracking(
        MetricDirection(direction),
        MetricKind(kind),
        value=Decimal(value),
        target=None if target is None else Decimal(target),
        covered=covered,
        days=days,
    )
    assert found == expected


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(1, 10**6))
def test_more_of_what_should_be_high_never_tracks_worse(one, other, target):
    low, high = sorted((one, other))
    statuses = [
        tracking(
            MetricDirection.HIGHER, MetricKind.SUM,
            value=Decimal(value), target=Decimal(target), covered=10, days=31,
        )
        for value in (low, high)
    ]  # fmt: skip
    ranks = [RANK[status] for status in statuses if status is not None]
    assert len(ranks) == 2
    assert ranks == sorted(ranks)
