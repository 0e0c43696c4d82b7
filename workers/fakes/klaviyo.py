"""A Klaviyo that speaks JSON:API as its revision does: accounts, metrics, aggregates, lists."""

import base64
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from typing import Any, Final
from zoneinfo import ZoneInfo

from starlette.responses import Response

from workers.fakes.mail_accounts import MailAccount, Mailing
from workers.fakes.vendor import Answerer, Call, FakeVendor, json_response

Row = dict[str, Any]

KEY: Final = "pk_0f1planted2key3of4the5northwind6client"
_REVISION: Final = "2026-07-15"
_WINDOW: Final = 60.0
_NOWHERE: Final = 10**9
_AUDIENCE: Final = "everybody"
_BOUND: Final = re.compile(r"(greater-or-equal|less-than)\(datetime,([0-9T:-]+)\)")
_METRICS: Final = (
    ("RecEm1", "Received Email", "Klaviyo"),
    ("OpnEm1", "Opened Email", "Klaviyo"),
    ("ClkEm1", "Clicked Email", "Klaviyo"),
    ("UnsEm1", "Unsubscribed from Email Marketing", "Klaviyo"),
    ("OpnEm2", "Opened Email", "API"),
    ("OrdSh1", "Placed Order", "Shopify"),
    ("OrdAp1", "Placed Order", "API"),
    ("ActSi1", "Active on Site", "API"),
)
_COUNTS: Final[Mapping[str, Callable[[Mailing], int]]] = {
    "RecEm1": lambda mailing: mailing.delivered,
    "OpnEm1": lambda mailing: mailing.opened,
    "ClkEm1": lambda mailing: mailing.clicked,
    "UnsEm1": lambda mailing: mailing.left,
}


@dataclass
class FakeKlaviyo(FakeVendor):
    """One account behind one key. The sizes of lists come `sizes_a_minute`, by `clock`."""

    account: MailAccount = field(
        default_factory=lambda: MailAccount(seed=41, today=date(2026, 3, 31))
    )
    key: str = KEY
    named_zone: str | None = None
    """What the account calls its zone, where that is not IANA's name."""
    lists: tuple[tuple[str, int], ...] = (("LiSt01", 9_120), ("LiSt02", 14_377), ("LiSt03", 640))
    page_limit: int = 10
    sizes_a_minute: int = 15
    clock: Callable[[], float] = time.monotonic
    _window: tuple[float, int] = (-_WINDOW, 0)

    def routes(self) -> Mapping[str, Answerer]:
        return {
            "/api/accounts": self._accounts,
            "/api/metrics": self._metrics,
            "/api/metric-aggregates": self._aggregate,
            "/api/lists": self._lists,
            "/api/lists/{id}": self._list,
        }

    def mailing(self, day: date) -> Mailing | None:
        """The day as this account tells it."""
        return self.account.mailing(_AUDIENCE, day)

    def refuse_token(self, call: Call) -> Response | None:
        if call.headers.get("revision") != _REVISION:
            return _error(400, "invalid", "The revision header is required.")
        given = call.headers.get("authorization", "").removeprefix("Klaviyo-API-Key ")
        if given == self.key and not self.faults.revoked:
            return None
        return _error(401, "authentication_failed", f"Incorrect private key {given}.")

    def out_of_quota(self, call: Call) -> Response:
        said = "Request was throttled. Expected available in 7 seconds."
        return _error(429, "throttled", said, {"Retry-After": "7"})

    def broken(self, call: Call) -> Response:
        return _error(503, "service_unavailable", "Something went wrong.")

    def _accounts(self, call: Call) -> Response:
        account = self.account
        told = {
            "type": "account",
            "id": account.account_id,
            "attributes": {
                "test_account": False,
                "contact_information": {"organization_name": account.name},
                "timezone": self.named_zone or account.time_zone,
                "preferred_currency": account.currency_on(account.today),
            },
        }
        return json_response({"data": [told]})

    def _metrics(self, call: Call) -> Response:
        rows = [
            {
                "type": "metric",
                "id": id,
                "attributes": {
                    "name": name,
                    "integration": {"object": "integration", "name": came, "category": "API"},
                },
            }
            for id, name, came in _METRICS
        ]
        return self._page(rows, call.query.get("page[cursor]"), call.path)

    def _lists(self, call: Call) -> Response:
        rows = [{"type": "list", "id": id, "attributes": {"name": id}} for id, _ in self.lists]
        return self._page(rows, call.query.get("page[cursor]"), call.path)

    def _list(self, call: Call) -> Response:
        began, asked = self._window
        if self.clock() - began >= _WINDOW:
            began, asked = self.clock(), 0
        if asked >= self.sizes_a_minute:
            return self.out_of_quota(call)
        self._window = (began, asked + 1)
        id = call.path.rsplit("/", 1)[-1]
        if call.query.get("additional-fields[list]") != "profile_count":
            return _error(400, "invalid", "Only sizes here.")
        attributes = {"profile_count": dict(self.lists).get(id, 0)}
        told = {"type": "list", "id": id, "attributes": attributes}
        headers = {
            "RateLimit-Limit": f"{self.sizes_a_minute}, 1;w=1, {self.sizes_a_minute};w=60",
            "RateLimit-Remaining": str(self.sizes_a_minute - asked - 1),
            "RateLimit-Reset": str(int(began + _WINDOW - self.clock())),
        }
        return json_response({"data": told}, headers=headers)

    def _aggregate(self, call: Call) -> Response:
        asked = call.body["data"]["attributes"]
        bounds = [_BOUND.fullmatch(one) for one in asked["filter"]]
        if call.body["data"]["type"] != "metric-aggregate" or None in bounds:
            return _error(400, "invalid", "Invalid filter.")
        # Bounds are read in UTC; a bound within a local day makes a bucket of its own.
        begin, end = (datetime.fromisoformat(f"{one[2]}+00:00") for one in bounds if one)
        (measurement,) = asked["measurements"]
        starts = _days(begin, end, ZoneInfo(asked["timezone"]))
        groups = self._groups(asked["metric_id"], measurement, [day for day, _ in starts])
        if "by" in asked:
            channels = {"$email_channel": 1, "sms": 2, "": 3}
            groups = [
                ([channel], [value * share for value in values])
                for _, values in groups
                for channel, share in channels.items()
            ]
        start = _number(asked.get("page_cursor"))
        page = groups[start : start + self.page_limit]
        if self.faults.doubled_pages and start:
            page.insert(0, groups[start - 1])
        attributes = {
            "dates": [moment.isoformat() for _, moment in starts],
            "data": [
                {"dimensions": dimensions, "measurements": {measurement: values}}
                for dimensions, values in page
            ],
        }
        told = {"type": "metric-aggregate", "id": "1", "attributes": attributes}
        following = start + self.page_limit
        return json_response(
            {"data": told, "links": self._links(following, len(groups), call.path)}
        )

    def _groups(
        self, metric_id: str, measurement: str, days: Sequence[date]
    ) -> list[tuple[list[str], list[float]]]:
        expected = {"OrdSh1": "sum_value", "RecEm1": "count", "UnsEm1": "count"}
        if measurement != expected.get(metric_id, "unique"):
            return [([], [0.0] * len(days))]
        if metric_id == "OrdSh1":
            values = [float(self.account.revenue(_AUDIENCE, day)) for day in days]
        else:
            told = [self.mailing(day) for day in days]
            values = [float(_count(metric_id, one)) if one else 0.0 for one in told]
        return [([], values)]

    def _page(self, rows: Sequence[Row], cursor: str | None, path: str) -> Response:
        start = _number(cursor)
        page = list(rows[start : start + self.page_limit])
        if self.faults.doubled_pages and start:
            page.insert(0, rows[start - 1])
        following = start + self.page_limit
        if self.faults.missing_rows:
            # Round and round, for ever.
            following = start
        return json_response({"data": page, "links": self._links(following, len(rows), path)})

    def _links(self, following: int, in_all: int, path: str) -> Row:
        cursor = base64.urlsafe_b64encode(f"next:{following}".encode()).decode().rstrip("=")
        # Another host, as nobody should follow it with the key in hand.
        address = f"https://pages.example{path}?page%5Bcursor%5D={cursor}"
        return {"self": path, "next": address if following < in_all else None}


def _days(begin: datetime, end: datetime, zone: ZoneInfo) -> list[tuple[date, datetime]]:
    found = []
    day = begin.astimezone(zone).date()
    while (moment := datetime.combine(day, time_of_day.min, zone).astimezone(UTC)) < end:
        found.append((day, moment))
        day += timedelta(days=1)
    return found


def _count(metric_id: str, mailing: Mailing) -> int:
    # What others send under the names of Klaviyo's own metrics must not be taken for them.
    return _COUNTS[metric_id](mailing) if metric_id in _COUNTS else 999_999


def _number(cursor: str | None) -> int:
    if not cursor:
        return 0
    padded = cursor + "=" * (-len(cursor) % 4)
    try:
        return int(base64.urlsafe_b64decode(padded).decode().removeprefix("next:"))
    except ValueError:
        return _NOWHERE


def _error(status: int, code: str, said: str, headers: Mapping[str, str] | None = None) -> Response:
    error = {"id": "e1", "status": status, "code": code, "title": code, "detail": said,
             "source": {"pointer": "/data/"}, "links": {}, "meta": {}}  # fmt: skip
    return json_response({"errors": [error]}, status, headers)
