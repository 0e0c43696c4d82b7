from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.rules.clients.adoption import adoption_score
from models.rules.clients.recalculation import Standing, is_recalculated, rescored
from models.rules.clients.revenue import revenue_score
from models.rules.clients.tiers import (
    HUMAN,
    THRESHOLDS,
    WEIGHTS,
    Dimension,
    human_dimensions,
    is_score_stale,
    score,
    tier_of,
    weighted,
)
from models.rules.clients.vocabulary import ClientStatus, Tier, TierTrack

D = Dimension
SCORES = st.decimals(min_value=1, max_value=5, places=2)
TRACKS = st.sampled_from(TierTrack)
DIMENSIONS = st.fixed_dictionaries({dimension: SCORES for dimension in Dimension})
JANUARY = datetime(2026, 1, 1, tzinfo=UTC)
APRIL = datetime(2026, 4, 1, tzinfo=UTC)


def decimals(**scores):
    return {Dimension(name): Decimal(value) for name, value in scores.items()}


@pytest.mark.parametrize(
    ("track", "annual_total", "override", "human", "adoption", "gives"),
    [
        (
            TierTrack.DELIVERY, "285000", None,
            decimals(profitability="3", strategic="4", relationship="5"), None,
            (4, "4.25", Tier.PLATINUM,
             decimals(revenue="4", profitability="3", strategic="4", relationship="5")),
        ),
        (
            TierTrack.PRODUCT, "96000", None,
            decimals(relationship="4", growth="3.5"), "4.10",
            (3, "3.60", Tier.CORE,
             decimals(revenue="3", relationship="4", growth="3.5", adoption="4.10")),
        ),
        (
            TierTrack.DELIVERY, "18000", "3",
            decimals(profitability="2", strategic="2", relationship="2"), None,
            (1, "2.30", Tier.STANDARD,
             decimals(revenue="3", profitability="2", strategic="2", relationship="2")),
        ),
    ],
)  # fmt: skip
def test_a_client_is_scored(track, annual_total, override, human, adoption, gives):
    revenue = revenue_score(Decimal(annual_total))
    scoring = score(
        track,
        revenue_score=revenue,
        override=None if override is None else Decimal(override),
        human=human,
        adoption=None if adoption is None else Decimal(adoption),
    )
    assert (revenue, str(scoring.tier_score), scoring.tier, scoring.dimensions) == gives


@pytest.mark.parametrize(
    ("tier_score", "tier"),
    [
        ("4.25", Tier.PLATINUM),
        ("4.00", Tier.PLATINUM),
        ("3.99", Tier.CORE),
        ("2.00", Tier.STANDARD),
        ("1.99", Tier.REVIEW),
        ("3.00", Tier.CORE),
        ("2.99", Tier.STANDARD),
        ("1.00", Tier.REVIEW),
    ],
)
def test_a_bound_belongs_to_the_higher_tier(tier_score, tier):
    assert tier_of(Decimal(tier_score)) is tier


@pytest.mark.parametrize("track", list(TierTrack))
def test_weights_sum_to_one_without_drift(track):
    assert sum(WEIGHTS[track].values()) == 1


def test_the_documented_example_fixes_a_difference_of_weights():
    delivery = WEIGHTS[TierTrack.DELIVERY]
    assert delivery[D.RELATIONSHIP] - delivery[D.PROFITABILITY] == Decimal("0.25")


def test_each_track_has_its_own_human_dimensions():
    assert {track: human_dimensions(track) for track in TierTrack} == {
        TierTrack.DELIVERY: (D.PROFITABILITY, D.STRATEGIC, D.RELATIONSHIP),
        TierTrack.PRODUCT: (D.RELATIONSHIP, D.GROWTH),
    }


@given(TRACKS, DIMENSIONS)
def test_a_weighted_sum_is_within_its_parts(track, dimensions):
    parts = [dimensions[dimension] for dimension in WEIGHTS[track]]
    assert min(parts) <= weighted(track, dimensions) <= max(parts)


@given(TRACKS, DIMENSIONS, st.sampled_from(Dimension), SCORES)
def test_a_better_dimension_never_makes_a_worse_tier(track, dimensions, moved, other):
    low, high = sorted((dimensions[moved], other))
    order = [tier for tier, _ in THRESHOLDS]
    one = weighted(track, {**dimensions, moved: low})
    two = weighted(track, {**dimensions, moved: high})
    assert one <= two
    assert order.index(tier_of(two)) <= order.index(tier_of(one))


@given(TRACKS, SCORES)
def test_equal_dimensions_give_themselves(track, value):
    assert weighted(track, dict.fromkeys(Dimension, value)) == value


@pytest.mark.parametrize(
    ("track", "scored_at", "now", "stale"),
    [
        (TierTrack.DELIVERY, JANUARY, APRIL, False),
        (TierTrack.DELIVERY, JANUARY, APRIL + timedelta(seconds=1), True),
        (None, None, APRIL, False),
        (None, JANUARY, APRIL + timedelta(days=900), False),
    ],
)
def test_a_score_is_stale_after_ninety_days(track, scored_at, now, stale):
    assert is_score_stale(track, scored_at, now) is stale


@pytest.mark.parametrize(
    ("status", "track", "touched"),
    [
        (ClientStatus.ACTIVE, TierTrack.PRODUCT, True),
        (ClientStatus.ACTIVE, None, False),
        (ClientStatus.DORMANT, TierTrack.PRODUCT, False),
    ],
)
def test_only_active_clients_with_a_track_are_recalculated(status, track, touched):
    assert is_recalculated(status, track) is touched


def scored(track, human, *, annual_total, override=None, adoption=None):
    revenue = revenue_score(Decimal(annual_total))
    scoring = score(track, revenue_score=revenue, override=override, human=human, adoption=adoption)
    return Standing(
        track=track, human=human, override=override, revenue_score=revenue, adoption=adoption,
        tier_score=scoring.tier_score, tier=scoring.tier,
    )  # fmt: skip


def test_unchanged_revenue_changes_nothing():
    standing = scored(
        TierTrack.DELIVERY,
        decimals(profitability="3", strategic="4", relationship="5"),
        annual_total=285000,
    )
    again = rescored(standing, revenue_score=4, adoption=None)
    assert (again.differs, again.updated, again.tier_changed) == (False, False, False)


def test_revenue_that_falls_can_cost_the_tier():
    standing = scored(
        TierTrack.DELIVERY,
        decimals(profitability="3", strategic="4", relationship="5"),
        annual_total=285000,
    )
    again = rescored(standing, revenue_score=3, adoption=None)
    assert (again.scoring.tier, again.updated, again.tier_changed) == (Tier.CORE, True, True)


def test_an_override_outlives_the_recalculation_which_refreshes_the_score_beneath():
    standing = scored(
        TierTrack.DELIVERY,
        decimals(profitability="2", strategic="2", relationship="2"),
        annual_total=18000,
        override=Decimal(3),
    )
    again = rescored(standing, revenue_score=2, adoption=None)
    assert (again.scoring.tier_score, again.revenue_score) == (standing.tier_score, 2)
    assert (again.updated, again.tier_changed) == (True, False)


def test_adoption_that_moves_the_score_counts_as_an_update():
    human = decimals(relationship="4", growth="3.5")
    before = adoption_score(platforms=3, active_weeks=9, questionnaire=True)
    standing = scored(TierTrack.PRODUCT, human, annual_total=96000, adoption=before)
    after = adoption_score(platforms=0, active_weeks=0, questionnaire=False)
    again = rescored(standing, revenue_score=3, adoption=after)
    assert (again.updated, again.scoring.dimensions[D.ADOPTION]) == (True, Decimal("1.00"))


@given(
    TRACKS, st.fixed_dictionaries({dimension: SCORES for dimension in HUMAN}),
    st.integers(1, 5), st.integers(1, 5), st.none() | SCORES, SCORES,
)  # fmt: skip
def test_a_second_recalculation_finds_nothing_to_do(track, human, before, now, override, adoption):
    computed = adoption if track is TierTrack.PRODUCT else None
    first = score(track, revenue_score=before, override=override, human=human, adoption=computed)
    standing = Standing(
        track=track, human=human, override=override, revenue_score=before, adoption=computed,
        tier_score=first.tier_score, tier=first.tier,
    )  # fmt: skip
    once = rescored(standing, revenue_score=now, adoption=computed)
    after = Standing(
        track=track, human=human, override=override, revenue_score=now, adoption=computed,
        tier_score=once.scoring.tier_score, tier=once.scoring.tier,
    )  # fmt: skip
    twice = rescored(after, revenue_score=now, adoption=computed)
    assert (twice.differs, twice.updated, twice.tier_changed) == (False, False, False)
    assert twice.scoring == once.scoring
