"""Results of random rows, against the same sums in plain Python."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from random import Random
from typing import Any

import pytest

from models.db.database import Database
from models.queries.platforms import campaigns, results
from models.rules.clients.rounding import rounded
from models.rules.clients.vocabulary import PeriodType
from models.rules.results.campaigns import together
from models.rules.results.comparison import delta_pct
from models.rules.results.periods import Period, period, prior
from models.tables.results import CampaignDaily, MetricSnapshot
from tests.factories.agents import TenantMade, make_tenant
from tests.factories.clients import make_client
from tests.factories.results import AS_OF, store

MARCH = period(PeriodType.MONTH, date(2025, 3, 31))
FIRST = date(2025, 1, 25)
ACCOUNTS = {
    ("meta_ads", "1"): "EUR", ("meta_ads", "2"): "USD", ("google_ads", "1"): "USD",
    ("shopify", "1"): "EUR", ("shopify", "2"): "CHF",
}  # fmt: skip
SUMS = {
    "spend": True, "clicks": False, "impressions": False, "conversions": False,
    "conversion_value": True, "store_revenue": True, "orders": False, "likes": False,
    "returning_orders": False,
}  # fmt: skip
RATIOS = {
    "ctr": ("clicks", "impressions", 100, 2), "cpc": ("spend", "clicks", 1, 2),
    "cpm": ("spend", "impressions", 1000, 2), "cpa": ("spend", "conversions", 1, 2),
    "roas": ("conversion_value", "spend", 1, 4), "aov": ("store_revenue", "orders", 1, 2),
    "returning_order_rate": ("returning_orders", "orders", 100, 2),
}  # fmt: skip
Row = Mapping[str, Any]
SEEDS = range(4)


@pytest.fixture
async def tenant(db: Database) -> TenantMade:
    return await make_tenant(db)


def random_metrics(company_id: str, random: Random) -> list[Row]:
    return [
        {
            "company_id": company_id, "day": FIRST + timedelta(days=number), "metric_key": key,
            "platform": platform, "account_id": account_id, "as_of": AS_OF,
            "value": Decimal(random.choice((0, random.randrange(10**6)))) / 100,
            "currency": currency if is_money else None,
        }
        for (platform, account_id), currency in ACCOUNTS.items()
        for key, is_money in SUMS.items()
        if random.random() < 0.7
        for number in range(70)
        if random.random() < 0.3
    ]  # fmt: skip


def within(rows: Iterable[Row], span: Period) -> list[Row]:
    return [row for row in rows if span.start <= row["day"] <= span.end]


def total(rows: Iterable[Row]) -> Fraction:
    return sum((Fraction(row["value"]) for row in rows), Fraction(0))


def plain_sums(rows: list[Row]) -> dict[tuple[str, str | None], Fraction]:
    found: dict[tuple[str, str | None], list[Row]] = defaultdict(list)
    for row in rows:
        found[row["metric_key"], row["currency"]].append(row)
    return {key: total(of_key) for key, of_key in found.items()}


def plain_ratios(rows: list[Row]) -> dict[tuple[str, str | None], Fraction]:
    found: dict[tuple[str, str | None], Fraction] = {}
    for key, (above, below, factor, _) in RATIOS.items():
        money = [part for part in (above, below) if SUMS[part]]
        for currency in (*sorted(set(ACCOUNTS.values())), None) if money else (None,):
            accounts = {
                (row["platform"], row["account_id"])
                for row in rows
                if not money or (row["metric_key"] in money and row["currency"] == currency)
            }
            mine = [row for row in rows if (row["platform"], row["account_id"]) in accounts]
            divisor = total(row for row in mine if row["metric_key"] == below)
            if divisor:
                dividend = total(row for row in mine if row["metric_key"] == above)
                found[key, currency] = dividend / divisor * factor
    return found


@pytest.mark.parametrize("seed", SEEDS)
async def test_metrics_are_what_plain_python_makes_of_the_rows(
    db: Database, tenant: TenantMade, seed: int
) -> None:
    company_id, random = await make_client(db, tenant), Random(seed)
    rows = random_metrics(company_id, random)
    await store(db, tenant, MetricSnapshot, rows)
    async with db.tenant(tenant.id) as session:
        found = (await results.of_period(session, company_id, MARCH)).metrics
    present, before = within(rows, MARCH), within(rows, prior(MARCH))
    expected = plain_sums(present) | plain_ratios(present)
    earlier = plain_sums(before) | plain_ratios(before)
    by_money = {key for key, currency in expected if currency is not None}
    shown = {
        (one.metric_key, one.currency if one.metric_key in by_money else None): one for one in found
    }
    assert shown.keys() == expected.keys()
    for key, one in shown.items():
        places = RATIOS[key[0]][3] if key[0] in RATIOS else 2
        was = earlier.get(key)
        assert one.value == rounded(expected[key], places), key
        assert one.prior_value == (None if was is None else rounded(was, places)), key
        assert one.delta_pct == delta_pct(expected[key], was), key


def by_day(rows: Iterable[Row], key: str) -> dict[date, Fraction]:
    found: dict[date, Fraction] = defaultdict(Fraction)
    for row in rows:
        if row["metric_key"] == key:
            found[row["day"]] += Fraction(row["value"])
    return found


def mean(values: Iterable[Fraction]) -> Fraction:
    every = list(values)
    return sum(every, Fraction(0)) / len(every)


@pytest.mark.parametrize("seed", SEEDS)
async def test_averages_are_those_of_the_days_that_have_data(
    db: Database, tenant: TenantMade, seed: int
) -> None:
    company_id, random = await make_client(db, tenant), Random(seed)
    rows = random_metrics(company_id, random)
    await store(db, tenant, MetricSnapshot, rows)
    async with db.tenant(tenant.id) as session:
        found = (await results.of_period(session, company_id, MARCH)).metrics
    present = within(rows, MARCH)
    shown = {one.metric_key: one for one in found}
    for key in shown.keys() & (SUMS.keys() - {"spend", "conversion_value", "store_revenue"}):
        days = by_day(present, key)
        assert shown[key].data_points == len(days)
        assert shown[key].avg_value == rounded(mean(days.values())), key
    for key in shown.keys() & {"ctr", "returning_order_rate"}:
        above, below, factor, places = RATIOS[key]
        over = by_day(present, above)
        daily = [over[day] / amount for day, amount in by_day(present, below).items() if amount]
        assert shown[key].data_points == len(daily)
        assert shown[key].avg_value == rounded(mean(daily) * factor, places), key


@pytest.mark.parametrize("seed", SEEDS)
async def test_positions_are_weighted_by_who_saw_them(
    db: Database, tenant: TenantMade, seed: int
) -> None:
    company_id, random = await make_client(db, tenant), Random(seed)
    rows = [
        {
            "company_id": company_id, "day": FIRST + timedelta(days=number), "metric_key": key,
            "platform": "google_search_console", "account_id": account_id, "as_of": AS_OF,
            "value": Decimal(random.choice((0, random.randrange(10**4)))) / divisor,
            "currency": None,
        }
        for account_id in "12"
        for key, divisor in (("search_position", 100), ("search_impressions", 1))
        for number in range(70)
        if random.random() < 0.6
    ]  # fmt: skip
    await store(db, tenant, MetricSnapshot, rows)
    async with db.tenant(tenant.id) as session:
        found = (await results.of_period(session, company_id, MARCH)).metrics
    (position,) = [one for one in found if one.metric_key == "search_position"]
    values, weights = weighted_days(within(rows, MARCH))
    before, weights_before = weighted_days(within(rows, prior(MARCH)))
    assert position.value == rounded(weighted_mean(values, weights))
    assert position.avg_value == rounded(mean(values.values()))
    assert position.data_points == len(values)
    assert position.prior_value == rounded(weighted_mean(before, weights_before))


def weighted_days(rows: list[Row]) -> tuple[dict[date, Fraction], dict[date, Fraction]]:
    """The position of each day and its impressions; without any, the mean of the accounts."""
    seen = {(r["day"], r["account_id"]): r for r in rows if r["metric_key"] == "search_impressions"}
    values, weights = {}, {}
    for day in {row["day"] for row in rows if row["metric_key"] == "search_position"}:
        mine = [r for r in rows if r["day"] == day and r["metric_key"] == "search_position"]
        shares = [
            total([seen[key]] if (key := (day, r["account_id"])) in seen else []) for r in mine
        ]
        weights[day] = sum(shares, Fraction(0))
        weighed = sum(
            (Fraction(r["value"]) * w for r, w in zip(mine, shares, strict=True)), Fraction(0)
        )
        values[day] = weighed / weights[day] if weights[day] else total(mine) / len(mine)
    return values, weights


def weighted_mean(values: Mapping[date, Fraction], weights: Mapping[date, Fraction]) -> Fraction:
    together = sum(weights.values(), Fraction(0))
    return sum((values[day] * weights[day] for day in values), Fraction(0)) / together


@pytest.mark.parametrize("seed", SEEDS)
async def test_campaigns_and_their_totals_are_what_plain_python_makes_of_the_rows(
    db: Database, tenant: TenantMade, seed: int
) -> None:
    company_id, random = await make_client(db, tenant), Random(seed)
    rows = [
        {
            "company_id": company_id, "day": FIRST + timedelta(days=number), "as_of": AS_OF,
            "platform": platform, "campaign_id": str(campaign), "currency": currency,
            "spend": Decimal(random.randrange(10**9)) / 10**6,
            "impressions": random.randrange(1000), "clicks": random.randrange(100),
            "conversions": Decimal(random.randrange(100)) / 10,
            "conversion_value": Decimal(random.randrange(10**6)) / 100,
            "reach": random.choice((None, random.randrange(500))),
        }
        for platform in ("meta_ads", "google_ads")
        for campaign in range(12)
        for currency in random.choices(("EUR", "USD"))
        for number in range(70)
        if random.random() < 0.2
    ]  # fmt: skip
    await store(db, tenant, CampaignDaily, rows)
    async with db.tenant(tenant.id) as session:
        found = await campaigns.breakdown(session, company_id, MARCH)
        daily = await campaigns.daily(session, company_id, MARCH)
    present, before = within(rows, MARCH), within(rows, prior(MARCH))
    for one in found.by_currency:
        sums, mine = together(one.parts), [r for r in present if r["currency"] == one.currency]
        for name in ("spend", "impressions", "clicks", "conversions", "conversion_value"):
            assert getattr(sums, name) == sum(row[name] for row in mine)
        assert sums.reach == sum(row["reach"] or 0 for row in mine)
        assert one.prior_spend == sum(
            row["spend"] for row in before if row["currency"] == one.currency
        )
    assert {one.currency for one in found.by_currency} == {row["currency"] for row in present}
    assert len(found.campaigns) == len({(r["platform"], r["campaign_id"]) for r in present})
    spent: dict[tuple[str, int], Decimal] = defaultdict(Decimal)
    for row in present:
        spent[row["campaign_id"], (row["day"] - MARCH.start).days] += row["spend"]
    assert {(key, day): value for key, days in daily.items() for day, value in days.items()} == {
        key: rounded(value) for key, value in spent.items()
    }
