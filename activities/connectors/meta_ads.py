"""Meta's ads (Facebook, Instagram) through its Marketing API.

Conversions are what Meta calls actions: the same purchase is told under several names, of which
one counts (`_CONVERSIONS`). Budgets are in the currency's smallest unit, spend is not.
"""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

import httpx

from activities.connectors.ad_days import AdDay, currency_of, metrics_of
from activities.connectors.errors import PlatformError
from activities.connectors.meta_errors import error_of
from activities.connectors.meta_reports import VERSION, MetaReader, Report
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
from models.rules.platforms.registry import PlatformId
from models.rules.results.campaigns import CampaignStatus

BASE_URL: Final = "https://graph.facebook.com"
_QUIET: Final = AdDay(reach=0)
_DAY_FIELDS: Final = ("spend", "impressions", "clicks", "reach", "actions", "action_values")
_CONVERSIONS: Final = (
    ("omni_purchase", "purchase", "offsite_conversion.fb_pixel_purchase"),
    ("lead", "onsite_conversion.lead_grouped", "offsite_conversion.fb_pixel_lead"),
    ("omni_complete_registration", "complete_registration",
     "offsite_conversion.fb_pixel_complete_registration"),
    ("subscribe_total", "subscribe", "subscribe_website"),
    ("start_trial_total", "start_trial", "start_trial_website"),
    ("submit_application_total", "submit_application", "submit_application_website"),
    ("schedule_total", "schedule", "schedule_website"),
)  # fmt: skip
"""What counts as a conversion; of each, the first name that Meta gives."""
_STATUSES: Final[Mapping[str, CampaignStatus]] = MappingProxyType(
    {
        "ACTIVE": CampaignStatus.ACTIVE,
        "IN_PROCESS": CampaignStatus.ACTIVE,
        "WITH_ISSUES": CampaignStatus.ACTIVE,
        "PAUSED": CampaignStatus.PAUSED,
        "ARCHIVED": CampaignStatus.ENDED,
        "DELETED": CampaignStatus.REMOVED,
    }
)
# Meta lists what was archived where it is asked for, and refuses lists of what was deleted.
_LISTED: Final = tuple(status for status in _STATUSES if status != "DELETED")
_LISTED_ADS: Final = (
    *_LISTED, "ADSET_PAUSED", "CAMPAIGN_PAUSED", "DISAPPROVED", "PENDING_BILLING_INFO",
    "PENDING_REVIEW", "PREAPPROVED",
)  # fmt: skip
_REPORTED: Final[Mapping[str, Sequence[str]]] = MappingProxyType(
    {"campaign": tuple(_STATUSES), "ad": (*_LISTED_ADS, "DELETED")}
)
# Without hundredths, as Meta sees it: not quite those of ISO 4217.
_WHOLE_CURRENCIES: Final = frozenset(
    "CLP COP CRC HUF IDR ISK JPY KRW PYG TWD VND".split()
)  # fmt: skip
_CAMPAIGN_FIELDS: Final = (
    "id,name,effective_status,objective,daily_budget,lifetime_budget,stop_time"
)
_AD_FIELDS: Final = "id,campaign_id,creative{title,body,object_story_spec}"


class MetaAds:
    """Meta behind the `AdsConnector` protocol."""

    platform = PlatformId.META_ADS

    def __init__(
        self,
        http: httpx.AsyncClient,
        base_url: str = BASE_URL,
        *,
        poll_seconds: float = 5.0,
        longest_seconds: float = 600.0,
    ) -> None:
        self._wire = Wire(vendor="Meta", http=http, base_url=base_url, error_of=error_of)
        self._poll_seconds = poll_seconds
        self._longest_seconds = longest_seconds

    async def verify(self, credentials: Credentials) -> Account:
        """Read the ad account; what the token may and how long it lives is told on the side."""
        reader = self._reader(credentials)
        account_id = credentials["ad_account_id"].removeprefix("act_")
        fields = {"fields": "account_id,name,currency,timezone_name,account_status"}
        answer = await reader.ask("GET", f"/{VERSION}/act_{account_id}", fields)
        scopes, expires_at = await self._token(reader)
        with self._wire.as_documented():
            return Account(
                account_id=account_id,
                display_name=words(answer.body.get("name")),
                currency=currency_code(answer.body["currency"]),
                time_zone=time_zone(answer.body["timezone_name"]),
                scopes=scopes,
                token_expires_at=expires_at,
            )

    async def renew(self, credentials: Credentials) -> Renewed | None:
        """Nothing: a token is made anew by people alone."""
        return None

    async def daily_metrics(
        self, access: Access, first: date, last: date
    ) -> AsyncIterator[DayMetric]:
        """Read the account's days; reach is that of the account, not of its campaigns added up."""
        known: dict[date, AdDay] = {}
        report = self._report(access, "account", first, last, _DAY_FIELDS)
        async for page in self._reader(access.credentials).rows(report):
            with self._wire.as_documented():
                known |= {_day(row): _numbers(row) for row in page}
        for metric in metrics_of(known, access, first, last, quiet=_QUIET):
            yield metric

    async def campaigns(self, access: Access) -> AsyncIterator[Campaign]:
        """Read the campaigns, archived ones too."""
        params = {"fields": _CAMPAIGN_FIELDS, "effective_status": json.dumps(_LISTED)}
        units = 1 if currency_of(access) in _WHOLE_CURRENCIES else 100
        now, seen = datetime.now(UTC), set[str]()
        path = f"/{VERSION}/act_{access.account_id}/campaigns"
        async for page in self._reader(access.credentials).pages(path, params, limit=200):
            with self._wire.as_documented():
                found = [_campaign(row, units, now) for row in page]
            for campaign in found:
                if campaign.campaign_id not in seen:
                    seen.add(campaign.campaign_id)
                    yield campaign

    async def creatives(self, access: Access) -> AsyncIterator[Creative]:
        """Read the ads with their texts, archived ones too."""
        seen = set[str]()
        path = f"/{VERSION}/act_{access.account_id}/ads"
        params = {"fields": _AD_FIELDS, "effective_status": json.dumps(_LISTED_ADS)}
        async for page in self._reader(access.credentials).pages(path, params, limit=100):
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
        fields = ("campaign_id", *_DAY_FIELDS)
        report = self._report(access, "campaign", first, last, fields)
        async for page in self._reader(access.credentials).rows(report):
            with self._wire.as_documented():
                found = [(text(row["campaign_id"]), _day(row), _numbers(row)) for row in page]
            for id, day, of_day in found:
                if (id, day) not in seen:
                    seen.add((id, day))
                    yield of_day.of_campaign(id, day, currency)

    async def creative_days(
        self, access: Access, first: date, last: date
    ) -> AsyncIterator[CreativeDay]:
        """Read the ads' days."""
        seen = set[tuple[str, date]]()
        report = self._report(access, "ad", first, last, ("ad_id", "spend", "actions"))
        async for page in self._reader(access.credentials).rows(report):
            with self._wire.as_documented():
                found = [_creative_day(row) for row in page]
            for one in found:
                if (one.creative_id, one.day) not in seen:
                    seen.add((one.creative_id, one.day))
                    yield one

    async def reach(self, access: Access, first: date, last: date) -> AsyncIterator[PeriodReach]:
        """Read the campaigns' reach over the range, for which Meta counts everybody once."""
        seen = set[str]()
        report = self._report(
            access, "campaign", first, last, ("campaign_id", "reach"), daily=False
        )
        async for page in self._reader(access.credentials).rows(report):
            with self._wire.as_documented():
                found = [(text(row["campaign_id"]), whole(row.get("reach"))) for row in page]
            for id, reach in found:
                if id not in seen:
                    seen.add(id)
                    yield PeriodReach(campaign_id=id, first=first, last=last, reach=reach)

    def _reader(self, credentials: Credentials) -> MetaReader:
        token = credentials["access_token"]
        return MetaReader(self._wire, token, self._poll_seconds, self._longest_seconds)

    def _report(
        self,
        access: Access,
        level: str,
        first: date,
        last: date,
        fields: Sequence[str],
        *,
        daily: bool = True,
    ) -> Report:
        return Report(
            account_id=access.account_id, level=level, fields=fields,
            first=first, last=last, daily=daily, statuses=_REPORTED.get(level, ()),
        )  # fmt: skip

    async def _token(self, reader: MetaReader) -> tuple[tuple[str, ...], datetime | None]:
        """Scopes and end of the token; a token that may not look at itself is none the worse."""
        # A GET would need the token in its address.
        given = {"method": "GET", "input_token": reader.token}
        try:
            answer = await reader.ask("POST", f"/{VERSION}/debug_token", given)
        except PlatformError:
            return (), None
        with self._wire.as_documented():
            told = answer.body.get("data") or {}
            ends = whole(told.get("expires_at"))
            expires_at = datetime.fromtimestamp(ends, UTC) if ends else None
            return tuple(str(scope) for scope in told.get("scopes") or ()), expires_at


def _day(row: Mapping[str, Any]) -> date:
    return date.fromisoformat(row["date_start"])


def _numbers(row: Mapping[str, Any]) -> AdDay:
    return AdDay(
        spend=number(row.get("spend")),
        impressions=whole(row.get("impressions")),
        clicks=whole(row.get("clicks")),
        conversions=_conversions(row.get("actions")),
        conversion_value=_conversions(row.get("action_values")),
        reach=whole(row.get("reach")),
    )


def _conversions(actions: Sequence[Mapping[str, Any]] | None) -> Decimal:
    by_name = {action["action_type"]: number(action["value"]) for action in actions or ()}
    counted = (next((by_name[name] for name in kind if name in by_name), None)
               for kind in _CONVERSIONS)  # fmt: skip
    return sum((value for value in counted if value is not None), Decimal(0))


def _creative_day(row: Mapping[str, Any]) -> CreativeDay:
    return CreativeDay(
        creative_id=text(row["ad_id"]),
        day=_day(row),
        spend=number(row.get("spend")),
        conversions=_conversions(row.get("actions")),
    )


def _campaign(row: Mapping[str, Any], units: int, now: datetime) -> Campaign:
    status = _STATUSES.get(row.get("effective_status") or "", CampaignStatus.UNKNOWN)
    stop = row.get("stop_time")
    if status is CampaignStatus.ACTIVE and stop and datetime.fromisoformat(stop) < now:
        status = CampaignStatus.ENDED
    objective = row.get("objective")
    return Campaign(
        campaign_id=text(row["id"]),
        name=text(row["name"]),
        status=status,
        objective=str(objective).lower() if objective else None,
        daily_budget=_budget(row.get("daily_budget"), units),
        lifetime_budget=_budget(row.get("lifetime_budget"), units),
    )


def _budget(given: Any, units: int) -> Decimal | None:
    return number(given) / units if number(given) else None


def _creative(row: Mapping[str, Any]) -> Creative:
    creative = row.get("creative") or {}
    story = creative.get("object_story_spec") or {}
    # Of links, of videos: where the texts are when the creative itself has none.
    link = story.get("link_data") or {}
    video = story.get("video_data") or {}
    return Creative(
        creative_id=text(row["id"]),
        campaign_id=text(row["campaign_id"]),
        title=words(creative.get("title"), link.get("name"), video.get("title")),
        body=words(creative.get("body"), link.get("message"), video.get("message")),
    )
