"""A property of Google Search Console: clicks, impressions and the place in the results.

Google counts these days in California. Only final days are asked for; they come two or three days
late, so the days after the last one are unknown and not zero.
"""

from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final
from urllib.parse import quote

from activities.connectors.errors import CredentialsRejected
from activities.connectors.google_api import GoogleApi, GoogleKeys
from activities.connectors.google_api_errors import PACIFIC
from activities.connectors.ports import Access, Account, Credentials, DayMetric, Renewed
from activities.connectors.wire import days, number, text
from models.rules.platforms.registry import PlatformId
from models.rules.platforms.restatement import RESTATED_DAYS

VENDOR: Final = "Google Search Console"
BASE_URL: Final = "https://searchconsole.googleapis.com"
SCOPE: Final = "https://www.googleapis.com/auth/webmasters.readonly"
_PAGE: Final = 25_000
_KEPT: Final = timedelta(days=480)
"""Google keeps sixteen months."""
_UNVERIFIED: Final = "siteUnverifiedUser"


class SearchConsole:
    """Search Console behind the `Connector` protocol."""

    platform = PlatformId.GOOGLE_SEARCH_CONSOLE

    def __init__(self, keys: GoogleKeys, base_url: str = BASE_URL, *, page: int = _PAGE) -> None:
        self._page = page
        self._now = keys.now
        self._api = GoogleApi(VENDOR, base_url, SCOPE, keys)

    async def verify(self, credentials: Credentials) -> Account:
        """Read what the account may do with the property."""
        site = credentials["site_url"]
        answer = await self._api.ask(credentials, "GET", _path(site))
        with self._api.wire.as_documented():
            level = text(answer.body["permissionLevel"])
        if level == _UNVERIFIED:
            raise CredentialsRejected(f"{VENDOR}: the property was never verified by this account.")
        return Account(
            account_id=site,
            display_name=site.removeprefix("sc-domain:"),
            currency=None,
            time_zone=PACIFIC.key,
            scopes=(level,),
        )

    async def renew(self, credentials: Credentials) -> Renewed | None:
        """Google's refresh tokens stay the same; access tokens are got as they are needed."""
        return None

    async def daily_metrics(
        self, access: Access, first: date, last: date
    ) -> AsyncIterator[DayMetric]:
        """Read the final days; a day that nobody saw the site on has no place in the results."""
        known: dict[date, Mapping[str, Any]] = {}
        first = max(first, self._today() - _KEPT)
        async for rows in self._pages(access, first, last):
            with self._api.wire.as_documented():
                known |= {date.fromisoformat(row["keys"][0]): row for row in rows}
        for day in days(first, min(last, self._last_final(known))):
            with self._api.wire.as_documented():
                read = list(_metrics(day, known.get(day)))
            for row in read:
                yield row

    async def _pages(
        self, access: Access, first: date, last: date
    ) -> AsyncIterator[list[Mapping[str, Any]]]:
        seen: set[str] = set()
        path = f"{_path(access.credentials['site_url'])}/searchAnalytics/query"
        while True:
            asked = {
                "startDate": first.isoformat(),
                "endDate": last.isoformat(),
                "dimensions": ["date"],
                "type": "web",
                "dataState": "final",
                "rowLimit": self._page,
                "startRow": len(seen),
            }
            answer = await self._api.ask(access.credentials, "POST", path, asked)
            with self._api.wire.as_documented():
                # Rows are left out where there are none, this never is.
                answer.body["responseAggregationType"]
                rows = list(answer.body.get("rows") or ())
                new = {row["keys"][0] for row in rows} - seen
            yield rows
            seen |= new
            # The number of rows is not told: a page that is not full is the last.
            if len(rows) < self._page or not new:
                return

    def _last_final(self, known: Mapping[date, Any]) -> date:
        settled = self._today() - timedelta(days=RESTATED_DAYS[self.platform] + 1)
        return max((settled, *known))

    def _today(self) -> date:
        return self._now().astimezone(PACIFIC).date()


def _path(site: str) -> str:
    return f"/webmasters/v3/sites/{quote(site, safe='')}"


def _metrics(day: date, row: Mapping[str, Any] | None) -> Iterator[DayMetric]:
    seen = row or {"clicks": 0, "impressions": 0}
    impressions = number(seen["impressions"])
    yield DayMetric(day=day, metric_key="search_clicks", value=number(seen["clicks"]))
    yield DayMetric(day=day, metric_key="search_impressions", value=impressions)
    if row is not None and impressions > Decimal(0):
        yield DayMetric(day=day, metric_key="search_position", value=number(row["position"]))
