"""A property of Google Analytics 4 through the Data API: sessions, users, key events, revenue."""

from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from activities.connectors.errors import PlatformBusy, QuotaExhausted
from activities.connectors.google_api import GoogleApi, GoogleKeys
from activities.connectors.ports import Access, Account, Credentials, DayMetric, Renewed
from activities.connectors.wire import currency_code, days, number, time_zone, whole
from models.rules.platforms.registry import PlatformId

VENDOR: Final = "Google Analytics"
BASE_URL: Final = "https://analyticsdata.googleapis.com"
SCOPE: Final = "https://www.googleapis.com/auth/analytics.readonly"
_PAGE: Final = 1000
_REVENUE: Final = "web_revenue"
_METRICS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "sessions": "sessions",
        "engagedSessions": "engaged_sessions",
        "activeUsers": "active_users",
        "keyEvents": "key_events",
        "purchaseRevenue": _REVENUE,
    }
)
"""Google's names of what is stored; revenue is purchases less refunds, without income from ads."""
_HOURLY: Final = ("tokensPerHour", "tokensPerProjectPerHour")
_HOUR: Final = 3600.0


class GoogleAnalytics:
    """Google Analytics 4 behind the `Connector` protocol."""

    platform = PlatformId.GA4

    def __init__(self, keys: GoogleKeys, base_url: str = BASE_URL, *, page: int = _PAGE) -> None:
        self._page = page
        self._api = GoogleApi(VENDOR, base_url, SCOPE, keys)

    async def verify(self, credentials: Credentials) -> Account:
        """Run a report of one day; it tells the property's currency and zone, not its name."""
        report = await self._report(credentials, "today", "today", 0, ("sessions",))
        with self._api.wire.as_documented():
            told = report["metadata"]
            return Account(
                account_id=credentials["property_id"],
                display_name=None,
                currency=currency_code(told["currencyCode"]),
                time_zone=time_zone(told["timeZone"]),
            )

    async def renew(self, credentials: Credentials) -> Renewed | None:
        """Google's refresh tokens stay the same; access tokens are got as they are needed."""
        return None

    async def daily_metrics(
        self, access: Access, first: date, last: date
    ) -> AsyncIterator[DayMetric]:
        """Read a report by date; days that nobody came on are not in it."""
        known: dict[date, Mapping[str, Decimal]] = {}
        currency = access.currency
        async for report in self._reports(access.credentials, first, last):
            with self._api.wire.as_documented():
                currency = currency_code(report["metadata"]["currencyCode"])
                known |= _days(report)
        for day in days(first, last):
            seen = known.get(day, {})
            for metric_key in _METRICS.values():
                yield DayMetric(
                    day=day,
                    metric_key=metric_key,
                    value=seen.get(metric_key, Decimal(0)),
                    currency=currency if metric_key == _REVENUE else None,
                )

    async def _reports(
        self, credentials: Credentials, first: date, last: date
    ) -> AsyncIterator[Mapping[str, Any]]:
        seen: set[str] = set()
        while True:
            # Where we are is how many days came, each counted once.
            report = await self._report(
                credentials, first.isoformat(), last.isoformat(), len(seen), tuple(_METRICS)
            )
            with self._api.wire.as_documented():
                expected = whole(report.get("rowCount"))
                came = {row["dimensionValues"][0]["value"] for row in report.get("rows") or ()}
            yield report
            before = len(seen)
            seen |= came
            if len(seen) >= expected:
                return
            if len(seen) == before:
                raise PlatformBusy(f"{VENDOR} gave {before} of {expected} rows.")
            self._stop_before_the_quota_does(report)

    async def _report(
        self,
        credentials: Credentials,
        first: str,
        last: str,
        offset: int,
        metrics: tuple[str, ...],
    ) -> Mapping[str, Any]:
        asked = {
            "dateRanges": [{"startDate": first, "endDate": last}],
            "dimensions": [{"name": "date"}],
            "metrics": [{"name": name} for name in metrics],
            "orderBys": [{"dimension": {"dimensionName": "date"}}],
            "limit": str(self._page),
            "offset": str(offset),
            "keepEmptyRows": True,
            "returnPropertyQuota": True,
        }
        path = f"/v1beta/properties/{credentials['property_id']}:runReport"
        answer = await self._api.ask(credentials, "POST", path, asked)
        with self._api.wire.as_documented():
            report: Mapping[str, Any] = dict(answer.body)
            return report

    def _stop_before_the_quota_does(self, report: Mapping[str, Any]) -> None:
        """A property that has run dry refuses everybody, its owner's own tools too."""
        with self._api.wire.as_documented():
            quota = report.get("propertyQuota") or {}
            left = [
                whole((quota.get(name) or {}).get("remaining"))
                - whole((quota.get(name) or {}).get("consumed"))
                for name in _HOURLY
                if name in quota
            ]
        if left and min(left) < 0:
            raise QuotaExhausted(f"{VENDOR}: the hour's tokens are used up.", retry_after=_HOUR)


def _days(report: Mapping[str, Any]) -> dict[date, Mapping[str, Decimal]]:
    return dict(_rows(report))


def _rows(report: Mapping[str, Any]) -> Iterator[tuple[date, Mapping[str, Decimal]]]:
    names = [_METRICS[header["name"]] for header in report["metricHeaders"]]
    for row in report.get("rows") or ():
        told = row["dimensionValues"][0]["value"]
        values = [number(cell["value"]) for cell in row["metricValues"]]
        day = datetime.strptime(told, "%Y%m%d").date()  # noqa: DTZ007  a day of the property's zone
        yield day, dict(zip(names, values, strict=True))
