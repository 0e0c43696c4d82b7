"""A Shopify that answers the Admin API's GraphQL: a shop, its orders by cursor, and its points."""

import base64
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from starlette.responses import Response

from workers.fakes.shop_accounts import FakeOrder, ShopAccount
from workers.fakes.vendor import Answerer, Call, FakeVendor, json_response

TOKEN: Final = "shpat_0Planted1Token2Of3The4Northwind5Shop"
_PATH: Final = "/admin/api/2026-10/graphql.json"
_BOUNDS: Final = re.compile(r"processed_at:>='([^']+)' processed_at:<'([^']+)'( test:false)?")
_POINTS_EACH: Final = 9
_RECENT: Final = timedelta(days=60)
_DEAREST: Final = 1000


@dataclass
class FakeShopify(FakeVendor):
    """One shop behind one token. Points come back by `clock`, as fast as on the basic plan."""

    account: ShopAccount = field(
        default_factory=lambda: ShopAccount(seed=21, today=date(2026, 3, 31))
    )
    token: str = TOKEN
    scopes: tuple[str, ...] = ("read_orders", "read_all_orders", "read_customers")
    bucket: int = 2000
    restores: int = 100
    clock: Callable[[], float] = time.monotonic
    knows_journeys: bool = True
    _spent: float = 0.0
    _spent_at: float | None = None

    def routes(self) -> Mapping[str, Answerer]:
        return {_PATH: self._graphql}

    def refuse_token(self, call: Call) -> Response | None:
        given = call.headers.get("x-shopify-access-token")
        if given == self.token and not self.faults.revoked:
            return None
        said = f"[API] Invalid API key or access token {given} (unrecognized login)"
        return json_response({"errors": said}, 401)

    def out_of_quota(self, call: Call) -> Response:
        return self._throttled(903, 3)

    def broken(self, call: Call) -> Response:
        said = "Internal error. Looks like something went wrong on our end."
        error = {"message": said, "extensions": {"code": "INTERNAL_SERVER_ERROR"}}
        return json_response({"errors": [error]})

    def _graphql(self, call: Call) -> Response:
        query, variables = str(call.body["query"]), call.body["variables"]
        if "orders(" not in query:
            return self._shop()
        if "read_orders" not in self.scopes:
            said = "Access denied for orders field. Required access: `read_orders` access scope."
            error = {"message": said, "extensions": {"code": "ACCESS_DENIED"}, "path": ["orders"]}
            return json_response({"data": None, "errors": [error]})
        cost = 3 + _POINTS_EACH * int(variables["first"])
        if cost > _DEAREST:
            error = {
                "message": "Query cost is too high",
                "extensions": {"code": "MAX_COST_EXCEEDED"},
            }
            return json_response({"errors": [error]})
        if (left := self._left() - cost) < 0:
            return self._throttled(cost, self._left())
        self._spent, self._spent_at = self.bucket - left, self.clock()
        return self._orders(variables, cost)

    def _shop(self) -> Response:
        account = self.account
        shop = {
            "name": account.name,
            "currencyCode": account.currency_on(account.today),
            "ianaTimezone": account.time_zone,
        }
        scopes = [{"handle": one} for one in self.scopes]
        data = {"shop": shop, "currentAppInstallation": {"accessScopes": scopes}}
        return json_response({"data": data, "extensions": self._cost(3)})

    def _orders(self, variables: Mapping[str, Any], cost: int) -> Response:
        bounds = _BOUNDS.fullmatch(variables["query"])
        if bounds is None:
            return json_response({"errors": [{"message": "Invalid search field"}]})
        begin, end = (datetime.fromisoformat(bounds[place]) for place in (1, 2))
        found = list(self._found(begin, end, with_tests=bounds[3] is None))
        start = int(base64.b64decode(variables["after"])) if variables["after"] else 0
        page = found[start : start + min(int(variables["first"]), self.page_limit)]
        following = start + len(page)
        if self.faults.doubled_pages and start:
            page.insert(0, found[start - 1])
        goes_on = following < len(found)
        cursor = base64.b64encode(str(following).encode()).decode() if page else None
        if self.faults.missing_rows:
            cursor = None
        data = {
            "shop": {"currencyCode": self.account.currency_on(self.account.today)},
            "orders": {
                "nodes": [self._node(one) for one in page],
                "pageInfo": {"hasNextPage": goes_on, "endCursor": cursor},
            },
        }
        return json_response({"data": data, "extensions": self._cost(cost)})

    def _found(self, begin: datetime, end: datetime, *, with_tests: bool) -> Iterator[FakeOrder]:
        zone = ZoneInfo(self.account.time_zone)
        day = begin.astimezone(zone).date() - timedelta(days=1)
        while day <= end.astimezone(zone).date():
            for one in self.account.orders(day):
                seen = day > self.account.today - _RECENT or "read_all_orders" in self.scopes
                if seen and begin <= one.placed_at < end and (with_tests or not one.is_test):
                    yield one
            day += timedelta(days=1)

    def _node(self, one: FakeOrder) -> Mapping[str, Any]:
        current = one.total if one.fate == "goodwill" else one.left
        given_back = one.total - one.left if one.fate not in ("edited", "unpaid") else 0
        cancelled = one.fate in ("cancelled", "unpaid")
        moment = one.placed_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        place = one.place if self.knows_journeys else None
        return {
            "id": f"gid://shopify/Order/{one.id}",
            "test": one.is_test,
            "cancelledAt": moment if cancelled else None,
            "processedAt": moment,
            "totalPriceSet": _money(one.total, one.currency),
            "currentTotalPriceSet": _money(current, one.currency),
            "totalRefundedSet": _money(given_back, one.currency),
            "customer": None if one.customer is None else {
                "id": f"gid://shopify/Customer/{one.customer}",
                # As it is today, and not as it was then.
                "numberOfOrders": str(one.place),
            },
            "customerJourneySummary": {"customerOrderIndex": place},
        }  # fmt: skip

    def _left(self) -> float:
        if self._spent_at is None:
            return float(self.bucket)
        back = (self.clock() - self._spent_at) * self.restores
        return min(float(self.bucket), self.bucket - self._spent + back)

    def _throttled(self, cost: int, left: float) -> Response:
        error = {"message": "Throttled", "extensions": {"code": "THROTTLED"}}
        return json_response({"errors": [error], "extensions": self._cost(cost, left)})

    def _cost(self, requested: int, left: float | None = None) -> Mapping[str, Any]:
        return {
            "cost": {
                "requestedQueryCost": requested,
                "actualQueryCost": None if left is not None else requested,
                "throttleStatus": {
                    "maximumAvailable": float(self.bucket),
                    "currentlyAvailable": int(self._left() if left is None else left),
                    "restoreRate": float(self.restores),
                },
            }
        }


def _money(amount: Any, currency: str) -> Mapping[str, Any]:
    return {"shopMoney": {"amount": str(amount), "currencyCode": currency}}
