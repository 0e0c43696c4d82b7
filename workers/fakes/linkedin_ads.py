"""A LinkedIn that speaks the wire format of its Marketing API, with its token endpoints."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from types import MappingProxyType
from typing import Any, Final

from starlette.responses import Response

from workers.fakes.ad_accounts import AdAccount, FakeCampaign, Numbers
from workers.fakes.vendor import Answerer, Call, FakeVendor, json_response

Row = dict[str, Any]

TOKEN: Final = "AQXPlantedLinkedInAccessTokenOfTheClient01"
REFRESH_TOKEN: Final = "AQYPlantedLinkedInRefreshTokenOfTheClient02"
CLIENT_ID: Final = "86planted"
CLIENT_SECRET: Final = "WPL_AP1.PlantedLinkedInSecret"
VERSION: Final = "202607"
_RANGE: Final = re.compile(
    r"dateRange=\(start:\(year:(\d+),month:(\d+),day:(\d+)\),"
    r"end:\(year:(\d+),month:(\d+),day:(\d+)\)\)"
)
_OBJECTIVES: Final = MappingProxyType(
    {
        "sales": "WEBSITE_CONVERSION",
        "leads": "LEAD_GENERATION",
        "traffic": "WEBSITE_VISIT",
        "awareness": "BRAND_AWARENESS",
    }
)
_STATUSES: Final = MappingProxyType({"active": "ACTIVE", "paused": "PAUSED", "ended": "COMPLETED"})
_LIFETIME: Final = 5_183_944


@dataclass
class FakeLinkedIn(FakeVendor):
    """One ad account. A refresh token gives a new access token and ends the old one."""

    account: AdAccount = field(
        default_factory=lambda: AdAccount(
            seed=14, account_id="512345678", today=date(2026, 3, 10), currency="EUR",
            time_zone="UTC", audience="business",
        )
    )  # fmt: skip
    token: str = TOKEN
    refresh_token: str = REFRESH_TOKEN
    most_rows: int = 15_000
    renewals: int = 0
    shut_out: bool = False
    """Whether the member may no longer look at the account."""

    def routes(self) -> Mapping[str, Answerer]:
        return {
            "/oauth/v2/accessToken": self._renew,
            "/oauth/v2/introspectToken": self._introspect,
            "/rest/adAccounts/{id}": self._account,
            "/rest/adAccounts/{id}/adCampaigns": self._campaigns,
            "/rest/adAccounts/{id}/creatives": self._creatives,
            "/rest/adAnalytics": self._report,
        }

    def refuse_token(self, call: Call) -> Response | None:
        if call.path.startswith("/oauth/"):
            return self._refuse_app(call)
        given = call.headers.get("authorization", "").removeprefix("Bearer ")
        if given != self.token or self.faults.revoked:
            return _refusal(401, "REVOKED_ACCESS_TOKEN", f"The token {given} has been revoked")
        if call.headers.get("linkedin-version") != VERSION:
            return _refusal(426, "NONEXISTENT_VERSION", "Requested version is not active")
        return None

    def out_of_quota(self, call: Call) -> Response:
        said = "Resource level throttle DAY limit for calls to this resource is reached."
        return _refusal(429, "TOO_MANY_REQUESTS", said)

    def broken(self, call: Call) -> Response:
        return _refusal(500, "INTERNAL_SERVER_ERROR", "Internal Server Error")

    def _refuse_app(self, call: Call) -> Response | None:
        if call.form.get("client_secret") == CLIENT_SECRET:
            return None
        told = {"error": "invalid_client", "error_description": "Client authentication failed"}
        return json_response(told, 401)

    def _renew(self, call: Call) -> Response:
        given = call.form.get("refresh_token")
        if given != self.refresh_token or self.faults.revoked:
            said = f"The provided refresh token {given} is invalid"
            return json_response({"error": "invalid_request", "error_description": said}, 400)
        self.renewals += 1
        self.token = f"{TOKEN}r{self.renewals}"
        return json_response(
            {
                "access_token": self.token,
                "expires_in": _LIFETIME,
                "refresh_token": self.refresh_token,
                "refresh_token_expires_in": 31_536_000,
                "scope": "r_ads,r_ads_reporting",
            }
        )

    def _introspect(self, call: Call) -> Response:
        if call.form.get("token") != self.token:
            return json_response({"active": False})
        ends = datetime.combine(self.account.today + timedelta(days=45), time(), UTC)
        return json_response(
            {
                "active": True,
                "status": "active",
                "scope": "r_ads,r_ads_reporting",
                "expires_at": int(ends.timestamp()),
            }
        )

    def _account(self, call: Call) -> Response:
        if self.shut_out or not self._is_ours(call):
            return _refusal(403, "ACCESS_DENIED", "Not enough permissions to access: GET")
        account = self.account
        return json_response(
            {
                "id": int(account.account_id),
                "name": account.name,
                "currency": account.currency,
                "status": "ACTIVE",
                "type": "BUSINESS",
            }
        )

    def _campaigns(self, call: Call) -> Response:
        rows = [self._campaign(one) for one in self.account.campaigns]
        return self._page(rows, call)

    def _creatives(self, call: Call) -> Response:
        rows: list[Row] = [
            {
                "id": f"urn:li:sponsoredCreative:{ad.id}",
                "campaign": f"urn:li:sponsoredCampaign:{campaign.id}",
                "intendedStatus": "ACTIVE",
                # The last of each campaign is a post of the company's page.
                "content": {"reference": f"urn:li:share:{ad.id}"}
                if ad is campaign.ads[-1]
                else {"textAd": {"headline": ad.title, "description": ad.body}},
            }
            for campaign in self.account.campaigns
            for ad in campaign.ads
        ]
        return self._page(rows, call)

    def _campaign(self, campaign: FakeCampaign) -> Row:
        row: Row = {
            "id": int(campaign.id),
            "account": f"urn:li:sponsoredAccount:{self.account.account_id}",
            "name": campaign.name,
            "status": _STATUSES[campaign.status],
            "objectiveType": _OBJECTIVES[campaign.objective],
        }
        for name, amount in (
            ("dailyBudget", campaign.daily_budget),
            ("totalBudget", campaign.lifetime_budget),
        ):
            if amount:
                row[name] = {"amount": str(amount), "currencyCode": self.account.currency}
        return row

    def _report(self, call: Call) -> Response:
        within = _RANGE.search(call.raw_query)
        account = f"accounts=List(urn%3Ali%3AsponsoredAccount%3A{self.account.account_id})"
        if within is None or call.headers.get("x-restli-protocol-version") != "2.0.0":
            return _refusal(400, "ILLEGAL_ARGUMENT", "Invalid query parameters")
        if self.shut_out or account not in call.raw_query:
            # As the real one: nothing, where one may not look.
            return json_response({"elements": [], "paging": {"start": 0, "count": 10}})
        numbers = [int(part) for part in within.groups()]
        first, last = date(*numbers[:3]), date(*numbers[3:])
        days = [first + timedelta(days=past) for past in range((last - first).days + 1)]
        spans = [[day] for day in days] if "=DAILY" in call.raw_query else [days]
        pivot, wanted = call.query["pivot"], set(call.query["fields"].split(","))
        rows = [row for span in spans for row in self._span(pivot, span)]
        if self.faults.doubled_pages:
            rows += rows[-1:]
        shown = [{key: one for key, one in row.items() if key in wanted} for row in rows]
        return json_response({"elements": shown[: self.most_rows], "paging": {"start": 0}})

    def _span(self, pivot: str, days: Sequence[date]) -> list[Row]:
        account, rows = self.account, list[Row]()
        if pivot == "ACCOUNT":
            numbers = sum((account.account_day(day) for day in days), Numbers())
            urn = f"urn:li:sponsoredAccount:{account.account_id}"
            rows.append(self._row(urn, numbers, days, account.campaigns))
        for campaign in account.campaigns:
            if pivot == "CAMPAIGN":
                numbers = sum((account.campaign_day(campaign, day) for day in days), Numbers())
                urn = f"urn:li:sponsoredCampaign:{campaign.id}"
                rows.append(self._row(urn, numbers, days, [campaign]))
            for ad in campaign.ads if pivot == "CREATIVE" else ():
                numbers = sum((account.ad_day(campaign, ad, day) for day in days), Numbers())
                rows.append(self._row(f"urn:li:sponsoredCreative:{ad.id}", numbers, days, ()))
        return [row for row in rows if row["impressions"]]

    def _row(
        self, urn: str, numbers: Numbers, days: Sequence[date], reached: Sequence[FakeCampaign]
    ) -> Row:
        forms = numbers.conversions // 2 if not numbers.value else 0
        return {
            "pivotValues": [urn],
            "dateRange": {"start": _written(days[0]), "end": _written(days[-1])},
            "costInLocalCurrency": str(numbers.spend),
            "impressions": numbers.impressions,
            "clicks": numbers.clicks,
            "externalWebsiteConversions": numbers.conversions - forms,
            "oneClickLeads": forms,
            "conversionValueInLocalCurrency": str(numbers.value),
            "approximateMemberReach": self.account.reach(reached, days[0], days[-1]),
        }

    def _page(self, rows: Sequence[Row], call: Call) -> Response:
        if not self._is_ours(call):
            return _refusal(403, "ACCESS_DENIED", "Not enough permissions to access")
        size = min(int(call.query["pageSize"]), self.page_limit)
        start = int(call.query.get("pageToken", "p0")[1:])
        shown = list(rows[start : start + size])
        if self.faults.doubled_pages and start:
            shown.insert(0, rows[start - 1])
        following = {"nextPageToken": f"p{start + size}"} if start + size < len(rows) else {}
        return json_response({"elements": shown, "metadata": following})

    def _is_ours(self, call: Call) -> bool:
        return call.path.split("/")[3] == self.account.account_id


def _written(day: date) -> Row:
    return {"year": day.year, "month": day.month, "day": day.day}


def _refusal(status: int, code: str, message: str) -> Response:
    return json_response({"status": status, "code": code, "message": message}, status)
