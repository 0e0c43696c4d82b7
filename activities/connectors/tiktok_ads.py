"""TikTok's ads through its Business API, version 1.3.

Errors come with status 200 and a code in the body. Reports are paged by number: a row may come
twice when something is inserted meanwhile, and rows that are missing from the total are an error.
"""

import json
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from types import MappingProxyType
from typing import Any, Final

import httpx

from activities.connectors.ad_days import AdDay, currency_of, metrics_of
from activities.connectors.errors import (
    CredentialsRejected,
    PlatformBusy,
    PlatformError,
    QuotaExhausted,
    RequestRefused,
    from_status,
    safe,
)
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
    currency_code,
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
from models.rules.results.campaigns import CampaignStatus

BASE_URL: Final = "https://business-api.tiktok.com"
_ROOT: Final = "/open_api/v1.3"
_PAGE: Final = 1000
_LONGEST_DAILY: Final = 30
"""How many days a report by day may span."""
_LONGEST_REACH: Final = 365
_QUOTA: Final = frozenset({40016, 40100, 40132, 40133})
# 40001: the token is good, but not for this advertiser.
_REJECTED: Final = frozenset({40001, 40101, 40102, 40104, 40105})
_BUSY_FROM: Final = 50000
_QUIET: Final = AdDay(reach=0)
# The value of payments on a website, in an app and in a TikTok shop.
_VALUES: Final = (
    "total_complete_payment_rate", "total_purchase_value", "total_onsite_shopping_value",
)  # fmt: skip
_DAY: Final = ("spend", "impressions", "clicks", "reach", "conversion", *_VALUES)
_CAMPAIGN_FIELDS: Final = (
    "campaign_id", "campaign_name", "operation_status", "secondary_status", "objective_type",
    "budget_mode", "budget",
)  # fmt: skip
_SECONDARY: Final[Mapping[str, CampaignStatus]] = MappingProxyType(
    {
        "CAMPAIGN_STATUS_DELETE": CampaignStatus.REMOVED,
        "CAMPAIGN_STATUS_DISABLE": CampaignStatus.PAUSED,
        "CAMPAIGN_STATUS_ENABLE": CampaignStatus.ACTIVE,
        "CAMPAIGN_STATUS_TIME_DONE": CampaignStatus.ENDED,
    }
)
_OPERATION: Final[Mapping[str, CampaignStatus]] = MappingProxyType(
    {"ENABLE": CampaignStatus.ACTIVE, "DISABLE": CampaignStatus.PAUSED}
)
_DAILY_BUDGETS: Final = frozenset({"BUDGET_MODE_DAY", "BUDGET_MODE_DYNAMIC_DAILY_BUDGET"})

Row = Mapping[str, Any]
KeyOf = Callable[[Row], str]


def error_of(answer: Answer, secrets: Iterable[str]) -> PlatformError | None:
    """The error that an answer is, whatever its status."""
    code = answer.body.get("code") if isinstance(answer.body, dict) else None
    if code == 0 or not isinstance(code, int):
        return None
    said = f"TikTok ({code}): {safe(str(answer.body.get('message') or ''), secrets)}"
    if code in _QUOTA:
        return QuotaExhausted(said, retry_after=retry_after(answer.headers))
    if code in _REJECTED:
        return CredentialsRejected(said)
    if code >= _BUSY_FROM:
        return PlatformBusy(said, retry_after=retry_after(answer.headers))
    if answer.status < 400:
        return RequestRefused(said)
    return from_status("TikTok", answer.status, said, answer.headers, secrets)


class TikTokAds:
    """TikTok behind the `AdsConnector` protocol."""

    platform = PlatformId.TIKTOK_ADS

    def __init__(self, http: httpx.AsyncClient, base_url: str = BASE_URL) -> None:
        self._wire = Wire(vendor="TikTok", http=http, base_url=base_url, error_of=error_of)

    async def verify(self, credentials: Credentials) -> Account:
        """Read the advertiser; one that the token is not for is left out of the list."""
        advertiser_id = credentials["advertiser_id"]
        fields = ("advertiser_id", "name", "currency", "timezone", "display_timezone", "status")
        params = {
            "advertiser_ids": json.dumps([advertiser_id]),
            "fields": json.dumps(fields),
        }
        answer = await self._get("/advertiser/info/", credentials, params)
        with self._wire.as_documented():
            told = answer.body["data"]["list"]
            found = [one for one in told if str(one["advertiser_id"]) == advertiser_id]
            if not found:
                raise CredentialsRejected("TikTok: the token is not for this advertiser.")
            [advertiser] = found
            # The offset of `timezone` knows no summer.
            zone = advertiser.get("display_timezone") or advertiser.get("timezone")
            return Account(
                account_id=advertiser_id,
                display_name=words(advertiser.get("name")),
                currency=currency_code(advertiser["currency"]),
                time_zone=time_zone(zone),
            )

    async def renew(self, credentials: Credentials) -> Renewed | None:
        """Nothing: the token lives until it is revoked."""
        return None

    async def daily_metrics(
        self, access: Access, first: date, last: date
    ) -> AsyncIterator[DayMetric]:
        """Read the account's days; reach is that of the account, not of its campaigns added up."""
        known: dict[date, AdDay] = {}
        async for page in self._days(access, "advertiser", first, last, _DAY):
            with self._wire.as_documented():
                known |= {_day(row): _numbers(row) for row in page}
        for metric in metrics_of(known, access, first, last, quiet=_QUIET):
            yield metric

    async def campaigns(self, access: Access) -> AsyncIterator[Campaign]:
        """Read the campaigns, deleted ones too."""
        params = {
            "advertiser_id": access.account_id,
            "fields": json.dumps(_CAMPAIGN_FIELDS),
            "filtering": json.dumps({"primary_status": "STATUS_ALL"}),
        }
        async for page in self._pages("/campaign/get/", access, params, _campaign_key):
            with self._wire.as_documented():
                found = [_campaign(row) for row in page]
            for campaign in found:
                yield campaign

    async def creatives(self, access: Access) -> AsyncIterator[Creative]:
        """Read the ads; TikTok's have a text but no title."""
        params = {
            "advertiser_id": access.account_id,
            "fields": json.dumps(("ad_id", "campaign_id", "ad_text")),
            "filtering": json.dumps({"primary_status": "STATUS_ALL"}),
        }
        async for page in self._pages("/ad/get/", access, params, _ad_key):
            with self._wire.as_documented():
                found = [
                    Creative(
                        creative_id=text(row["ad_id"]),
                        campaign_id=text(row["campaign_id"]),
                        body=words(row.get("ad_text")),
                    )
                    for row in page
                ]
            for creative in found:
                yield creative

    async def campaign_days(
        self, access: Access, first: date, last: date
    ) -> AsyncIterator[CampaignDay]:
        """Read the campaigns' days with their reach."""
        currency = currency_of(access)
        async for page in self._days(access, "campaign", first, last, _DAY):
            with self._wire.as_documented():
                found = [(_id(row, "campaign"), _day(row), _numbers(row)) for row in page]
            for id, day, numbers in found:
                yield numbers.of_campaign(id, day, currency)

    async def creative_days(
        self, access: Access, first: date, last: date
    ) -> AsyncIterator[CreativeDay]:
        """Read the ads' days."""
        async for page in self._days(access, "ad", first, last, ("spend", "conversion")):
            with self._wire.as_documented():
                found = [(_id(row, "ad"), _day(row), _numbers(row)) for row in page]
            for id, day, numbers in found:
                yield CreativeDay(
                    creative_id=id, day=day, spend=numbers.spend, conversions=numbers.conversions
                )

    async def reach(self, access: Access, first: date, last: date) -> AsyncIterator[PeriodReach]:
        """Read the campaigns' reach over the range; TikTok knows none of longer than a year."""
        if (last - first).days >= _LONGEST_REACH:
            return
        params = _report(access, "campaign", first, last, ("reach",), by_day=False)
        async for page in self._pages("/report/integrated/get/", access, params, _row_key):
            with self._wire.as_documented():
                found = [(_id(row, "campaign"), whole(row["metrics"].get("reach"))) for row in page]
            for id, reach in found:
                yield PeriodReach(campaign_id=id, first=first, last=last, reach=reach)

    async def _days(
        self, access: Access, level: str, first: date, last: date, metrics: Sequence[str]
    ) -> AsyncIterator[Sequence[Row]]:
        for start, end in spans(first, last, _LONGEST_DAILY):
            params = _report(access, level, start, end, metrics)
            async for page in self._pages("/report/integrated/get/", access, params, _row_key):
                with self._wire.as_documented():
                    # A row without anything in it is no activity.
                    active = [row for row in page if _is_active(row)]
                yield active

    async def _pages(
        self,
        path: str,
        access: Access,
        params: Mapping[str, str],
        key_of: KeyOf,
    ) -> AsyncIterator[Sequence[Row]]:
        """Read a list to its end, each row once, and see that it is whole."""
        seen = set[str]()
        page = pages = 1
        total = 0
        while page <= pages:
            numbered = {**params, "page": str(page), "page_size": str(_PAGE)}
            answer = await self._get(path, access.credentials, numbered)
            with self._wire.as_documented():
                info = answer.body["data"]["page_info"]
                pages, total = whole(info["total_page"]), whole(info["total_number"])
                new = list(_unseen(answer.body["data"]["list"], seen, key_of))
            yield new
            page += 1
        if len(seen) < total:
            raise PlatformBusy(f"TikTok sent {len(seen)} rows of {total}.")

    async def _get(self, path: str, credentials: Credentials, params: Mapping[str, str]) -> Answer:
        return await self._wire.ask(
            "GET",
            f"{_ROOT}{path}",
            secrets=secrets_of(self.platform, credentials),
            headers={"Access-Token": credentials["access_token"]},
            params=params,
        )


def _report(
    access: Access,
    level: str,
    first: date,
    last: date,
    metrics: Sequence[str],
    *,
    by_day: bool = True,
) -> Mapping[str, str]:
    params = {
        "advertiser_id": access.account_id,
        "service_type": "AUCTION",
        "report_type": "BASIC",
        "data_level": f"AUCTION_{level.upper()}",
        "dimensions": json.dumps([f"{level}_id", *(["stat_time_day"] if by_day else [])]),
        "metrics": json.dumps(metrics),
        "start_date": first.isoformat(),
        "end_date": last.isoformat(),
    }
    if level != "advertiser":
        # What was deleted has cost money all the same.
        all_of_them = {
            "field_name": f"{level}_status",
            "filter_type": "IN",
            "filter_value": json.dumps(["STATUS_ALL"]),
        }
        params["filtering"] = json.dumps([all_of_them])
    return params


def _unseen(rows: Iterable[Row], seen: set[str], key_of: KeyOf) -> Iterator[Row]:
    for row in rows:
        key = key_of(row)
        if key not in seen:
            seen.add(key)
            yield row


def _row_key(row: Row) -> str:
    return json.dumps(row["dimensions"], sort_keys=True)


def _campaign_key(row: Row) -> str:
    return text(row["campaign_id"])


def _ad_key(row: Row) -> str:
    return text(row["ad_id"])


def _id(row: Row, level: str) -> str:
    return text(row["dimensions"][f"{level}_id"])


def _day(row: Row) -> date:
    return date.fromisoformat(row["dimensions"]["stat_time_day"][:10])


def _is_active(row: Row) -> bool:
    return any(number(value) for value in row["metrics"].values())


def _numbers(row: Row) -> AdDay:
    metrics = row["metrics"]
    return AdDay(
        spend=number(metrics.get("spend")),
        impressions=whole(metrics.get("impressions")),
        clicks=whole(metrics.get("clicks")),
        conversions=number(metrics.get("conversion")),
        conversion_value=sum((number(metrics.get(value)) for value in _VALUES), number(0)),
        reach=whole(metrics.get("reach")),
    )


def _campaign(row: Row) -> Campaign:
    by_operation = _OPERATION.get(row.get("operation_status") or "", CampaignStatus.UNKNOWN)
    status = _SECONDARY.get(row.get("secondary_status") or "", by_operation)
    budget, mode = number(row.get("budget")), str(row.get("budget_mode") or "")
    objective = row.get("objective_type")
    return Campaign(
        campaign_id=text(row["campaign_id"]),
        name=text(row["campaign_name"]),
        status=status,
        objective=str(objective).lower() if objective else None,
        daily_budget=budget if budget and mode in _DAILY_BUDGETS else None,
        lifetime_budget=budget if budget and mode == "BUDGET_MODE_TOTAL" else None,
    )
