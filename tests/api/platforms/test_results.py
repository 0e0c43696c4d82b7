"""Results over HTTP: the metrics of a period, and the insight. Goals have a file of their own."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import update

from models.ids import new_id
from models.tables.people import Tenant
from tests.api.conftest import TenantPeople, made
from tests.api.platforms.result_calls import FEBRUARY, MARCH, Store, by_key, results
from tests.factories.clients import make_company, make_goal
from tests.factories.records import Records
from tests.factories.results import AS_OF, connect_platform, store_insight


async def test_without_data_there_is_a_period_and_nothing_in_it(
    http: httpx.AsyncClient, tenant_a: TenantPeople, company_id: str
) -> None:
    assert await results(http, tenant_a, company_id) == {
        "period": {"type": "month", "start": "2025-03-01", "end": "2025-03-31", "days": 31},
        "prior_period": {"type": "month", "start": "2025-02-01", "end": "2025-02-28", "days": 28},
        "metrics": [],
        "insight": None,
        "connected_platforms": [],
    }


async def test_days_are_added_up_over_platforms_and_compared_with_the_period_before(
    http: httpx.AsyncClient, tenant_a: TenantPeople, company_id: str, store: Store
) -> None:
    await store("clicks", MARCH, [10, 0, None, 5])
    await store("clicks", MARCH, [1, 1], platform="google_ads", account_id="g")
    await store("clicks", FEBRUARY, [0, 4])
    body = await results(http, tenant_a, company_id)
    assert body["metrics"] == [
        {
            "metric_key": "clicks", "value": 17.0, "avg_value": 5.67, "data_points": 3,
            "currency": "USD", "prior_value": 4.0, "delta_pct": 325.0, "target": None,
            "tracking_status": None,
        }
    ]  # fmt: skip


async def test_a_day_belongs_to_the_period_up_to_its_edges(
    http: httpx.AsyncClient, tenant_a: TenantPeople, company_id: str, store: Store
) -> None:
    # Jan 31, Feb 1 and 28, March 1 and 31, April 1.
    for day, value in (
        (date(2025, 1, 31), 100), (FEBRUARY, 10), (date(2025, 2, 28), 20),
        (MARCH, 1), (date(2025, 3, 31), 2), (date(2025, 4, 1), 400),
    ):  # fmt: skip
        await store("clicks", day, [value])
    (clicks,) = (await results(http, tenant_a, company_id))["metrics"]
    assert (clicks["value"], clicks["prior_value"], clicks["data_points"]) == (3.0, 30.0, 2)


async def test_ratios_come_from_sums_of_all_days_and_never_from_daily_ratios(
    http: httpx.AsyncClient, tenant_a: TenantPeople, company_id: str, store: Store
) -> None:
    await store("spend", MARCH, [100, 100, 50])
    await store("conversions", MARCH, [0, 4, 1])
    await store("conversion_value", MARCH, [0, 900, None])
    found = by_key(await results(http, tenant_a, company_id))
    assert (found["cpa"]["value"], found["cpa"]["avg_value"], found["cpa"]["data_points"]) == (
        50.0, 37.5, 2,
    )  # fmt: skip
    assert (found["roas"]["value"], found["roas"]["avg_value"]) == (3.6, 3.0)
    # Nothing to divide by.
    assert "cpc" not in found
    assert "ctr" not in found


async def test_a_ratio_whose_denominator_is_zero_over_the_period_is_left_out(
    http: httpx.AsyncClient, tenant_a: TenantPeople, company_id: str, store: Store
) -> None:
    await store("spend", MARCH, [100])
    await store("conversions", MARCH, [0])
    found = by_key(await results(http, tenant_a, company_id))
    # What is stored nowhere is 0 above the line.
    assert {key: one["value"] for key, one in found.items()} == {
        "spend": 100.0, "conversions": 0.0, "roas": 0.0,
    }  # fmt: skip


async def test_each_kind_makes_its_number_of_the_days(
    http: httpx.AsyncClient, tenant_a: TenantPeople, company_id: str, store: Store
) -> None:
    google = {"platform": "google_search_console", "account_id": "s"}
    await store("active_users", MARCH, [10, 20, 40], platform="ga4")
    await store("subscribers", MARCH, [1000, 1010, 1025], platform="klaviyo")
    await store("search_position", MARCH, [4, 8], **google)
    await store("search_impressions", MARCH, [300, 100], **google)
    await store("search_position", MARCH, [10], platform="google_search_console", account_id="t")
    await store("search_impressions", MARCH, [100], platform="google_search_console",
                account_id="t")  # fmt: skip
    found = by_key(await results(http, tenant_a, company_id))
    numbers = {key: (one["value"], one["avg_value"], one["data_points"]) for key, one in
               found.items()}  # fmt: skip
    assert numbers == {
        "active_users": (23.33, 23.33, 3),
        "subscribers": (1025.0, 1011.67, 3),
        # Days of (4*300 + 10*100) / 400 and 8; (1200 + 1000 + 800) / 500 together.
        "search_position": (6.0, 6.75, 2),
        "search_impressions": (500.0, 250.0, 2),
        "search_ctr": (0.0, 0.0, 2),
    }


async def test_a_position_that_nobody_saw_is_still_told(
    http: httpx.AsyncClient, tenant_a: TenantPeople, company_id: str, store: Store
) -> None:
    for account, value in (("s", 4), ("t", 7)):
        await store("search_position", MARCH, [value], platform="google_search_console",
                    account_id=account)  # fmt: skip
    (position,) = (await results(http, tenant_a, company_id))["metrics"]
    assert (position["value"], position["avg_value"]) == (5.5, 5.5)


async def test_money_is_given_for_each_currency_and_never_converted(
    http: httpx.AsyncClient, tenant_a: TenantPeople, company_id: str, store: Store
) -> None:
    for account, currency, spend, clicks in (
        ("d", "USD", [10, 20], [5, 5]), ("e", "EUR", [40, 0], [10, 10]),
    ):  # fmt: skip
        await store("spend", MARCH, spend, account_id=account, currency=currency)
        await store("clicks", MARCH, clicks, account_id=account)
        await store("conversion_value", MARCH, [90], account_id=account, currency=currency)
    body = await results(http, tenant_a, company_id)
    shown = [(one["metric_key"], one["currency"], one["value"]) for one in body["metrics"]]
    assert shown == [
        ("spend", "EUR", 40.0), ("spend", "USD", 30.0),
        ("clicks", "EUR", 30.0),
        ("conversion_value", "EUR", 90.0), ("conversion_value", "USD", 90.0),
        ("cpc", "EUR", 2.0), ("cpc", "USD", 3.0),
        ("roas", "EUR", 2.25), ("roas", "USD", 3.0),
    ]  # fmt: skip


async def test_an_account_that_changed_its_currency_counts_each_click_once(
    http: httpx.AsyncClient, tenant_a: TenantPeople, company_id: str, store: Store
) -> None:
    await store("spend", MARCH, [10], currency="EUR")
    await store("spend", MARCH + timedelta(days=1), [30], currency="USD")
    await store("clicks", MARCH, [5, 5])
    body = await results(http, tenant_a, company_id)
    costs = {o["currency"]: o["value"] for o in body["metrics"] if o["metric_key"] == "cpc"}
    assert costs == {"USD": 6.0, "EUR": 2.0}


async def test_without_spend_the_shop_and_then_the_tenant_tell_the_currency(
    http: httpx.AsyncClient,
    tenant_a: TenantPeople,
    company_id: str,
    store: Store,
    records: Records,
) -> None:
    async with records.database.tenant(tenant_a.id) as db:
        await db.execute(update(Tenant).values(currency="CHF"))
    await store("sessions", MARCH, [7], platform="ga4")
    body = await results(http, tenant_a, company_id)
    assert {one["currency"] for one in body["metrics"]} == {"CHF"}
    await store("store_revenue", MARCH, [70], platform="shopify", currency="GBP")
    body = await results(http, tenant_a, company_id)
    assert {one["currency"] for one in body["metrics"]} == {"GBP"}


async def test_money_whose_currency_nobody_told_is_the_tenants(
    http: httpx.AsyncClient, tenant_a: TenantPeople, company_id: str, store: Store
) -> None:
    await store("spend", MARCH, [5], currency=None)
    await store("spend", MARCH, [6], account_id="2", currency="USD")
    spend = by_key(await results(http, tenant_a, company_id))["spend"]
    assert (spend["value"], spend["currency"]) == (11.0, "USD")


async def test_a_metric_outside_the_registry_is_a_sum_and_comes_last(
    http: httpx.AsyncClient,
    tenant_a: TenantPeople,
    company_id: str,
    store: Store,
    records: Records,
) -> None:
    await store("video_views", MARCH, [3, 4])
    await store("app_installs", MARCH, [1])
    await store("subscribers", MARCH, [9], platform="klaviyo")
    await make_goal(records.database, made(tenant_a), company_id, metric="video_views")
    body = await results(http, tenant_a, company_id)
    assert [one["metric_key"] for one in body["metrics"]] == [
        "subscribers", "app_installs", "video_views",
    ]  # fmt: skip
    views = body["metrics"][2]
    assert (views["value"], views["target"], views["tracking_status"]) == (7.0, 4.0, None)


async def test_a_change_is_computed_from_what_is_not_rounded_yet(
    http: httpx.AsyncClient, tenant_a: TenantPeople, company_id: str, store: Store
) -> None:
    for first, amount in ((FEBRUARY, "0.001"), (MARCH, "0.002")):
        await store("spend", first, [amount])
    spend = by_key(await results(http, tenant_a, company_id))["spend"]
    assert (spend["value"], spend["prior_value"], spend["delta_pct"]) == (0.0, 0.0, 100.0)


async def test_nothing_is_compared_with_nothing(
    http: httpx.AsyncClient, tenant_a: TenantPeople, company_id: str, store: Store
) -> None:
    await store("clicks", MARCH, [5])
    await store("sessions", MARCH, [5], platform="ga4")
    await store("sessions", FEBRUARY, [0], platform="ga4")
    found = by_key(await results(http, tenant_a, company_id))
    changes = {key: (one["prior_value"], one["delta_pct"]) for key, one in found.items()}
    assert changes == {
        "clicks": (None, None), "sessions": (0.0, None), "engagement_rate": (None, None),
    }  # fmt: skip


async def test_the_newest_insight_that_ends_in_the_period_is_shown(
    http: httpx.AsyncClient, tenant_a: TenantPeople, company_id: str, records: Records
) -> None:
    async def write(content: str, days: int, **overrides: Any) -> None:
        await store_insight(
            records.database, made(tenant_a), company_id,
            content=content, generated_at=AS_OF + timedelta(days=days), **overrides,
        )  # fmt: skip

    await write("earlier period", 9, period_end=date(2025, 2, 28))
    await write("later period", 9, period_end=date(2025, 4, 1))
    await write("newest of any", 8, period_type="quarter")
    await write("older of the type", 1)
    shown = (await results(http, tenant_a, company_id, period_type="week"))["insight"]
    assert shown["content"] == "newest of any"
    await write("newest of the type", 2, health_score=None, overall_health=None)
    shown = (await results(http, tenant_a, company_id))["insight"]
    assert shown == {
        "content": "newest of the type",
        "content_json": {"version": 1},
        "health_score": None,
        "overall_health": None,
        "period_type": "month",
        "period_start": "2025-03-01",
        "period_end": "2025-03-31",
        "generated_at": "2025-04-03T04:00:00Z",
    }


async def test_platforms_with_an_active_connection_are_connected(
    http: httpx.AsyncClient, tenant_a: TenantPeople, company_id: str, records: Records
) -> None:
    for platform, status in (
        ("klaviyo", "active"), ("google_ads", "active"), ("shopify", "disconnected"),
        ("meta_ads", "expired"),
    ):  # fmt: skip
        await connect_platform(records.database, made(tenant_a), company_id, platform, status)
    body = await results(http, tenant_a, company_id)
    assert body["connected_platforms"] == ["google_ads", "klaviyo"]


async def test_a_period_ends_today_unless_it_is_said(
    http: httpx.AsyncClient, tenant_a: TenantPeople, company_id: str
) -> None:
    url = f"/api/clients/{company_id}/results"
    before = datetime.now(UTC).date()
    answer = await http.get(url, headers=tenant_a.member.headers)
    ends = answer.json()["period"]
    assert before.isoformat() <= ends["end"] <= datetime.now(UTC).date().isoformat()
    assert ends["type"] == "month"


async def test_a_client_east_of_utc_may_ask_for_tomorrow_and_nobody_for_later(
    http: httpx.AsyncClient, tenant_a: TenantPeople, company_id: str
) -> None:
    today = datetime.now(UTC).date()
    tomorrow = (today + timedelta(days=1)).isoformat()
    assert (await results(http, tenant_a, company_id, period_end=tomorrow))["period"]["end"] == (
        tomorrow
    )
    answer = await http.get(
        f"/api/clients/{company_id}/results",
        params={"period_end": (today + timedelta(days=3)).isoformat()},
        headers=tenant_a.member.headers,
    )
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["location"] == "query.period_end"


@pytest.mark.parametrize("end", ["1999-12-31", "0003-01-01"])
@pytest.mark.parametrize("type", ["week", "year"])
async def test_a_period_of_old_is_empty_and_no_error(
    http: httpx.AsyncClient, tenant_a: TenantPeople, company_id: str, type: str, end: str
) -> None:
    body = await results(http, tenant_a, company_id, period_type=type, period_end=end)
    assert (body["period"]["end"], body["metrics"]) == (end, [])
    for path, empty in [("campaigns", "campaigns"), ("campaigns/daily", "daily")]:
        answer = await http.get(
            f"/api/clients/{company_id}/results/{path}",
            params={"period_type": type, "period_end": end},
            headers=tenant_a.member.headers,
        )
        assert (answer.status_code, len(answer.json()[empty])) == (200, 0)


@pytest.mark.parametrize("path", ["", "/campaigns", "/campaigns/daily"])
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("period_type", "decade"),
        ("period_type", ""),
        ("period_end", "yesterday"),
        ("period_end", "2025-02-30"),
        ("period_end", "2025-03-31T00:00:00Z"),
        ("period_end", "0001-01-01"),
        ("period_end", "9999-12-31"),
    ],
)
async def test_a_period_that_is_none_is_refused(
    http: httpx.AsyncClient,
    tenant_a: TenantPeople,
    company_id: str,
    path: str,
    name: str,
    value: str,
) -> None:
    answer = await http.get(
        f"/api/clients/{company_id}/results{path}",
        params={name: value},
        headers=tenant_a.member.headers,
    )
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["location"] == f"query.{name}"


@pytest.mark.parametrize("path", ["", "/campaigns", "/campaigns/daily"])
async def test_what_is_no_client_of_the_tenant_has_no_results(
    http: httpx.AsyncClient,
    tenant_a: TenantPeople,
    tenant_b: TenantPeople,
    company_id: str,
    records: Records,
    path: str,
) -> None:
    never = await make_company(records.database, made(tenant_a), "Prospect")
    for whose, person in (
        (company_id, tenant_b.admin), (never, tenant_a.admin), (new_id(), tenant_a.admin),
        ("nonsense", tenant_a.admin),
    ):  # fmt: skip
        answer = await http.get(f"/api/clients/{whose}/results{path}", headers=person.headers)
        assert answer.status_code == 404, whose
    assert (await http.get(f"/api/clients/{company_id}/results{path}")).status_code == 401
