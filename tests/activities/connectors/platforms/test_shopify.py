"""What is Shopify's own: points, refunds, test orders, customers, and a shop that is not there."""

from datetime import date, timedelta
from decimal import Decimal

import httpx
import pytest

from activities.connectors.errors import (
    CredentialsRejected,
    PlatformBusy,
    QuotaExhausted,
    RequestRefused,
)
from activities.connectors.shopify import Shopify
from tests.activities.connectors.platforms.cases import TODAY, by_day, days, of_shopify

FIRST, LAST = date(2026, 3, 1), date(2026, 3, 20)


async def test_pages_wait_for_their_points_instead_of_being_throttled():
    case = of_shopify()
    case.fake.bucket, case.fake.account.orders_a_day = 2000, 60
    read = by_day(await case.read(FIRST, LAST))
    assert read == {day: dict(case.expected(day)) for day in days(FIRST, LAST)}
    assert len(case.clock.waits) > 5
    assert max(case.clock.waits) < 10


async def test_a_shop_whose_points_come_back_too_slowly_rests():
    case = of_shopify()
    case.fake.bucket, case.fake.restores, case.fake.account.orders_a_day = 1000, 2, 60
    with pytest.raises(QuotaExhausted) as caught:
        await case.read(FIRST, LAST)
    assert caught.value.retry_after == 403
    assert case.clock.waits == []


async def test_being_throttled_says_when_the_points_are_back():
    case = of_shopify()
    case.fake.faults.quota = 1
    with pytest.raises(QuotaExhausted) as caught:
        await case.read(FIRST, LAST)
    assert caught.value.retry_after == 9


async def test_every_way_of_giving_money_back_is_taken_off_the_day_of_the_order():
    case = of_shopify()
    orders = [one for day in days(FIRST, LAST) for one in case.fake.account.orders(day)]
    assert {one.fate for one in orders} == {
        "kept", "returned", "goodwill", "edited", "cancelled", "unpaid",
    }  # fmt: skip
    rows = await case.read(FIRST, LAST)
    revenue = sum(row.value for row in rows if row.metric_key == "store_revenue")
    assert revenue == sum(one.left for one in orders if one.counts)
    assert revenue < sum(one.total for one in orders if one.counts)


async def test_a_day_that_was_sent_back_later_is_restated():
    case = of_shopify()
    before = by_day(await case.read(LAST, LAST))[LAST]
    case.fake.account.refunded.add(LAST)
    after = by_day(await case.read(LAST, LAST))[LAST]
    assert after["store_revenue"][0] < before["store_revenue"][0]
    assert after["orders"] == before["orders"]


async def test_test_orders_are_left_out_even_where_the_search_gives_them(monkeypatch):
    case = of_shopify()
    everything = case.fake._found
    monkeypatch.setattr(
        case.fake, "_found", lambda begin, end, with_tests: everything(begin, end, with_tests=True)
    )
    assert any(one.is_test for day in days(FIRST, LAST) for one in case.fake.account.orders(day))
    read = by_day(await case.read(FIRST, LAST))
    assert read == {day: dict(case.expected(day)) for day in days(FIRST, LAST)}


async def test_a_change_of_currency_splits_the_days():
    case = of_shopify()
    changed = FIRST + timedelta(days=4)
    case.fake.account.changed = (changed, "USD")
    read = by_day(await case.read(FIRST, LAST))
    assert {day: read[day]["store_revenue"][1] for day in days(FIRST, LAST)} == {
        day: "USD" if day >= changed else "EUR" for day in days(FIRST, LAST)
    }
    assert read == {day: dict(case.expected(day)) for day in days(FIRST, LAST)}


async def test_orders_without_a_journey_are_told_apart_by_the_customer():
    case = of_shopify()
    case.fake.knows_journeys = False
    read = by_day(await case.read(FIRST, LAST))
    assert read == {day: dict(case.expected(day)) for day in days(FIRST, LAST)}


async def test_the_scopes_of_the_token_are_told():
    case = of_shopify()
    account = await case.connector.verify(case.credentials)
    assert account.scopes == ("read_orders", "read_all_orders", "read_customers")
    assert account.display_name == "Northwind Outfitters"


async def test_a_token_that_may_not_read_orders_is_rejected():
    case = of_shopify()
    case.fake.scopes = ("read_customers",)
    with pytest.raises(CredentialsRejected, match=r"lacks read_orders\."):
        await case.connector.verify(case.credentials)
    with pytest.raises(CredentialsRejected, match="Access denied"):
        await case.read(FIRST, LAST)


async def test_days_that_the_token_does_not_see_are_unknown_and_not_zero():
    case = of_shopify()
    case.fake.scopes = ("read_orders", "read_customers")
    read = by_day(await case.read(TODAY - timedelta(days=70), TODAY - timedelta(days=50)))
    assert min(read) == TODAY - timedelta(days=59)
    assert read == {day: dict(case.expected(day)) for day in read}


async def test_more_orders_without_a_place_to_go_on_are_a_cut_answer():
    case = of_shopify()
    case.fake.faults.missing_rows = True
    case.fake.page_limit = 20
    with pytest.raises(PlatformBusy):
        await case.read(FIRST, LAST)


@pytest.mark.parametrize("shop", ["evil.example", "x.myshopify.com.evil.example", "a/b#c", ""])
async def test_the_token_goes_to_no_other_host(shop):
    case = of_shopify()
    with pytest.raises(CredentialsRejected):
        await case.connector.verify({**case.credentials, "shop_domain": shop})
    assert case.fake.calls == []


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (402, RequestRefused),
        (403, CredentialsRejected),
        (404, RequestRefused),
        (423, RequestRefused),
        (429, QuotaExhausted),
        (503, PlatformBusy),
    ],
)
async def test_a_shop_that_is_away_is_not_a_rejected_token(status, kind):
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(status, json={"errors": "Unavailable Shop"})

    case = of_shopify()
    connector = Shopify(httpx.AsyncClient(transport=httpx.MockTransport(answer)))
    with pytest.raises(kind):
        await connector.verify(case.credentials)


async def test_a_shop_without_orders_has_zeros_in_its_currency():
    case = of_shopify()
    case.fake.account.quiet = set(days(FIRST, LAST))
    rows = await case.read(FIRST, LAST)
    assert len(rows) == 4 * 20
    assert {row.value for row in rows} == {Decimal(0)}
    assert {row.currency for row in rows} == {None, "EUR"}
