from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.rules.results.campaigns import (
    CampaignSort,
    Sortable,
    SortDirection,
    Sums,
    derived,
    derived_together,
    in_order,
    together,
)


def sums(spend, impressions, clicks, conversions, value, reach):
    return Sums(
        spend=Decimal(spend), impressions=impressions, clicks=clicks,
        conversions=Decimal(conversions), conversion_value=Decimal(value), reach=reach,
    )  # fmt: skip


def test_derived_numbers_follow_from_the_sums():
    shown = derived(sums(1200, 150000, 3000, 60, 4800, 50000)).shown()
    assert {name: str(value) for name, value in shown.items()} == {
        "roas": "4.0000",
        "cpa": "20.00",
        "cpm": "8.00",
        "ctr": "2.00",
        "cpc": "0.40",
        "frequency": "3.0000",
    }


def test_what_is_divided_by_nothing_is_nothing_and_never_zero():
    shown = derived(sums("75.5", 9100, 0, 0, 0, None)).shown()
    assert {name: None if value is None else str(value) for name, value in shown.items()} == {
        "roas": "0.0000",
        "cpa": None,
        "cpm": "8.30",
        "ctr": "0.00",
        "cpc": None,
        "frequency": None,
    }


def test_campaigns_together_have_the_reach_and_the_frequency_of_those_that_tell_one():
    parts = [sums(10, 100, 4, 1, 5, 50), sums(30, 900, 6, 1, 15, None)]
    assert together(parts) == sums(40, 1000, 10, 2, 20, 50)
    shown = derived_together(parts).shown()
    assert (shown["frequency"], shown["ctr"], shown["roas"]) == (
        Decimal(2), Decimal(1), Decimal("0.5"),
    )  # fmt: skip


def test_without_campaigns_everything_is_nothing():
    assert together([]) == Sums()
    assert set(derived_together([]).shown().values()) == {None}


def by_roas(name, roas):
    spend = Decimal(0) if roas is None else Decimal(1)
    return Sortable(
        campaign_id=name, platform="meta_ads", name=name,
        sums=Sums(spend=spend, conversion_value=Decimal(roas or 0)),
    )  # fmt: skip


@pytest.mark.parametrize(("direction", "expected"), [("desc", "cab"), ("asc", "acb")])
def test_what_has_no_value_comes_last_both_ways(direction, expected):
    campaigns = [by_roas("a", 3), by_roas("b", None), by_roas("c", 5)]
    found = in_order(campaigns, CampaignSort.ROAS, SortDirection(direction))
    assert "".join(one.campaign_id for one in found) == expected


@given(
    st.lists(
        st.builds(
            Sortable,
            campaign_id=st.text("ab", min_size=1, max_size=3),
            platform=st.sampled_from(["meta_ads", "google_ads"]),
            name=st.text("aAbB", max_size=2),
            sums=st.builds(Sums, spend=st.decimals(0, 3, places=0), reach=st.none()),
        ),
        max_size=8,
        unique_by=lambda one: (one.campaign_id, one.platform),
    ),
    st.sampled_from(CampaignSort),
    st.sampled_from(SortDirection),
)
def test_the_order_does_not_depend_on_how_the_rows_came(campaigns, by, direction):
    found = in_order(campaigns, by, direction)
    assert found == in_order(list(reversed(campaigns)), by, direction)
    assert len(found) == len(campaigns)
