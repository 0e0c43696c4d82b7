"""Results against goals over HTTP: which goal counts, and how it is scaled."""

from datetime import date, timedelta
from decimal import Decimal

import httpx

from tests.api.conftest import TenantPeople, made
from tests.api.platforms.result_calls import MARCH, Store, by_key, results
from tests.factories.clients import make_goal
from tests.factories.records import Records
from tests.factories.results import AS_OF


async def test_a_goal_of_a_sum_is_scaled_and_expected_of_the_days_with_data(
    http: httpx.AsyncClient,
    tenant_a: TenantPeople,
    company_id: str,
    store: Store,
    records: Records,
) -> None:
    tenant = made(tenant_a)
    for metric, target, period in (("clicks", 930, "quarter"), ("ctr", 5, "week")):
        await make_goal(
            records.database, tenant, company_id,
            metric=metric, target=Decimal(target), period=period,
        )  # fmt: skip
    # 310 a month, 10 a day: 95 over ten days is on the way, however empty one of them is.
    await store("clicks", MARCH, [50, None, *[0] * 7, 45])
    await store("impressions", MARCH, [5000])
    found = by_key(await results(http, tenant_a, company_id))
    held = {key: (one["target"], one["tracking_status"]) for key, one in found.items()}
    assert held == {
        "clicks": (310.0, "on_track"), "impressions": (None, None), "ctr": (5.0, "off_track"),
    }  # fmt: skip


async def test_the_goal_of_the_periods_type_counts_and_else_the_newest(
    http: httpx.AsyncClient,
    tenant_a: TenantPeople,
    company_id: str,
    store: Store,
    records: Records,
) -> None:
    tenant = made(tenant_a)
    for number, (target, period) in enumerate(
        [(1, "month"), (2, "month"), (3, "quarter"), (6, "year")]
    ):
        await make_goal(
            records.database, tenant, company_id, metric="roas", target=Decimal(target),
            period=period, created_at=AS_OF + timedelta(days=number),
        )  # fmt: skip
    await store("spend", MARCH, [1])
    await store("conversion_value", MARCH, [3])
    targets = {
        period: by_key(await results(http, tenant_a, company_id, period_type=period))["roas"]
        for period in ("week", "month", "quarter", "year")
        if period != "week"
    }
    assert {period: one["target"] for period, one in targets.items()} == {
        "month": 2.0, "quarter": 3.0, "year": 6.0,
    }  # fmt: skip
    await store("spend", date(2025, 3, 31), [1])
    week = by_key(await results(http, tenant_a, company_id, period_type="week"))["roas"]
    assert week["target"] == 6.0


async def test_a_goal_of_money_is_for_its_own_currency_or_the_primary_one(
    http: httpx.AsyncClient,
    tenant_a: TenantPeople,
    company_id: str,
    store: Store,
    records: Records,
) -> None:
    tenant = made(tenant_a)
    for metric, unit, target in (
        ("spend", "USD", 10), ("spend", "money", 40), ("conversion_value", "CHF", 5),
        ("clicks", "PCS", 7),
    ):  # fmt: skip
        await make_goal(
            records.database, tenant, company_id, metric=metric, unit=unit, target=Decimal(target)
        )
    await store("spend", MARCH, [40], account_id="e", currency="EUR")
    await store("spend", MARCH, [10], account_id="d", currency="USD")
    await store("conversion_value", MARCH, [10], account_id="d", currency="USD")
    await store("clicks", MARCH, [10], account_id="d")
    body = await results(http, tenant_a, company_id)
    targets = {(one["metric_key"], one["currency"]): one["target"] for one in body["metrics"]}
    assert targets == {
        ("spend", "EUR"): 40.0, ("spend", "USD"): 10.0, ("clicks", "EUR"): 7.0,
        ("conversion_value", "USD"): None, ("cpc", "USD"): None, ("roas", "USD"): None,
        ("roas", "EUR"): None,
    }  # fmt: skip
