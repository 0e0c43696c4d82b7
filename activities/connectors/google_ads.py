"""Google Ads through its REST interface: one query, one stream of results, no pages.

Amounts are in millionths of the currency's unit. Google offers no reach that would hold for every
kind of campaign, so there is none.
"""

import hashlib
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

import httpx

from activities.connectors.ad_days import AdDay, currency_of, metrics_of
from activities.connectors.errors import CredentialsRejected, RequestRefused
from activities.connectors.google_api import TOKEN_URL
from activities.connectors.google_errors import error_of
from activities.connectors.oauth import Granted, OAuthApp, TokenEndpoint
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
from activities.connectors.wire import Wire, currency_code, number, text, time_zone, whole, words
from models.rules.platforms.credentials import secrets_of
from models.rules.platforms.registry import PlatformId
from models.rules.results.campaigns import CampaignStatus

BASE_URL: Final = "https://googleads.googleapis.com"
VERSION: Final = "v25"
_MICROS: Final = 1_000_000
_LONGEST_STREAM: Final = 256 * 1024 * 1024
"""Bytes: a stream has no pages, and holds the ads of a whole window of days."""
_SPARE: Final = timedelta(minutes=5)
"""How long before its end an access token is no longer used."""
_STATUSES: Final[Mapping[str, CampaignStatus]] = MappingProxyType(
    {
        "ENABLED": CampaignStatus.ACTIVE,
        "PAUSED": CampaignStatus.PAUSED,
        "REMOVED": CampaignStatus.REMOVED,
    }
)
_DAY: Final = (
    "segments.date, metrics.cost_micros, metrics.impressions, metrics.clicks, "
    "metrics.conversions, metrics.conversions_value"
)
_ACCOUNT: Final = (
    "SELECT customer.id, customer.descriptive_name, customer.currency_code, customer.time_zone, "
    "customer.manager FROM customer LIMIT 1"
)
_CAMPAIGNS: Final = (
    "SELECT campaign.id, campaign.name, campaign.status, campaign.serving_status, "
    "campaign.advertising_channel_type, campaign_budget.amount_micros, "
    "campaign_budget.total_amount_micros FROM campaign"
)
_ADS: Final = (
    "SELECT campaign.id, ad_group.id, ad_group_ad.ad.id, "
    "ad_group_ad.ad.responsive_search_ad.headlines, "
    "ad_group_ad.ad.responsive_search_ad.descriptions, "
    "ad_group_ad.ad.responsive_display_ad.headlines, "
    "ad_group_ad.ad.responsive_display_ad.descriptions, "
    "ad_group_ad.ad.expanded_text_ad.headline_part1, "
    "ad_group_ad.ad.expanded_text_ad.description FROM ad_group_ad"
)

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class GoogleAdsApp:
    """The application that this deployment is known as at Google Ads."""

    oauth: OAuthApp
    developer_token: str = field(repr=False)


class GoogleAds:
    """Google Ads behind the `AdsConnector` protocol.

    Access tokens live an hour and are kept in memory, under a hash of what they were got with.
    """

    platform = PlatformId.GOOGLE_ADS

    def __init__(
        self,
        http: httpx.AsyncClient,
        app: GoogleAdsApp,
        base_url: str = BASE_URL,
        token_url: str = TOKEN_URL,
    ) -> None:
        self._wire = Wire(
            vendor="Google",
            http=http,
            base_url=base_url,
            error_of=error_of,
            longest=_LONGEST_STREAM,
        )
        self._tokens = TokenEndpoint(http, token_url, vendor="Google")
        self._app = app
        self._granted: dict[str, Granted] = {}

    async def verify(self, credentials: Credentials) -> Account:
        """Read the customer; one that only manages others has no ads of its own."""
        customer_id = _digits(credentials["customer_id"])
        granted = await self._grant(credentials["refresh_token"])
        rows = await self._search(credentials, customer_id, _ACCOUNT)
        with self._wire.as_documented():
            customer = rows[0]["customer"]
            manages = customer.get("manager") is True
        if manages:
            raise RequestRefused(
                "Google: this customer id is a manager account. Connect the account that the ads "
                "run in, and give this one as the manager account."
            )
        with self._wire.as_documented():
            return Account(
                account_id=text(customer["id"]),
                display_name=words(customer.get("descriptiveName")),
                currency=currency_code(customer["currencyCode"]),
                time_zone=time_zone(customer["timeZone"]),
                scopes=granted.scopes,
            )

    async def renew(self, credentials: Credentials) -> Renewed | None:
        """Nothing: a refresh token has no end that is known of."""
        return None

    async def daily_metrics(
        self, access: Access, first: date, last: date
    ) -> AsyncIterator[DayMetric]:
        """Read the account's days."""
        rows = await self._of(access, f"SELECT {_DAY} FROM customer {_within(first, last)}")
        with self._wire.as_documented():
            known = {_day(row): _numbers(row) for row in rows}
        for metric in metrics_of(known, access, first, last, quiet=AdDay()):
            yield metric

    async def campaigns(self, access: Access) -> AsyncIterator[Campaign]:
        """Read the campaigns, removed ones too."""
        rows = await self._of(access, _CAMPAIGNS)
        with self._wire.as_documented():
            found = {campaign.campaign_id: campaign for campaign in map(_campaign, rows)}
        for campaign in found.values():
            yield campaign

    async def creatives(self, access: Access) -> AsyncIterator[Creative]:
        """Read the ads; campaigns without single ads (Performance Max) have none."""
        rows = await self._of(access, _ADS)
        with self._wire.as_documented():
            found = {creative.creative_id: creative for creative in map(_creative, rows)}
        for creative in found.values():
            yield creative

    async def campaign_days(
        self, access: Access, first: date, last: date
    ) -> AsyncIterator[CampaignDay]:
        """Read the campaigns' days."""
        query = f"SELECT campaign.id, {_DAY} FROM campaign {_within(first, last)}"
        rows = await self._of(access, query)
        currency = currency_of(access)
        with self._wire.as_documented():
            found = {(text(row["campaign"]["id"]), _day(row)): _numbers(row) for row in rows}
        for (id, day), numbers in found.items():
            yield numbers.of_campaign(id, day, currency)

    async def creative_days(
        self, access: Access, first: date, last: date
    ) -> AsyncIterator[CreativeDay]:
        """Read the ads' days."""
        rows = await self._of(
            access,
            "SELECT ad_group.id, ad_group_ad.ad.id, segments.date, metrics.cost_micros, "
            f"metrics.conversions FROM ad_group_ad {_within(first, last)}",
        )
        with self._wire.as_documented():
            found = {(_ad_id(row), _day(row)): _numbers(row) for row in rows}
        for (id, day), numbers in found.items():
            yield CreativeDay(
                creative_id=id, day=day, spend=numbers.spend, conversions=numbers.conversions
            )

    async def reach(self, access: Access, first: date, last: date) -> AsyncIterator[PeriodReach]:
        """Nothing: Google does not offer it."""
        nothing: tuple[PeriodReach, ...] = ()
        for one in nothing:
            yield one

    async def _of(self, access: Access, query: str) -> Sequence[Row]:
        return await self._search(access.credentials, access.account_id, query)

    async def _search(self, credentials: Credentials, id: str, query: str) -> Sequence[Row]:
        """Run a query; an access token that ended early is replaced once."""
        known = self._known(credentials["refresh_token"]) is not None
        try:
            return await self._stream(credentials, id, query)
        except CredentialsRejected:
            if not known:
                raise
            self._granted.pop(_hash(credentials["refresh_token"]), None)
        return await self._stream(credentials, id, query)

    async def _stream(self, credentials: Credentials, id: str, query: str) -> Sequence[Row]:
        granted = await self._grant(credentials["refresh_token"])
        headers = {
            "authorization": f"Bearer {granted.access_token}",
            "developer-token": self._app.developer_token,
        }
        if manager := credentials.get("login_customer_id"):
            headers["login-customer-id"] = _digits(manager)
        answer = await self._wire.ask(
            "POST",
            f"/{VERSION}/customers/{id}/googleAds:searchStream",
            secrets=self._secrets(credentials, granted),
            headers=headers,
            body={"query": query},
        )
        with self._wire.as_documented():
            if not isinstance(answer.body, list):
                raise TypeError("no stream")
            return [row for batch in answer.body for row in batch.get("results") or ()]

    def _secrets(self, credentials: Credentials, granted: Granted) -> Iterable[str]:
        ours = (granted.access_token, self._app.developer_token, self._app.oauth.client_secret)
        return (*secrets_of(self.platform, credentials), *ours)

    async def _grant(self, refresh_token: str) -> Granted:
        if (known := self._known(refresh_token)) is not None:
            return known
        granted = await self._tokens.refresh(self._app.oauth, refresh_token)
        now = datetime.now(UTC)
        # Those of connections that are gone are dropped on the way.
        kept = {key: one for key, one in self._granted.items() if one.expires_at > now}
        self._granted = {**kept, _hash(refresh_token): granted}
        return granted

    def _known(self, refresh_token: str) -> Granted | None:
        granted = self._granted.get(_hash(refresh_token))
        in_time = granted is not None and granted.expires_at - _SPARE > datetime.now(UTC)
        return granted if in_time else None


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _digits(customer_id: str) -> str:
    return customer_id.replace("-", "")


def _within(first: date, last: date) -> str:
    return f"WHERE segments.date BETWEEN '{first.isoformat()}' AND '{last.isoformat()}'"


def _day(row: Row) -> date:
    return date.fromisoformat(row["segments"]["date"])


def _numbers(row: Row) -> AdDay:
    metrics = row.get("metrics") or {}
    return AdDay(
        spend=_amount(metrics.get("costMicros")),
        impressions=whole(metrics.get("impressions")),
        clicks=whole(metrics.get("clicks")),
        conversions=number(metrics.get("conversions")),
        conversion_value=number(metrics.get("conversionsValue")),
    )


def _amount(micros: Any) -> Decimal:
    return number(micros) / _MICROS


def _campaign(row: Row) -> Campaign:
    campaign, budget = row["campaign"], row.get("campaignBudget") or {}
    status = _STATUSES.get(campaign.get("status") or "", CampaignStatus.UNKNOWN)
    if status is CampaignStatus.ACTIVE and campaign.get("servingStatus") == "ENDED":
        status = CampaignStatus.ENDED
    kind = campaign.get("advertisingChannelType")
    return Campaign(
        campaign_id=text(campaign["id"]),
        name=text(campaign["name"]),
        status=status,
        objective=str(kind).lower() if kind else None,
        daily_budget=_amount(budget.get("amountMicros")) or None,
        lifetime_budget=_amount(budget.get("totalAmountMicros")) or None,
    )


def _ad_id(row: Row) -> str:
    # The same ad may be in several groups: only both together are one.
    return f"{text(row['adGroup']['id'])}~{text(row['adGroupAd']['ad']['id'])}"


def _creative(row: Row) -> Creative:
    ad = row["adGroupAd"]["ad"]
    expanded = ad.get("expandedTextAd") or {}
    parts = [ad.get("responsiveSearchAd") or {}, ad.get("responsiveDisplayAd") or {}]
    titles = [one for part in parts for one in _texts(part.get("headlines"))]
    bodies = [one for part in parts for one in _texts(part.get("descriptions"))]
    return Creative(
        creative_id=_ad_id(row),
        campaign_id=text(row["campaign"]["id"]),
        title=words(*titles, expanded.get("headlinePart1")),
        body=words(*bodies, expanded.get("description")),
    )


def _texts(assets: Any) -> list[str]:
    return [asset["text"] for asset in assets or () if words(asset.get("text"))]
