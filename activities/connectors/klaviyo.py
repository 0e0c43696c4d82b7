"""A Klaviyo account: mails received, opened and clicked, who left, and what was earned by mail.

Days are those on which people did something, not those of the campaign they did it with. Opens and
clicks count a person once a day. Subscribers are those of the largest list: a profile may be on
several, so the lists cannot be added up.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import parse_qs, quote, urlsplit
from zoneinfo import ZoneInfo

import httpx

from activities.connectors.clock import Clock, Sleep, utc_now
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
from activities.connectors.wire import (
    Answer,
    Wire,
    currency_if_any,
    number,
    spans,
    text,
    time_zone,
    whole,
    words,
)
from activities.retry_after import retry_after
from models.rules.platforms.credentials import secrets_of
from models.rules.platforms.registry import PlatformId

VENDOR: Final = "Klaviyo"
REVISION: Final = "2026-07-15"
BASE_URL: Final = "https://a.klaviyo.com"
_LONGEST_WAIT: Final = 90.0
"""Seconds: the steady limits are counted by the minute."""
_LONGEST_SPAN: Final = 365
_JSON_API: Final = "application/vnd.api+json"
_ORDERS: Final = "Placed Order"
_CHANNEL: Final = "$attributed_channel"


@dataclass(frozen=True, slots=True)
class _Counted:
    metric_key: str
    names: tuple[str, ...]
    measurement: str


_COUNTED: Final = (
    _Counted("emails_delivered", ("Received Email",), "count"),
    _Counted("emails_opened", ("Opened Email",), "unique"),
    _Counted("emails_clicked", ("Clicked Email",), "unique"),
    # Accounts of before 2024 have the older name as well, with days of its own.
    _Counted("unsubscribes", ("Unsubscribed from Email Marketing", "Unsubscribed"), "count"),
)
# Klaviyo still names zones of America as they were called in the eighties.
_ZONES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "US/Alaska": "America/Anchorage",
        "US/Arizona": "America/Phoenix",
        "US/Central": "America/Chicago",
        "US/Eastern": "America/New_York",
        "US/Hawaii": "Pacific/Honolulu",
        "US/Mountain": "America/Denver",
        "US/Pacific": "America/Los_Angeles",
    }
)


class Klaviyo:
    """Klaviyo behind the `Connector` protocol."""

    platform = PlatformId.KLAVIYO

    def __init__(
        self,
        http: httpx.AsyncClient,
        base_url: str = BASE_URL,
        *,
        now: Clock = utc_now,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._wire = Wire(vendor=VENDOR, http=http, base_url=base_url, error_of=_error_of)
        self._now = now
        self._sleep = sleep

    async def verify(self, credentials: Credentials) -> Account:
        """Read the account that the key belongs to."""
        return await self._account(credentials)

    async def renew(self, credentials: Credentials) -> Renewed | None:
        """Private keys last until they are deleted."""
        return None

    async def daily_metrics(
        self, access: Access, first: date, last: date
    ) -> AsyncIterator[DayMetric]:
        """Read the aggregates of each metric by day; subscribers are known for today alone."""
        account = await self._account(access.credentials)
        metrics = await self._metric_ids(access.credentials)
        totals = DayTotals(VENDOR, [one.metric_key for one in _COUNTED], "email_revenue")
        for counted in _COUNTED:
            for metric_id in _native(metrics, counted.names):
                series = self._series(access, metric_id, counted.measurement, first, last)
                async for day, value, _ in series:
                    totals.count(day, counted.metric_key, value)
        for metric_id in _orders(metrics):
            series = self._series(access, metric_id, "sum_value", first, last, by=(_CHANNEL,))
            async for day, value, dimensions in series:
                if account.currency is not None and "email" in "".join(dimensions).lower():
                    totals.pay(day, value, account.currency)
        for row in totals.rows(first, last, account.currency):
            yield row
        if last >= access.today(self._now()):
            async for row in self._subscribers(access):
                yield row

    async def _subscribers(self, access: Access) -> AsyncIterator[DayMetric]:
        today = access.today(self._now())
        sizes = []
        answer: Answer | None = None
        async for one in self._listed(access.credentials, "/api/lists", {"fields[list]": "name"}):
            with self._wire.as_documented():
                path = f"/api/lists/{quote(text(one['id']), safe='')}"
            counted = {"additional-fields[list]": "profile_count", "fields[list]": "profile_count"}
            await self._keep_pace(answer)
            answer = await self._ask(access.credentials, "GET", path, params=counted)
            with self._wire.as_documented():
                sizes.append(whole(answer.body["data"]["attributes"]["profile_count"]))
        if sizes:
            yield DayMetric(day=today, metric_key="subscribers", value=Decimal(max(sizes)))

    async def _account(self, credentials: Credentials) -> Account:
        answer = await self._ask(credentials, "GET", "/api/accounts")
        with self._wire.as_documented():
            account = answer.body["data"][0]
            told = account["attributes"]
            zone = str(told["timezone"])
            return Account(
                account_id=text(account["id"]),
                display_name=words(told["contact_information"]["organization_name"]),
                currency=currency_if_any(told["preferred_currency"]),
                time_zone=time_zone(_ZONES.get(zone, zone)),
            )

    async def _metric_ids(self, credentials: Credentials) -> Sequence[Mapping[str, Any]]:
        fields = {"fields[metric]": "name,integration"}
        found = {}
        async for one in self._listed(credentials, "/api/metrics", fields):
            with self._wire.as_documented():
                integration = one["attributes"]["integration"] or {}
                found[one["id"]] = {
                    "id": text(one["id"]),
                    "name": str(one["attributes"]["name"]),
                    "from": str(integration.get("name") or "API"),
                }
        return list(found.values())

    async def _series(
        self,
        access: Access,
        metric_id: str,
        measurement: str,
        first: date,
        last: date,
        by: tuple[str, ...] = (),
    ) -> AsyncIterator[tuple[date, Decimal, tuple[str, ...]]]:
        """Every day's value of a metric, for each group once."""
        zone = ZoneInfo(access.time_zone)
        for begin, end in spans(first, last, _LONGEST_SPAN):
            seen: set[tuple[str, ...]] = set()
            async for told in self._aggregates(access, metric_id, measurement, (begin, end), by):
                with self._wire.as_documented():
                    read = list(_read(told, measurement, zone, seen))
                for day, value, dimensions in read:
                    if begin <= day <= end:
                        yield day, value, dimensions

    async def _aggregates(
        self,
        access: Access,
        metric_id: str,
        measurement: str,
        span: tuple[date, date],
        by: tuple[str, ...],
    ) -> AsyncIterator[Mapping[str, Any]]:
        asked: dict[str, Any] = {
            "metric_id": metric_id,
            "measurements": [measurement],
            "interval": "day",
            "filter": _between(*span, ZoneInfo(access.time_zone)),
            "timezone": access.time_zone,
        }
        if by:
            asked["by"] = list(by)
        cursors: set[str] = set()
        while True:
            body = {"data": {"type": "metric-aggregate", "attributes": asked}}
            answer = await self._ask(
                access.credentials, "POST", "/api/metric-aggregates", body=body
            )
            with self._wire.as_documented():
                told: Mapping[str, Any] = dict(answer.body["data"]["attributes"])
                cursor = _cursor(answer.body.get("links"))
            yield told
            if cursor is None:
                return
            asked["page_cursor"] = _unseen(cursor, cursors)

    async def _listed(
        self, credentials: Credentials, path: str, params: Mapping[str, str]
    ) -> AsyncIterator[Mapping[str, Any]]:
        asked = dict(params)
        seen: set[str] = set()
        cursors: set[str] = set()
        while True:
            answer = await self._ask(credentials, "GET", path, params=asked)
            with self._wire.as_documented():
                page = {text(one["id"]): one for one in answer.body["data"]}
                cursor = _cursor(answer.body.get("links"))
            for key in page.keys() - seen:
                yield page[key]
            seen |= page.keys()
            if cursor is None:
                return
            asked["page[cursor]"] = _unseen(cursor, cursors)

    async def _ask(
        self,
        credentials: Credentials,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: Any = None,
    ) -> Answer:
        return await self._wire.ask(
            method,
            path,
            secrets=secrets_of(self.platform, credentials),
            headers={
                "Authorization": f"Klaviyo-API-Key {credentials['api_key']}",
                "revision": REVISION,
                "Accept": _JSON_API,
                "Content-Type": _JSON_API,
            },
            params=params,
            body=body,
        )

    async def _keep_pace(self, answer: Answer | None) -> None:
        """Wait where the next size of a list would be one too many: they come 15 a minute."""
        if answer is None:
            return
        left, reset = (answer.headers.get(f"ratelimit-{of}") for of in ("remaining", "reset"))
        with self._wire.as_documented():
            wait = float(number(reset)) if left is not None and number(left) <= 0 else 0.0
        if wait > 0:
            await self._sleep(min(wait, _LONGEST_WAIT))


def _between(first: date, last: date, zone: ZoneInfo) -> list[str]:
    # The bounds are read in UTC, whatever the zone that days are counted in.
    begin = datetime.combine(first, time.min, zone).astimezone(UTC)
    end = datetime.combine(last + timedelta(days=1), time.min, zone).astimezone(UTC)
    return [
        f"greater-or-equal(datetime,{begin:%Y-%m-%dT%H:%M:%S})",
        f"less-than(datetime,{end:%Y-%m-%dT%H:%M:%S})",
    ]


def _read(
    told: Mapping[str, Any], measurement: str, zone: ZoneInfo, seen: set[tuple[str, ...]]
) -> Iterable[tuple[date, Decimal, tuple[str, ...]]]:
    """The values of an answer; its moments are the beginnings of days, written in UTC."""
    moments = [datetime.fromisoformat(moment) for moment in told["dates"]]
    for group in told["data"]:
        dimensions = tuple(str(one) for one in group["dimensions"])
        if dimensions in seen:
            continue
        seen.add(dimensions)
        values = group["measurements"][measurement]
        for moment, value in zip(moments, values, strict=True):
            aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            yield aware.astimezone(zone).date(), number(value), dimensions


def _native(metrics: Iterable[Mapping[str, str]], names: Sequence[str]) -> list[str]:
    """Klaviyo's own metrics of these names: anybody may send events that are named the same."""
    return [one["id"] for one in metrics if one["from"] == VENDOR and one["name"] in names]


def _orders(metrics: Iterable[Mapping[str, str]]) -> list[str]:
    """The orders of the shops; those sent by hand only where no shop is connected."""
    named = [one for one in metrics if one["name"] == _ORDERS]
    of_shops = [one["id"] for one in named if one["from"] not in ("API", VENDOR)]
    return of_shops or [one["id"] for one in named]


def _cursor(links: Any) -> str | None:
    """The cursor of the next page; its address is not followed, for it could lead anywhere."""
    following = (links or {}).get("next")
    if not following:
        return None
    address = text(following)
    (cursor, *_) = parse_qs(urlsplit(address).query).get("page[cursor]") or [address]
    return cursor


def _unseen(cursor: str, seen: set[str]) -> str:
    if cursor in seen:
        raise PlatformBusy(f"{VENDOR} goes round in its pages.")
    seen.add(cursor)
    return cursor


def _error_of(answer: Answer, secrets: Iterable[str]) -> PlatformError | None:
    if answer.status < 400:
        return None
    listed = answer.body.get("errors") if isinstance(answer.body, dict) else None
    errors = [one for one in listed or () if isinstance(one, dict)]
    said = "; ".join(str(one.get("detail") or one.get("title") or "") for one in errors)
    text = f"{VENDOR} ({answer.status}): {safe(said, secrets) or 'no reason was given.'}"
    if answer.status in (401, 403):
        return CredentialsRejected(text)
    if answer.status == 429:
        return QuotaExhausted(text, retry_after=retry_after(answer.headers))
    return from_status(VENDOR, answer.status, said, answer.headers, secrets)
