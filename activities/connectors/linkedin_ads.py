"""LinkedIn's ads through its Marketing API.

Days are UTC's whatever the account. A report has no pages and is silently cut at 15,000 rows, so
a range that comes near is asked for again in halves. It is silently empty, too, for a member who
may not look at the account: an empty one is believed while the account can be read. Texts of
sponsored posts belong to the company's page, for which our token is not: those ads have no title
or body here.
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import quote

import httpx

from activities.connectors.ad_days import AdDay, currency_of, metrics_of
from activities.connectors.errors import PlatformError, RequestRefused
from activities.connectors.linkedin_errors import error_of
from activities.connectors.oauth import OAuthApp, TokenEndpoint
from activities.connectors.ports import (
    Access,
    Account,
    Campaign,
    CampaignDay,
    Creative,
    CreativeDay,
    Credentials,
    DayMetric,
    PeriodReach,
    Renewed,
)
from activities.connectors.wire import (
    Answer,
    Wire,
    halves,
    number,
    spans,
    text,
    whole,
    words,
)
from models.rules.platforms.credentials import secrets_of
from models.rules.platforms.registry import PlatformId
from models.rules.results.campaigns import CampaignStatus

BASE_URL: Final = "https://api.linkedin.com"
OAUTH_URL: Final = "https://www.linkedin.com/oauth/v2"
VERSION: Final = "202607"
MOST_ROWS: Final = 15_000
_LONGEST_REACH: Final = 92
"""Over how many days LinkedIn tells how many people there were."""
_DAY: Final = (
    "dateRange", "pivotValues", "costInLocalCurrency", "impressions", "clicks",
    "externalWebsiteConversions", "oneClickLeads", "conversionValueInLocalCurrency",
    "approximateMemberReach",
)  # fmt: skip
_STATUSES: Final[Mapping[str, CampaignStatus]] = MappingProxyType(
    {
        "ACTIVE": CampaignStatus.ACTIVE,
        "PAUSED": CampaignStatus.PAUSED,
        "DRAFT": CampaignStatus.PAUSED,
        "COMPLETED": CampaignStatus.ENDED,
        "ARCHIVED": CampaignStatus.ENDED,
        "CANCELED": CampaignStatus.ENDED,
        "PENDING_DELETION": CampaignStatus.REMOVED,
        "REMOVED": CampaignStatus.REMOVED,
    }
)

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Report:
    pivot: str
    fields: Sequence[str]
    daily: bool = True

    def path(self, account_id: str, first: date, last: date) -> str:
        # Brackets and commas are structure here: they stay as they are, the values do not.
        account = quote(f"urn:li:sponsoredAccount:{account_id}", safe="")
        return (
            f"/rest/adAnalytics?q=analytics&pivot={self.pivot}"
            f"&timeGranularity={'DAILY' if self.daily else 'ALL'}"
            f"&dateRange=(start:{_written(first)},end:{_written(last)})"
            f"&accounts=List({account})&fields={','.join(self.fields)}"
        )


class LinkedInAds:
    """LinkedIn behind the `AdsConnector` protocol."""

    platform = PlatformId.LINKEDIN_ADS

    def __init__(
        self,
        http: httpx.AsyncClient,
        app: OAuthApp,
        base_url: str = BASE_URL,
        oauth_url: str = OAUTH_URL,
        *,
        most_rows: int = MOST_ROWS,
    ) -> None:
        self._wire = Wire(vendor="LinkedIn", http=http, base_url=base_url, error_of=error_of)
        self._oauth = Wire(vendor="LinkedIn", http=http, base_url=oauth_url, error_of=error_of)
        # LinkedIn calls a refresh token that has ended an invalid request.
        self._tokens = TokenEndpoint(
            http, f"{oauth_url}/accessToken", vendor="LinkedIn",
            ended=frozenset({"invalid_grant", "invalid_request"}),
        )  # fmt: skip
        self._app = app
        self._most_rows = most_rows

    async def verify(self, credentials: Credentials) -> Account:
        """Read the ad account; what the token may and how long it lives is told on the side."""
        account_id = credentials["ad_account_id"]
        answer = await self._get(credentials, f"/rest/adAccounts/{account_id}")
        scopes, expires_at = await self._token(credentials)
        with self._wire.as_documented():
            return Account(
                account_id=account_id,
                display_name=words(answer.body.get("name")),
                currency=text(answer.body["currency"]),
                time_zone="UTC",
                scopes=scopes,
                token_expires_at=expires_at,
            )

    async def renew(self, credentials: Credentials) -> Renewed | None:
        """Get a new access token, where there is a refresh token; that may change as well."""
        refresh_token = credentials.get("refresh_token")
        if not refresh_token:
            return None
        granted = await self._tokens.refresh(self._app, refresh_token)
        new = {
            "access_token": granted.access_token,
            "refresh_token": granted.refresh_token or refresh_token,
        }
        return Renewed(credentials={**credentials, **new}, token_expires_at=granted.expires_at)

    async def daily_metrics(
        self, access: Access, first: date, last: date
    ) -> AsyncIterator[DayMetric]:
        """Read the account's days; reach is that of the account, not of its campaigns added up."""
        known: dict[date, AdDay] = {}
        async for rows in self._rows(access, _Report("ACCOUNT", _DAY), first, last):
            with self._wire.as_documented():
                known |= {_day(row): _numbers(row) for row in rows}
        for metric in metrics_of(known, access, first, last, quiet=AdDay(reach=0)):
            yield metric

    async def campaigns(self, access: Access) -> AsyncIterator[Campaign]:
        """Read the campaigns in every status."""
        seen = set[str]()
        path = f"/rest/adAccounts/{access.account_id}/adCampaigns?q=search&pageSize=1000"
        async for page in self._pages(access, path):
            with self._wire.as_documented():
                found = [_campaign(row) for row in page]
            for campaign in found:
                if campaign.campaign_id not in seen:
                    seen.add(campaign.campaign_id)
                    yield campaign

    async def creatives(self, access: Access) -> AsyncIterator[Creative]:
        """Read the ads, with the texts of those that have their own."""
        seen = set[str]()
        path = f"/rest/adAccounts/{access.account_id}/creatives?q=criteria&pageSize=100"
        async for page in self._pages(access, path):
            with self._wire.as_documented():
                found = [_creative(row) for row in page]
            for creative in found:
                if creative.creative_id not in seen:
                    seen.add(creative.creative_id)
                    yield creative

    async def campaign_days(
        self, access: Access, first: date, last: date
    ) -> AsyncIterator[CampaignDay]:
        """Read the campaigns' days with their reach."""
        seen, currency = set[tuple[str, date]](), currency_of(access)
        async for rows in self._rows(access, _Report("CAMPAIGN", _DAY), first, last):
            with self._wire.as_documented():
                found = [(_pivot(row), _day(row), _numbers(row)) for row in rows]
            for id, day, numbers in found:
                if (id, day) not in seen and numbers != AdDay(reach=0):
                    seen.add((id, day))
                    yield numbers.of_campaign(id, day, currency)

    async def creative_days(
        self, access: Access, first: date, last: date
    ) -> AsyncIterator[CreativeDay]:
        """Read the ads' days."""
        seen = set[tuple[str, date]]()
        async for rows in self._rows(access, _Report("CREATIVE", _DAY[:7]), first, last):
            with self._wire.as_documented():
                found = [(_pivot(row), _day(row), _numbers(row)) for row in rows]
            for id, day, numbers in found:
                if (id, day) not in seen and numbers != AdDay(reach=0):
                    seen.add((id, day))
                    yield CreativeDay(
                        creative_id=id, day=day, spend=numbers.spend,
                        conversions=numbers.conversions,
                    )  # fmt: skip

    async def reach(self, access: Access, first: date, last: date) -> AsyncIterator[PeriodReach]:
        """Read the campaigns' reach over the range; LinkedIn knows none of longer than 92 days."""
        if (last - first).days >= _LONGEST_REACH:
            return
        report = _Report("CAMPAIGN", ("pivotValues", "approximateMemberReach"), daily=False)
        seen = set[str]()
        async for rows in self._rows(access, report, first, last):
            with self._wire.as_documented():
                found = [(_pivot(row), whole(row.get("approximateMemberReach"))) for row in rows]
            for id, reach in found:
                if id not in seen:
                    seen.add(id)
                    yield PeriodReach(campaign_id=id, first=first, last=last, reach=reach)

    async def _rows(
        self, access: Access, report: _Report, first: date, last: date
    ) -> AsyncIterator[Sequence[Row]]:
        """The report's rows, in parts where they are too many for one answer."""
        longest, told = _LONGEST_REACH if report.daily else (last - first).days + 1, False
        waiting = list(reversed(list(spans(first, last, longest))))
        while waiting:
            start, end = waiting.pop()
            answer = await self._get(access.credentials, report.path(access.account_id, start, end))
            with self._wire.as_documented():
                rows = answer.body["elements"]
                too_many = len(rows) >= self._most_rows
            if not too_many:
                told = told or bool(rows)
                yield rows
            elif start < end and report.daily:
                waiting += reversed(halves(start, end))
            else:
                raise RequestRefused(
                    f"LinkedIn sends {self._most_rows} rows at most, and {start} to {end} has more."
                )
        if not told:
            # Who may not look at an account is told of no activity, and refused elsewhere.
            await self._get(access.credentials, f"/rest/adAccounts/{access.account_id}")

    async def _pages(self, access: Access, path: str) -> AsyncIterator[Sequence[Row]]:
        token = ""
        while True:
            answer = await self._get(access.credentials, f"{path}{token}")
            with self._wire.as_documented():
                page = answer.body["elements"]
                following = (answer.body.get("metadata") or {}).get("nextPageToken")
                following = f"&pageToken={quote(str(following), safe='')}" if following else ""
                if following and following == token:
                    raise ValueError("a page that follows itself")
            yield page
            if not following:
                return
            token = following

    async def _get(self, credentials: Credentials, path: str) -> Answer:
        headers = {
            "Authorization": f"Bearer {credentials['access_token']}",
            "Linkedin-Version": VERSION,
            "X-Restli-Protocol-Version": "2.0.0",
        }
        if "?q=" in path:
            headers["X-RestLi-Method"] = "FINDER"
        return await self._wire.ask(
            "GET", path, secrets=self._secrets(credentials), headers=headers
        )

    async def _token(self, credentials: Credentials) -> tuple[tuple[str, ...], datetime | None]:
        """Scopes and end of the token; one of another application's is not told about."""
        form = {
            "client_id": self._app.client_id,
            "client_secret": self._app.client_secret,
            "token": credentials["access_token"],
        }
        secrets = self._secrets(credentials)
        try:
            answer = await self._oauth.ask("POST", "/introspectToken", secrets=secrets, form=form)
        except PlatformError:
            return (), None
        with self._oauth.as_documented():
            ends = whole(answer.body.get("expires_at"))
            scopes = str(answer.body.get("scope") or "").replace(",", " ").split()
            return tuple(scopes), datetime.fromtimestamp(ends, UTC) if ends else None

    def _secrets(self, credentials: Credentials) -> Iterable[str]:
        return (*secrets_of(self.platform, credentials), self._app.client_secret)


def _written(day: date) -> str:
    return f"(year:{day.year},month:{day.month},day:{day.day})"


def _pivot(row: Row) -> str:
    return _last(row["pivotValues"][0])


def _last(urn: Any) -> str:
    """The id at the end of a URN; campaigns come with the number alone."""
    return text(urn).rsplit(":", 1)[-1]


def _day(row: Row) -> date:
    start = row["dateRange"]["start"]
    return date(start["year"], start["month"], start["day"])


def _numbers(row: Row) -> AdDay:
    return AdDay(
        spend=number(row.get("costInLocalCurrency")),
        impressions=whole(row.get("impressions")),
        clicks=whole(row.get("clicks")),
        # Forms within LinkedIn are conversions as well, and not among those of the website.
        conversions=number(row.get("externalWebsiteConversions"))
        + number(row.get("oneClickLeads")),
        conversion_value=number(row.get("conversionValueInLocalCurrency")),
        reach=whole(row.get("approximateMemberReach")),
    )


def _campaign(row: Row) -> Campaign:
    objective = row.get("objectiveType")
    return Campaign(
        campaign_id=_last(row["id"]),
        name=text(row["name"]),
        status=_STATUSES.get(row.get("status") or "", CampaignStatus.UNKNOWN),
        objective=str(objective).lower() if objective else None,
        daily_budget=_amount(row.get("dailyBudget")),
        lifetime_budget=_amount(row.get("totalBudget")),
    )


def _amount(given: Any) -> Decimal | None:
    return number(given["amount"]) or None if given else None


def _creative(row: Row) -> Creative:
    content = row.get("content") or {}
    kinds = [kind for kind in content.values() if isinstance(kind, dict)]
    texts: Mapping[str, Any] = next((kind for kind in kinds if "headline" in kind), {})
    return Creative(
        creative_id=_last(row["id"]),
        campaign_id=_last(row["campaign"]),
        title=words(texts.get("headline")),
        body=words(texts.get("description")),
    )
