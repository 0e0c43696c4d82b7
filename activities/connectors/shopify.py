"""A Shopify shop through its Admin API (GraphQL): what was ordered, by the shop's own days.

Revenue is what is left of an order today, booked on the day it was placed: after discounts,
refunds and edits, with taxes and shipping. Test orders do not count, nor do orders that were
cancelled and of which nothing is left. Days change for as long as refunds are made.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

import httpx

from activities.connectors.clock import Clock, Sleep, utc_now
from activities.connectors.day_totals import DayTotals
from activities.connectors.errors import (
    CredentialsRejected,
    PlatformBusy,
    QuotaExhausted,
)
from activities.connectors.ports import Access, Account, Credentials, DayMetric, Renewed
from activities.connectors.shopify_errors import error_of, points_wait
from activities.connectors.wire import Answer, Wire, currency_code, number, text, time_zone, words
from models.rules.platforms.credentials import secrets_of
from models.rules.platforms.registry import PLATFORMS, PlatformId

VENDOR: Final = "Shopify"
VERSION: Final = "2026-10"
BASE_URL: Final = "https://{shop}"
_PAGE: Final = 100
"""A page of orders costs some 900 points; no query may cost more than 1,000."""
_LONGEST_WAIT: Final = 30.0
"""Seconds: points for one page come back in less; for more, the connection should rest."""
_SHOP: Final = """query Shop {
  shop { name currencyCode ianaTimezone }
  currentAppInstallation { accessScopes { handle } }
}"""
_ORDERS: Final = """query Orders($first: Int!, $after: String, $query: String!) {
  shop { currencyCode }
  orders(first: $first, after: $after, query: $query, sortKey: PROCESSED_AT) {
    nodes {
      id
      test
      cancelledAt
      processedAt
      totalPriceSet { shopMoney { amount currencyCode } }
      currentTotalPriceSet { shopMoney { amount } }
      totalRefundedSet { shopMoney { amount } }
      customer { id numberOfOrders }
      customerJourneySummary { customerOrderIndex }
    }
    pageInfo { hasNextPage endCursor }
  }
}"""
_FIELDS: Final = PLATFORMS[PlatformId.SHOPIFY].credentials
_SCOPES: Final = ("read_orders", "read_customers")
_RECENT: Final = timedelta(days=59)
"""How far back every token sees whole days of orders."""
_COUNTS: Final = ("orders", "new_customers", "returning_orders")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    id: str
    processed_at: datetime
    revenue: Decimal
    currency: str
    counts: bool
    customer_id: str | None
    is_first: bool


class Shopify:
    """Shopify behind the `Connector` protocol."""

    platform = PlatformId.SHOPIFY

    def __init__(
        self,
        http: httpx.AsyncClient,
        base_url: str = BASE_URL,
        *,
        page: int = _PAGE,
        now: Clock = utc_now,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._http = http
        self._base_url = base_url
        self._page = page
        self._now = now
        self._sleep = sleep

    async def verify(self, credentials: Credentials) -> Account:
        """Read the shop, and whether the token may read its orders."""
        wire = self._wire(credentials)
        answer = await self._ask(wire, credentials, _SHOP, {})
        with wire.as_documented():
            told = answer.body["data"]
            shop = told["shop"]
            scopes = tuple(
                text(one["handle"]) for one in told["currentAppInstallation"]["accessScopes"]
            )
            account = Account(
                account_id=credentials["shop_domain"],
                display_name=words(shop["name"]),
                currency=currency_code(shop["currencyCode"]),
                time_zone=time_zone(shop["ianaTimezone"]),
                scopes=scopes,
            )
        lacking = [one for one in _SCOPES if not {one, one.replace("read", "write")} & set(scopes)]
        if lacking:
            raise CredentialsRejected(f"{VENDOR}: the token lacks {' and '.join(lacking)}.")
        return account

    async def renew(self, credentials: Credentials) -> Renewed | None:
        """Admin tokens last until they are revoked."""
        return None

    async def daily_metrics(
        self, access: Access, first: date, last: date
    ) -> AsyncIterator[DayMetric]:
        """Read the orders and add them up, of days whose orders the token may see."""
        wire = self._wire(access.credentials)
        first = await self._first_seen(access, first)
        totals = DayTotals(VENDOR, _COUNTS, "store_revenue")
        zone = ZoneInfo(access.time_zone)
        currency = access.currency
        seen: set[str] = set()
        async for page in self._pages(wire, access.credentials, _between(first, last, zone)):
            with wire.as_documented():
                currency = currency_code(page["shop"]["currencyCode"])
                for order in map(_order, page["orders"]["nodes"]):
                    day = order.processed_at.astimezone(zone).date()
                    if order.counts and order.id not in seen and first <= day <= last:
                        seen.add(order.id)
                        _add(totals, day, order)
        for row in totals.rows(first, last, currency):
            yield row

    async def _first_seen(self, access: Access, first: date) -> date:
        """The first day that is known: without read_all_orders, older ones would look empty."""
        oldest = access.today(self._now()) - _RECENT
        if first >= oldest:
            return first
        account = await self.verify(access.credentials)
        return first if "read_all_orders" in account.scopes else oldest

    async def _pages(
        self, wire: Wire, credentials: Credentials, query: str
    ) -> AsyncIterator[Mapping[str, Any]]:
        cursor: str | None = None
        seen: set[str] = set()
        while True:
            asked = {"first": self._page, "after": cursor, "query": query}
            answer = await self._ask(wire, credentials, _ORDERS, asked)
            with wire.as_documented():
                page = answer.body["data"]
                more = page["orders"]["pageInfo"]
                goes_on, cursor = bool(more["hasNextPage"]), more["endCursor"]
            yield page
            if not goes_on:
                return
            if not cursor or cursor in seen:
                raise PlatformBusy(f"{VENDOR} says that there are more orders but not where.")
            seen.add(cursor)
            await self._wait_for_points(answer)

    async def _wait_for_points(self, answer: Answer) -> None:
        """Stay away until the next page can be paid for; other workers use the same bucket."""
        wait = points_wait(answer.body)
        if wait > _LONGEST_WAIT:
            raise QuotaExhausted(f"{VENDOR} has no points left for this shop.", retry_after=wait)
        if wait > 0:
            await self._sleep(wait)

    async def _ask(
        self, wire: Wire, credentials: Credentials, query: str, variables: Mapping[str, Any]
    ) -> Answer:
        return await wire.ask(
            "POST",
            f"/admin/api/{VERSION}/graphql.json",
            secrets=secrets_of(self.platform, credentials),
            headers={"X-Shopify-Access-Token": credentials["access_token"]},
            body={"query": query, "variables": variables},
        )

    def _wire(self, credentials: Credentials) -> Wire:
        shop = shop_of(credentials)
        base_url = self._base_url.replace("{shop}", shop)
        return Wire(vendor=VENDOR, http=self._http, base_url=base_url, error_of=error_of)


def shop_of(credentials: Credentials) -> str:
    """The shop's domain, which the request goes to: nothing but a shop of Shopify's."""
    shop = credentials["shop_domain"]
    (rule,) = (one.pattern for one in _FIELDS if one.key == "shop_domain")
    if not re.fullmatch(rule or "", shop):
        raise CredentialsRejected(f"{VENDOR} has no shop under that domain.")
    return shop


def _between(first: date, last: date, zone: ZoneInfo) -> str:
    # Moments, not days: Shopify reads a bare date in the zone of whoever installed the app.
    begin = datetime.combine(first, time.min, zone).astimezone(UTC)
    end = datetime.combine(last + timedelta(days=1), time.min, zone).astimezone(UTC)
    return (
        f"processed_at:>='{begin:%Y-%m-%dT%H:%M:%SZ}' "
        f"processed_at:<'{end:%Y-%m-%dT%H:%M:%SZ}' test:false"
    )


def _order(node: Mapping[str, Any]) -> _Order:
    total = node["totalPriceSet"]["shopMoney"]
    # Edits and returns are in the one, refunds without a returned item only in the other.
    left = min(
        number(node["currentTotalPriceSet"]["shopMoney"]["amount"]),
        number(total["amount"]) - number(node["totalRefundedSet"]["shopMoney"]["amount"]),
    )
    revenue = max(left, Decimal(0))
    customer = node["customer"] or {}
    place = (node["customerJourneySummary"] or {}).get("customerOrderIndex")
    # Orders that did not come through the online store have no place: then all orders tell.
    is_first = place == 1 if place is not None else str(customer.get("numberOfOrders")) == "1"
    return _Order(
        id=text(node["id"]),
        processed_at=datetime.fromisoformat(node["processedAt"]),
        revenue=revenue,
        currency=currency_code(total["currencyCode"]),
        counts=not node["test"] and (node["cancelledAt"] is None or revenue > 0),
        customer_id=customer.get("id"),
        is_first=is_first,
    )


def _add(totals: DayTotals, day: date, order: _Order) -> None:
    totals.count(day, "orders")
    totals.pay(day, order.revenue, order.currency)
    if order.customer_id is not None:
        totals.count(day, "new_customers" if order.is_first else "returning_orders")
