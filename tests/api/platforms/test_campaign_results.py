"""Results by campaign over HTTP: the numbers of each, the totals, the order, the days."""

from collections.abc import Awaitable, Callable
from datetime import date
from decimal import Decimal
from typing import Any

import httpx
import pytest

from models.queries.platforms import campaigns
from tests.api.conftest import TenantPeople, made
from tests.factories.records import Records
from tests.factories.results import (
    store_campaign,
    store_campaign_day,
    store_creative,
    store_metric,
    store_reach,
)

MARCH, LAST = date(2025, 3, 1), date(2025, 3, 31)
Store = Callable[..., Awaitable[None]]


@pytest.fixture
def store(records: Records, tenant_a: TenantPeople, company_id: str) -> Store:
    """Store a day of a campaign, March 10 unless it is said."""

    async def stored(**values: Any) -> None:
        await store_campaign_day(records.database, made(tenant_a), company_id, **values)

    return stored


async def ask(
    http: httpx.AsyncClient, tenant: TenantPeople, company_id: str, path: str = "", **query: str
) -> dict[str, Any]:
    """What there is of the campaigns of March 2025."""
    answer = await http.get(
        f"/api/clients/{company_id}/results/campaigns{path}",
        params={"period_end": "2025-03-31", **query},
        headers=tenant.reviewer.headers,
    )
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def ids(body: dict[str, Any]) -> list[str]:
    return [one["campaign_id"] for one in body["campaigns"]]


async def test_a_campaign_is_added_up_with_what_is_known_of_it(
    http: httpx.AsyncClient,
    tenant_a: TenantPeople,
    company_id: str,
    store: Store,
    records: Records,
) -> None:
    tenant = made(tenant_a)
    numbers: dict[str, Any] = {
        "impressions": 75000,
        "clicks": 1500,
        "conversions": 30,
        "reach": 25000,
    }
    for day, spend in ((MARCH, "700"), (LAST, "500")):
        await store(day=day, spend=Decimal(spend), conversion_value=Decimal(2400), **numbers)
    await store(day=date(2025, 2, 28), spend=Decimal(1000))
    await store_campaign(
        records.database, tenant, company_id,
        name="Spring sale", objective="OUTCOME_SALES", daily_budget=Decimal(50), status="paused",
    )  # fmt: skip
    await store_creative(records.database, tenant, company_id, creative_id="7", spend=9, title="T")
    body = await ask(http, tenant_a, company_id)
    numbers_shown = {
        "spend": 1200.0, "impressions": 150000, "clicks": 3000, "conversions": 60.0,
        "conversion_value": 4800.0, "reach": 50000, "frequency": 3.0, "cpm": 8.0, "cpc": 0.4,
        "ctr": 2.0, "roas": 4.0, "cpa": 20.0, "currency": "USD", "spend_delta_pct": 20.0,
    }  # fmt: skip
    totals = {**numbers_shown, "campaigns_count": 1}
    assert body == {
        "period": {"type": "month", "start": "2025-03-01", "end": "2025-03-31", "days": 31},
        "campaigns": [
            {
                "campaign_id": "1",
                "campaign_name": "Spring sale",
                "platform": "meta_ads",
                "campaign_status": "paused",
                "campaign_objective": "outcome_sales",
                "daily_budget": 50.0,
                "lifetime_budget": None,
                **numbers_shown,
                "top_creative_title": "T",
                "top_creative_body": None,
            }
        ],
        "totals": {**totals, "by_currency": [totals]},
    }


async def test_without_campaigns_the_totals_are_zero_and_what_follows_from_them_null(
    http: httpx.AsyncClient, tenant_a: TenantPeople, company_id: str, records: Records
) -> None:
    nothing: dict[str, Any] = {
        "campaigns_count": 0, "spend": 0.0, "impressions": 0, "clicks": 0, "conversions": 0.0,
        "conversion_value": 0.0, "reach": None, "frequency": None, "cpm": None, "cpc": None,
        "ctr": None, "roas": None, "cpa": None, "currency": "USD", "spend_delta_pct": None,
        "by_currency": [],
    }  # fmt: skip
    body = await ask(http, tenant_a, company_id)
    assert (body["campaigns"], body["totals"]) == ([], nothing)
    await store_metric(
        records.database, made(tenant_a), company_id, "store_revenue", MARCH, [5],
        platform="shopify", currency="GBP",
    )  # fmt: skip
    body = await ask(http, tenant_a, company_id)
    assert body["totals"]["currency"] == "GBP"
    assert (await ask(http, tenant_a, company_id, "/daily")) == {"daily": {}}


async def test_a_campaign_on_which_nothing_happened_is_left_out(
    http: httpx.AsyncClient, tenant_a: TenantPeople, company_id: str, store: Store
) -> None:
    await store(campaign_id="none")
    await store(campaign_id="value", conversion_value=Decimal(5), reach=9)
    await store(campaign_id="before", day=date(2025, 2, 28), spend=Decimal(5))
    await store(campaign_id="after", day=date(2025, 4, 1), spend=Decimal(5))
    for name in ("spend", "impressions", "clicks", "conversions"):
        await store(campaign_id=name, **{name: 1})
    assert set(ids(await ask(http, tenant_a, company_id))) == {
        "spend", "impressions", "clicks", "conversions",
    }  # fmt: skip


async def test_a_campaign_that_nothing_is_known_of_is_called_by_its_id(
    http: httpx.AsyncClient, tenant_a: TenantPeople, company_id: str, store: Store
) -> None:
    await store(campaign_id="42", clicks=1)
    (campaign,) = (await ask(http, tenant_a, company_id))["campaigns"]
    known = ("campaign_name", "campaign_status", "campaign_objective", "daily_budget", "roas")
    assert [campaign[name] for name in known] == ["42", "unknown", None, None, None]


async def test_reach_is_that_of_the_whole_period_where_there_is_one(
    http: httpx.AsyncClient,
    tenant_a: TenantPeople,
    company_id: str,
    store: Store,
    records: Records,
) -> None:
    tenant = made(tenant_a)
    for day in (MARCH, LAST):
        await store(day=day, impressions=300, reach=100)
        await store(day=day, impressions=500, campaign_id="2", platform="google_ads")
    await store_reach(records.database, tenant, company_id, MARCH, date(2025, 3, 30), 1)
    body = await ask(http, tenant_a, company_id)
    assert {one["campaign_id"]: one["reach"] for one in body["campaigns"]} == {"1": 200, "2": None}
    # The impressions of those that tell their reach.
    assert (body["totals"]["reach"], body["totals"]["frequency"]) == (200, 3.0)
    await store_reach(records.database, tenant, company_id, MARCH, LAST, 150)
    body = await ask(http, tenant_a, company_id, sort_by="reach")
    assert [(one["reach"], one["frequency"]) for one in body["campaigns"]] == [
        (150, 4.0), (None, None),
    ]  # fmt: skip


async def test_totals_are_of_each_currency_and_the_one_with_the_most_spend_comes_first(
    http: httpx.AsyncClient, tenant_a: TenantPeople, company_id: str, store: Store
) -> None:
    await store(campaign_id="a", spend=Decimal(10), currency="CHF", clicks=5)
    await store(campaign_id="b", spend=Decimal(30), currency="USD", clicks=5)
    await store(campaign_id="c", spend=Decimal(25), currency="EUR", clicks=5)
    await store(campaign_id="d", spend=Decimal(25), currency="EUR", clicks=5)
    # It has ended since, and still is what the period is compared with.
    await store(campaign_id="e", spend=Decimal(100), currency="EUR", day=date(2025, 2, 10))
    totals = (await ask(http, tenant_a, company_id))["totals"]
    shown = [
        (one["currency"], one["campaigns_count"], one["spend"], one["cpc"], one["spend_delta_pct"])
        for one in totals["by_currency"]
    ]
    assert shown == [
        ("EUR", 2, 50.0, 5.0, -50.0), ("CHF", 1, 10.0, 2.0, None), ("USD", 1, 30.0, 6.0, None),
    ]  # fmt: skip
    assert (totals["currency"], totals["spend"]) == ("EUR", 50.0)


async def test_a_platform_can_be_asked_for_alone(
    http: httpx.AsyncClient, tenant_a: TenantPeople, company_id: str, store: Store
) -> None:
    await store(campaign_id="m", spend=Decimal(1))
    await store(campaign_id="g", platform="google_ads", spend=Decimal(5), currency="EUR")
    body = await ask(http, tenant_a, company_id, platform="meta_ads")
    assert (ids(body), body["totals"]["currency"]) == (["m"], "USD")
    daily = (await ask(http, tenant_a, company_id, "/daily", platform="google_ads"))["daily"]
    assert list(daily) == ["g"]


async def test_the_top_creative_has_the_most_spend_then_conversions_then_the_smallest_id(
    http: httpx.AsyncClient,
    tenant_a: TenantPeople,
    company_id: str,
    store: Store,
    records: Records,
) -> None:
    for campaign_id in ("1", "2", "3"):
        await store(campaign_id=campaign_id, spend=Decimal(1))
    for campaign_id, creative_id, spend, conversions, day in (
        ("1", "a", 5, 0, MARCH), ("1", "b", 4, 9, MARCH), ("1", "z", 50, 0, date(2025, 4, 1)),
        ("2", "c", 5, 1, MARCH), ("2", "d", 5, 2, MARCH),
        ("3", "f", 5, 1, MARCH), ("3", "e", 5, 1, MARCH),
    ):  # fmt: skip
        await store_creative(
            records.database, made(tenant_a), company_id, campaign_id=campaign_id, day=day,
            creative_id=creative_id, spend=spend, conversions=conversions, title=creative_id,
        )  # fmt: skip
    body = await ask(http, tenant_a, company_id)
    titles = {one["campaign_id"]: one["top_creative_title"] for one in body["campaigns"]}
    assert titles == {"1": "a", "2": "d", "3": "e"}


@pytest.mark.parametrize(
    ("sort_by", "sort_dir", "expected"),
    [
        ("spend", "desc", ["c", "a", "b"]),
        ("spend", "asc", ["b", "a", "c"]),
        # b has spent nothing: it has no return on it, whichever way.
        ("roas", "desc", ["a", "c", "b"]),
        ("roas", "asc", ["c", "a", "b"]),
        ("campaign_name", "asc", ["b", "a", "c"]),
        ("campaign_name", "desc", ["c", "a", "b"]),
        # All alike: by name, whatever its case.
        ("conversions", "asc", ["b", "a", "c"]),
        ("conversions", "desc", ["b", "a", "c"]),
    ],
)
async def test_campaigns_come_in_the_order_asked_for_in_both_views(
    http: httpx.AsyncClient,
    tenant_a: TenantPeople,
    company_id: str,
    store: Store,
    records: Records,
    sort_by: str,
    sort_dir: str,
    expected: list[str],
) -> None:
    for campaign_id, name, spend in (("a", "Beta", 5), ("b", "alpha", 0), ("c", "gamma", 10)):
        value = Decimal(10)
        await store(
            campaign_id=campaign_id, spend=Decimal(spend), impressions=1, conversion_value=value
        )
        await store_campaign(
            records.database, made(tenant_a), company_id, campaign_id=campaign_id, name=name
        )
    query = {"sort_by": sort_by, "sort_dir": sort_dir}
    assert ids(await ask(http, tenant_a, company_id, **query)) == expected
    daily = await ask(http, tenant_a, company_id, "/daily", **query)
    assert list(daily["daily"]) == expected


async def test_every_day_of_the_period_has_a_spend_to_the_cent(
    http: httpx.AsyncClient, tenant_a: TenantPeople, company_id: str, store: Store
) -> None:
    await store(day=MARCH, spend=Decimal("1.005"))
    await store(day=LAST, spend=Decimal("2.5"))
    await store(day=date(2025, 4, 1), spend=Decimal(9))
    series = (await ask(http, tenant_a, company_id, "/daily"))["daily"]["1"]
    assert [one["date"] for one in series] == [f"2025-03-{day:02}" for day in range(1, 32)]
    spent = {one["date"]: one["spend"] for one in series if one["spend"]}
    assert spent == {"2025-03-01": 1.01, "2025-03-31": 2.5}


async def test_days_that_are_taken_away_meanwhile_have_no_spend(
    http: httpx.AsyncClient,
    tenant_a: TenantPeople,
    company_id: str,
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def nothing(*_: Any, **__: Any) -> dict[str, Any]:
        return {}

    await store(spend=Decimal(1))
    monkeypatch.setattr(campaigns, "daily", nothing)
    series = (await ask(http, tenant_a, company_id, "/daily"))["daily"]["1"]
    assert [one["spend"] for one in series] == [0] * 31


async def test_two_platforms_that_share_an_id_are_two_campaigns_and_one_series(
    http: httpx.AsyncClient, tenant_a: TenantPeople, company_id: str, store: Store
) -> None:
    await store(spend=Decimal("0.005"))
    await store(spend=Decimal("0.005"), platform="google_ads")
    body = await ask(http, tenant_a, company_id)
    assert [one["platform"] for one in body["campaigns"]] == ["google_ads", "meta_ads"]
    series = (await ask(http, tenant_a, company_id, "/daily"))["daily"]
    assert {one["date"]: one["spend"] for one in series["1"] if one["spend"]} == {
        "2025-03-10": 0.01
    }


@pytest.mark.parametrize("path", ["", "/daily"])
@pytest.mark.parametrize(
    ("name", "value"),
    [("platform", "shopify"), ("sort_by", "cpc"), ("sort_dir", "up"), ("platform", "")],
)
async def test_what_cannot_be_sorted_or_filtered_by_is_refused(
    http: httpx.AsyncClient,
    tenant_a: TenantPeople,
    company_id: str,
    path: str,
    name: str,
    value: str,
) -> None:
    answer = await http.get(
        f"/api/clients/{company_id}/results/campaigns{path}",
        params={name: value},
        headers=tenant_a.member.headers,
    )
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["location"] == f"query.{name}"
