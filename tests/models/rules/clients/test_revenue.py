from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.rules.clients.revenue import (
    SOURCES,
    MonthEntries,
    Revenue,
    SourceTotals,
    month_name,
    revenue,
    revenue_score,
    revenue_window,
    source_of,
    summary,
)
from models.rules.clients.vocabulary import RevenueOrigin, RevenueSource

NUCLEUS, PRODUCTIVE = RevenueSource.NUCLEUS, RevenueSource.PRODUCTIVE
DAYS = st.dates(date(1990, 1, 1), date(2100, 12, 31))
AMOUNTS = st.decimals(min_value=-(10**9), max_value=10**9, places=6)
WINDOW = revenue_window(date(2026, 3, 10))


def entries(month, source, count, total):
    return MonthEntries(month=month, source=source, entries=count, total=Decimal(total))


@pytest.mark.parametrize(
    ("annual_total", "expected"),
    [
        ("285000", 4), ("300000", 5), ("149999.99", 3), ("0", 1),
        ("-1", 1), ("24999.99", 1), ("25000", 2), ("75000", 3), ("150000", 4), ("299999.99", 4),
    ],
)  # fmt: skip
def test_a_lower_bound_belongs_to_its_band(annual_total, expected):
    assert revenue_score(Decimal(annual_total)) == expected


@given(AMOUNTS, AMOUNTS)
def test_more_revenue_never_scores_less(one, other):
    low, high = sorted((one, other))
    assert 1 <= revenue_score(low) <= revenue_score(high) <= 5


@pytest.mark.parametrize(
    ("nucleus", "productive", "expected"),
    [(2, 30, NUCLEUS), (0, 1, PRODUCTIVE), (0, 0, RevenueSource.NONE)],
)
def test_the_ledger_comes_before_productive(nucleus, productive, expected):
    assert source_of(nucleus_entries=nucleus, productive_entries=productive) is expected


def test_every_origin_belongs_to_a_source():
    assert set(SOURCES) == set(RevenueOrigin)


def test_the_window_is_twelve_complete_months():
    months = [month_name(month) for month in WINDOW.months]
    assert (months[0], months[-1], len(months)) == ("2025-03", "2026-02", 12)


@given(DAYS)
def test_the_window_always_has_twelve_months_and_ends_before_the_current_one(today):
    window = revenue_window(today)
    assert len(set(window.months)) == 12
    assert all(month.day == 1 and window.first <= month < window.end for month in window.months)
    assert window.end == today.replace(day=1)
    assert (window.end - timedelta(days=1)).replace(day=1) == window.months[-1]


@given(DAYS)
def test_the_window_is_the_same_all_month(today):
    assert revenue_window(today) == revenue_window(today.replace(day=1))


def test_the_two_sources_are_never_added():
    totals = SourceTotals(
        nucleus_entries=1, nucleus_total=Decimal(10),
        productive_entries=30, productive_total=Decimal(400_000),
    )  # fmt: skip
    assert revenue(totals) == Revenue(annual_total=Decimal(10), score=1, source=NUCLEUS)


def test_without_a_source_there_is_no_revenue():
    assert revenue(SourceTotals()) == Revenue(
        annual_total=Decimal(0), score=1, source=RevenueSource.NONE
    )


def test_the_total_is_compared_after_rounding():
    almost = SourceTotals(nucleus_entries=1, nucleus_total=Decimal("149999.995"))
    assert revenue(almost) == Revenue(annual_total=Decimal(150_000), score=4, source=NUCLEUS)


def test_the_summary_has_every_month_of_the_chosen_source():
    found = summary(
        WINDOW,
        [
            entries(date(2025, 3, 1), NUCLEUS, 2, "100.10"),
            entries(date(2026, 2, 1), NUCLEUS, 1, "-0.20"),
            entries(date(2026, 2, 1), PRODUCTIVE, 9, "7000"),
            entries(date(2026, 3, 1), NUCLEUS, 1, "5000"),
        ],
    )
    assert found.revenue == Revenue(annual_total=Decimal("99.90"), score=1, source=NUCLEUS)
    assert [total for _, total in found.monthly] == [
        Decimal("100.10"), *[Decimal(0)] * 10, Decimal("-0.20"),
    ]  # fmt: skip


@given(st.lists(st.tuples(st.integers(0, 11), AMOUNTS), max_size=40))
def test_the_total_does_not_drift_from_the_sum_of_its_entries(rows):
    found = summary(WINDOW, [entries(WINDOW.months[at], NUCLEUS, 1, total) for at, total in rows])
    exact = sum((total for _, total in rows), Decimal(0))
    assert abs(found.revenue.annual_total - exact) <= Decimal("0.005")
    assert len(found.monthly) == 12
    assert abs(sum(total for _, total in found.monthly) - exact) <= Decimal("0.06")
