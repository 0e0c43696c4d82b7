"""A Mailchimp account: what its audiences were sent and did by day, and what campaigns earned.

Mailchimp tells the days of an audience for half a year back and without automations; amounts are
told by campaign and are booked on the day it was sent.
"""

import re
from base64 import b64encode
from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import quote
from zoneinfo import ZoneInfo

import httpx

from activities.connectors.clock import Clock, utc_now
from activities.connectors.day_totals import DayTotals
from activities.connectors.errors import (
    CredentialsRejected,
    PlatformBusy,
    PlatformError,
    QuotaExhausted,
    from_status,
    safe,
)
from activities.connectors.ports import Access, Account, Credentials, DayMetric, Renewed
from activities.connectors.wire import Answer, Wire, currency_if_any, number, text, time_zone, words
from activities.retry_after import retry_after
from models.rules.platforms.credentials import secrets_of
from models.rules.platforms.registry import PlatformId

VENDOR: Final = "Mailchimp"
BASE_URL: Final = "https://{data_center}.api.mailchimp.com"
_PAGE: Final = 500
_KNOWN: Final = timedelta(days=179)
"""How far back the days of an audience are told."""
_REST: Final = 10.0
"""Seconds: the limit is on calls at the same time, and no wait is told."""
_COUNTS: Final = ("emails_delivered", "emails_opened", "emails_clicked", "unsubscribes")
_DAY_MEMBERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "emails_opened": "unique_opens",
        "emails_clicked": "recipient_clicks",
        "unsubscribes": "unsubs",
    }
)


class Mailchimp:
    """Mailchimp behind the `Connector` protocol."""

    platform = PlatformId.MAILCHIMP

    def __init__(
        self,
        http: httpx.AsyncClient,
        base_url: str = BASE_URL,
        *,
        page: int = _PAGE,
        now: Clock = utc_now,
    ) -> None:
        self._http = http
        self._base_url = base_url
        self._page = page
        self._now = now

    async def verify(self, credentials: Credentials) -> Account:
        """Ping, then read the account, the audience that is meant and the shop's currency."""
        pong = await self._ask(credentials, "/ping")
        told = await self._ask(credentials, "/")
        if credentials.get("audience_id"):
            await self._ask(credentials, f"/lists/{credentials['audience_id']}")
        shops = await self._ask(
            credentials, "/ecommerce/stores", {"count": "1", "fields": "stores.currency_code"}
        )
        with self._wire(credentials).as_documented():
            text(pong["health_status"])
            stores = shops["stores"]
            return Account(
                account_id=text(told["account_id"]),
                display_name=words(told["account_name"]),
                currency=currency_if_any(stores[0]["currency_code"]) if stores else None,
                time_zone=time_zone(told["account_timezone"]),
            )

    async def renew(self, credentials: Credentials) -> Renewed | None:
        """Keys last until they are revoked."""
        return None

    async def daily_metrics(
        self, access: Access, first: date, last: date
    ) -> AsyncIterator[DayMetric]:
        """Read the days of each audience and the campaigns sent; subscribers for today alone."""
        today = access.today(self._now())
        first = max(first, today - _KNOWN)
        totals = DayTotals(VENDOR, _COUNTS, "email_revenue")
        subscribers = Decimal(0)
        for audience in await self._audiences(access.credentials):
            with self._wire(access.credentials).as_documented():
                audience_id = quote(text(audience["id"]), safe="")
                subscribers += number(audience["stats"]["member_count"])
            await self._count(access, audience_id, totals)
        await self._earn(access, first, last, totals)
        for row in totals.rows(first, last, access.currency):
            yield row
        if first <= today <= last:
            yield DayMetric(day=today, metric_key="subscribers", value=subscribers)

    async def _audiences(self, credentials: Credentials) -> list[Mapping[str, Any]]:
        alone = credentials.get("audience_id")
        if alone:
            fields = {"fields": "id,stats.member_count"}
            return [await self._ask(credentials, f"/lists/{alone}", fields)]
        fields = {"fields": "lists.id,lists.stats.member_count,total_items"}
        return [one async for one in self._listed(credentials, "/lists", "lists", "id", fields)]

    async def _count(self, access: Access, audience_id: str, totals: DayTotals) -> None:
        """Add the days of an audience; the totals leave out those that were not asked for."""
        path = f"/lists/{audience_id}/activity"
        async for told in self._listed(access.credentials, path, "activity", "day", {}):
            with self._wire(access.credentials).as_documented():
                day = date.fromisoformat(told["day"])
                bounced = number(told["hard_bounce"]) + number(told["soft_bounce"])
                delivered = max(number(told["emails_sent"]) - bounced, Decimal(0))
                totals.count(day, "emails_delivered", delivered)
                for key, member in _DAY_MEMBERS.items():
                    totals.count(day, key, number(told[member]))

    async def _earn(self, access: Access, first: date, last: date, totals: DayTotals) -> None:
        zone = ZoneInfo(access.time_zone)
        alone = access.credentials.get("audience_id")
        sold: list[tuple[datetime, Decimal, str]] = []
        async for told in self._listed(
            access.credentials, "/reports", "reports", "id", _sent(first, last, zone)
        ):
            with self._wire(access.credentials).as_documented():
                earned = told.get("ecommerce") or {}
                currency = currency_if_any(earned.get("currency_code")) or access.currency
                theirs = alone is None or told["list_id"] == alone
                if told.get("send_time") and currency and theirs:
                    sent_at = datetime.fromisoformat(told["send_time"]).astimezone(zone)
                    sold.append((sent_at, number(earned.get("total_revenue")), currency))
        for sent_at, amount, currency in sorted(sold, key=lambda one: one[0]):
            totals.pay(sent_at.date(), amount, currency)

    async def _listed(
        self,
        credentials: Credentials,
        path: str,
        name: str,
        key: str,
        params: Mapping[str, str],
    ) -> AsyncIterator[Mapping[str, Any]]:
        """Every element once; a list that is shorter than it says was cut, or moved meanwhile."""
        wire = self._wire(credentials)
        seen: set[str] = set()
        while True:
            # Where we are is how many came, each counted once: pages overlap when lists move.
            asked = {**params, "count": str(self._page), "offset": str(len(seen))}
            body = await self._ask(credentials, path, asked)
            with wire.as_documented():
                page = {text(one[key]): one for one in body[name]}
                expected = int(body["total_items"])
            new = [one for one in page if one not in seen]
            for one in new:
                yield page[one]
            seen.update(new)
            if len(seen) >= expected:
                return
            if not new:
                raise PlatformBusy(f"{VENDOR} gave {len(seen)} of {expected} {name}.")

    async def _ask(
        self, credentials: Credentials, path: str, params: Mapping[str, str] | None = None
    ) -> Mapping[str, Any]:
        wire = self._wire(credentials)
        basic = b64encode(f"throughline:{credentials['api_key']}".encode()).decode()
        answer = await wire.ask(
            "GET",
            f"/3.0{path}",
            secrets=secrets_of(self.platform, credentials),
            headers={"Authorization": f"Basic {basic}"},
            params=params,
        )
        with wire.as_documented():
            body: Mapping[str, Any] = dict(answer.body)
            return body

    def _wire(self, credentials: Credentials) -> Wire:
        place = re.fullmatch(r"[0-9a-f]{32}-([a-z]{2}[0-9]+)", credentials["api_key"])
        if place is None:
            raise CredentialsRejected(f"{VENDOR}: the key does not say where the account is.")
        base_url = self._base_url.replace("{data_center}", place[1])
        return Wire(vendor=VENDOR, http=self._http, base_url=base_url, error_of=_error_of)


def _sent(first: date, last: date, zone: ZoneInfo) -> Mapping[str, str]:
    # Both bounds are left out by Mailchimp itself.
    begin = datetime.combine(first, time.min, zone).astimezone(UTC) - timedelta(seconds=1)
    end = datetime.combine(last + timedelta(days=1), time.min, zone).astimezone(UTC)
    return {
        "since_send_time": begin.isoformat(),
        "before_send_time": end.isoformat(),
        "fields": "reports.id,reports.list_id,reports.send_time,reports.ecommerce,total_items",
    }


def _error_of(answer: Answer, secrets: Iterable[str]) -> PlatformError | None:
    if answer.status < 400:
        return None
    body = answer.body if isinstance(answer.body, dict) else {}
    said = str(body.get("detail") or body.get("title") or "")
    text = f"{VENDOR} ({answer.status}): {safe(said, secrets) or 'no reason was given.'}"
    if answer.status in (401, 403):
        return CredentialsRejected(text)
    if answer.status == 429:
        return QuotaExhausted(text, retry_after=retry_after(answer.headers) or _REST)
    return from_status(VENDOR, answer.status, said, answer.headers, secrets)
