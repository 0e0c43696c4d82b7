"""A Mailchimp that speaks version 3.0 of its API: audiences, their days, and campaign reports."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from starlette.responses import Response

from workers.fakes.mail_accounts import FakeCampaign, MailAccount
from workers.fakes.vendor import Answerer, Call, FakeVendor, json_response

Row = dict[str, Any]

KEY: Final = "0123456789abcdef0123456789abcdef-us21"
_KNOWN: Final = 180
_MOST: Final = 1000


@dataclass
class FakeMailchimp(FakeVendor):
    """One account behind one key; without `has_shop` nothing is sold."""

    account: MailAccount = field(
        default_factory=lambda: MailAccount(seed=51, today=date(2026, 3, 31))
    )
    key: str = KEY
    has_shop: bool = True

    def routes(self) -> Mapping[str, Answerer]:
        return {
            "/3.0/": self._root,
            "/3.0/ping": self._ping,
            "/3.0/lists": self._lists,
            "/3.0/lists/{id}": self._list,
            "/3.0/lists/{id}/activity": self._activity,
            "/3.0/reports": self._reports,
            "/3.0/ecommerce/stores": self._stores,
        }

    def refuse_token(self, call: Call) -> Response | None:
        given = call.headers.get("authorization", "").removeprefix("Basic ")
        _, _, key = base64.b64decode(given).decode().partition(":")
        host = call.headers.get("host", "")
        home = f"{self.key.rsplit('-', 1)[-1]}.api.mailchimp.com"
        is_elsewhere = host.endswith(".api.mailchimp.com") and host != home
        if key == self.key and not self.faults.revoked and not is_elsewhere:
            return None
        said = f"Your API key {key} may be invalid, or it is of another datacenter."
        return _problem(401, "API Key Invalid", said)

    def out_of_quota(self, call: Call) -> Response:
        said = "You have exceeded the limit of 10 simultaneous connections."
        return _problem(429, "Too Many Requests", said)

    def broken(self, call: Call) -> Response:
        return _problem(500, "Internal Server Error", "An unexpected internal error has occurred.")

    def _root(self, call: Call) -> Response:
        account = self.account
        return json_response(
            {
                "account_id": account.account_id,
                "account_name": account.name,
                "account_timezone": account.time_zone,
                "total_subscribers": sum(size for _, size in account.audiences),
            }
        )

    def _ping(self, call: Call) -> Response:
        return json_response({"health_status": "Everything's Chimpy!"})

    def _stores(self, call: Call) -> Response:
        account = self.account
        stores = [{"currency_code": account.currency_on(account.today)}] if self.has_shop else []
        return self._page("stores", stores, call)

    def _lists(self, call: Call) -> Response:
        rows = [self._audience(id, size) for id, size in self.account.audiences]
        return self._page("lists", rows, call)

    def _list(self, call: Call) -> Response:
        id = call.path.split("/")[3]
        size = dict(self.account.audiences).get(id)
        if size is None:
            return self._not_found()
        return json_response(self._audience(id, size))

    def _audience(self, id: str, size: int) -> Row:
        return {"id": id, "stats": {"member_count": size, "unsubscribe_count": 12}}

    def _activity(self, call: Call) -> Response:
        audience = call.path.split("/")[3]
        if audience not in dict(self.account.audiences):
            return self._not_found()
        rows = []
        for past in range(_KNOWN):
            day = self.account.today - timedelta(days=past)
            told = self.account.mailing(audience, day)
            if told is not None:
                rows.append(
                    {
                        "day": day.isoformat(),
                        "emails_sent": told.sent,
                        "unique_opens": told.opened,
                        "recipient_clicks": told.clicked,
                        "hard_bounce": told.hard_bounces,
                        "soft_bounce": told.soft_bounces,
                        "subs": 3,
                        "unsubs": told.left,
                        "other_adds": 0,
                        "other_removes": 0,
                    }
                )
        return self._page("activity", rows, call)

    def _reports(self, call: Call) -> Response:
        since, before = (
            datetime.fromisoformat(call.query[name].replace(" ", "+"))
            for name in ("since_send_time", "before_send_time")
        )
        day = since.date() - timedelta(days=1)
        found: list[FakeCampaign] = []
        while day <= before.date() + timedelta(days=1):
            found += [one for one in self.account.campaigns(day) if since < one.sent_at < before]
            day += timedelta(days=1)
        return self._page("reports", [self._report(one) for one in reversed(found)], call)

    def _report(self, one: FakeCampaign) -> Row:
        sold = {"total_orders": 3, "total_spent": float(one.revenue)}
        sold |= {"total_revenue": float(one.revenue)}
        return {
            "id": one.id,
            "list_id": one.audience,
            "send_time": one.sent_at.astimezone(UTC).isoformat(),
            "ecommerce": {**sold, "currency_code": one.currency} if self.has_shop else None,
        }

    def _page(self, name: str, rows: Sequence[Row], call: Call) -> Response:
        offset = int(call.query.get("offset", "0"))
        count = min(int(call.query.get("count", "10")), _MOST, self.page_limit)
        page = list(rows[offset : offset + count])
        if self.faults.doubled_pages and offset:
            page.insert(0, rows[offset - 1])
        if self.faults.missing_rows:
            page = page[:-1]
        return json_response({name: page, "total_items": len(rows)})

    def _not_found(self) -> Response:
        return _problem(404, "Resource Not Found", "The requested resource could not be found.")


def _problem(status: int, title: str, said: str) -> Response:
    problem = {"type": "https://mailchimp.com/developer/marketing/docs/errors/", "title": title,
               "status": status, "detail": said, "instance": "0f1e2d3c"}  # fmt: skip
    return json_response(problem, status, {"content-type": "application/problem+json"})
