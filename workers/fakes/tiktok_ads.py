"""A TikTok that speaks the wire format of its Business API: status 200, and a code in the body."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from types import MappingProxyType
from typing import Any, Final

import orjson
from starlette.responses import Response

from workers.fakes.ad_accounts import AdAccount, FakeAd, FakeCampaign, Numbers
from workers.fakes.vendor import Answerer, Call, FakeVendor, json_response

Row = dict[str, Any]

TOKEN: Final = "0b1f9PlantedTikTokTokenOfTheClient4c7d"
_ROOT: Final = "/open_api/v1.3"
_OBJECTIVES: Final = MappingProxyType(
    {
        "sales": "WEB_CONVERSIONS",
        "leads": "LEAD_GENERATION",
        "traffic": "TRAFFIC",
        "awareness": "REACH",
    }
)
_STATUSES: Final = MappingProxyType(
    {
        "active": ("ENABLE", "CAMPAIGN_STATUS_ENABLE"),
        "paused": ("DISABLE", "CAMPAIGN_STATUS_DISABLE"),
        "ended": ("ENABLE", "CAMPAIGN_STATUS_TIME_DONE"),
    }
)
_LONGEST: Final = 30


@dataclass
class FakeTikTok(FakeVendor):
    """One advertiser behind one token."""

    account: AdAccount = field(
        default_factory=lambda: AdAccount(
            seed=13, account_id="7012345678901234567", today=date(2026, 3, 10), currency="GBP",
            time_zone="Europe/London",
        )
    )  # fmt: skip
    token: str = TOKEN

    def routes(self) -> Mapping[str, Answerer]:
        return {
            f"{_ROOT}/advertiser/info/": self._advertiser,
            f"{_ROOT}/campaign/get/": self._campaigns,
            f"{_ROOT}/ad/get/": self._ads,
            f"{_ROOT}/report/integrated/get/": self._report,
        }

    def refuse_token(self, call: Call) -> Response | None:
        given = call.headers.get("access-token")
        if given != self.token or self.faults.revoked:
            return _told(40105, f"Access token {given} is incorrect or has been revoked.")
        asked = call.query.get("advertiser_id")
        if asked not in (None, self.account.account_id):
            return _told(40001, f"No permission to operate advertiser {asked}.")
        return None

    def out_of_quota(self, call: Call) -> Response:
        return _told(40100, "Too many requests. Please retry in some time.")

    def broken(self, call: Call) -> Response:
        return _told(50000, "System error. Please try again later.")

    def _advertiser(self, call: Call) -> Response:
        account = self.account
        advertiser = {
            "advertiser_id": account.account_id,
            "name": account.name,
            "currency": account.currency,
            "timezone": "Etc/GMT",
            "display_timezone": account.time_zone,
            "status": "STATUS_ENABLE",
        }
        asked = orjson.loads(call.query["advertiser_ids"])
        ours = account.account_id in asked
        return _told(0, "OK", {"list": [advertiser] if ours else []})

    def _campaigns(self, call: Call) -> Response:
        return self._page([_campaign(one) for one in self.account.campaigns], call)

    def _ads(self, call: Call) -> Response:
        rows = [
            {"ad_id": ad.id, "campaign_id": campaign.id, "ad_name": ad.name, "ad_text": ad.body}
            for campaign in self.account.campaigns
            for ad in campaign.ads
        ]
        return self._page(rows, call)

    def _report(self, call: Call) -> Response:
        first = date.fromisoformat(call.query["start_date"])
        last = date.fromisoformat(call.query["end_date"])
        dimensions = orjson.loads(call.query["dimensions"])
        level = dimensions[0].removesuffix("_id")
        if call.query["data_level"] != f"AUCTION_{level.upper()}":
            return _told(40002, "data_level does not fit the dimensions.")
        days = [first + timedelta(days=past) for past in range((last - first).days + 1)]
        if "stat_time_day" not in dimensions:
            return self._page(self._span(level, days, {}), call)
        if len(days) > _LONGEST:
            return _told(40002, "The max time span is 30 days when using stat_time_day.")
        rows: list[Row] = []
        for day in days:
            rows += self._span(level, [day], {"stat_time_day": f"{day} 00:00:00"})
        return self._page(rows, call)

    def _span(self, level: str, days: Sequence[date], dimensions: Row) -> list[Row]:
        account = self.account

        def row(id: str, of_day: Callable[[date], Numbers], reached: Sequence[FakeCampaign]) -> Row:
            numbers = sum((of_day(day) for day in days), Numbers())
            reach = account.reach(reached, days[0], days[-1]) if reached else 0
            return {"dimensions": {f"{level}_id": id, **dimensions},
                    "metrics": _metrics(numbers, reach)}  # fmt: skip

        def of_ad(campaign: FakeCampaign, ad: FakeAd) -> Callable[[date], Numbers]:
            return lambda day: account.ad_day(campaign, ad, day)

        def of_campaign(campaign: FakeCampaign) -> Callable[[date], Numbers]:
            return lambda day: account.campaign_day(campaign, day)

        if level == "advertiser":
            return [row(account.account_id, account.account_day, account.campaigns)]
        if level == "campaign":
            return [row(one.id, of_campaign(one), [one]) for one in account.campaigns]
        return [
            row(ad.id, of_ad(campaign, ad), []) for campaign in account.campaigns
            for ad in campaign.ads
        ]  # fmt: skip

    def _page(self, rows: Sequence[Row], call: Call) -> Response:
        size = min(int(call.query["page_size"]), self.page_limit)
        page = int(call.query["page"])
        start = (page - 1) * size
        shown = list(rows[start : start + size])
        if self.faults.doubled_pages and start:
            shown.insert(0, rows[start - 1])
        if self.faults.missing_rows:
            shown = shown[:-1]
        info = {
            "page": page,
            "page_size": size,
            "total_number": len(rows),
            "total_page": -(-len(rows) // size),
        }
        return _told(0, "OK", {"list": shown, "page_info": info})


def _told(code: int, message: str, told: Any = None) -> Response:
    return json_response(
        {"code": code, "message": message, "request_id": "20260310", "data": told or {}}
    )


def _campaign(campaign: FakeCampaign) -> Row:
    operation, secondary = _STATUSES[campaign.status]
    in_all = campaign.lifetime_budget is not None
    return {
        "campaign_id": campaign.id,
        "campaign_name": campaign.name,
        "operation_status": operation,
        "secondary_status": secondary,
        "objective_type": _OBJECTIVES[campaign.objective],
        "budget_mode": "BUDGET_MODE_TOTAL" if in_all else "BUDGET_MODE_DAY",
        "budget": float(campaign.lifetime_budget or campaign.daily_budget or 0),
    }


def _metrics(numbers: Numbers, reach: int) -> Row:
    return {
        "spend": str(numbers.spend),
        "impressions": str(numbers.impressions),
        "clicks": str(numbers.clicks),
        "reach": str(reach),
        "conversion": str(numbers.conversions),
        "total_complete_payment_rate": str(numbers.value),
        "total_purchase_value": "0.00",
        "total_onsite_shopping_value": "-",
    }
