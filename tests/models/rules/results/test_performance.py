from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.rules.clients.metrics import MetricDirection
from models.rules.clients.vocabulary import TrackingStatus
from models.rules.results.performance import Signal, performance_health


def signal(direction, status, delta):
    return Signal(
        direction=MetricDirection(direction),
        tracking_status=None if status is None else TrackingStatus(status),
        delta_pct=None if delta is None else Decimal(delta),
    )


@pytest.mark.parametrize(
    ("signals", "score", "word"),
    [
        (
            [
                ("higher", "on_track", 12),
                ("lower", "at_risk", 8),
                ("higher", None, -5),
                ("pacing", None, 3),
            ],
            65,
            "needs_attention",
        ),
        ([("higher", None, 30)], 80, "healthy"),
        ([("none", None, 30)], None, None),
        ([("pacing", "off_track", None)], 0, "at_risk"),
    ],
)
def test_goals_and_trend_make_the_score(signals, score, word):
    found = performance_health(signal(*one) for one in signals)
    assert (found.health_score, found.overall_health) == (score, word)


@given(
    st.lists(
        st.builds(
            Signal,
            direction=st.sampled_from(MetricDirection),
            tracking_status=st.none() | st.sampled_from(TrackingStatus),
            delta_pct=st.none() | st.decimals(-(10**6), 10**6, places=2),
        )
    )
)
def test_the_score_stays_between_0_and_100(signals):
    found = performance_health(signals).health_score
    assert found is None or 0 <= found <= 100
