"""A Google Ads that speaks the wire format of its REST interface, with Google's token endpoint."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final

from starlette.responses import Response

from workers.fakes import google
from workers.fakes.ad_accounts import AdAccount, FakeAd, FakeCampaign, Numbers
from workers.fakes.vendor import Answerer, Call, FakeVendor, json_response

Row = dict[str, Any]

REFRESH_TOKEN: Final = "1//0gPlantedRefreshTokenOfTheClient-aB3"
DEVELOPER_TOKEN: Final = "PlantedDevToken_9xKq"
# A deployment has one application at Google, whatever it is used for.
CLIENT_ID: Final = google.CLIENT_ID
CLIENT_SECRET: Final = google.CLIENT_SECRET
_WITHIN: Final = re.compile(r"segments\.date BETWEEN '(\S+)' AND '(\S+)'")
_FROM: Final = re.compile(r"\bFROM (\w+)")
_BATCH: Final = 50
_FAILURE: Final = "type.googleapis.com/google.ads.googleads.v25.errors.GoogleAdsFailure"


@dataclass
class FakeGoogleAds(FakeVendor):
    """One customer, behind a manager account where `manager_id` is set."""

    account: AdAccount = field(
        default_factory=lambda: AdAccount(
            seed=12, account_id="1234567890", today=date(2026, 3, 10), currency="USD",
            time_zone="America/New_York",
        )
    )  # fmt: skip
    manager_id: str | None = None
    is_manager: bool = False
    token_lifetime: int = 3599
    breaks_off: bool = False
    """Whether a stream ends in an error after its first batch."""
    issued: list[str] = field(default_factory=list)
    """Access tokens that were given out; taking one away ends it."""
    given_out: int = 0

    def routes(self) -> Mapping[str, Answerer]:
        return {
            "/token": self._token,
            "/v25/customers/{id}/googleAds:searchStream": self._search,
        }

    def refuse_token(self, call: Call) -> Response | None:
        if call.path == "/token":
            return self._refuse_refresh(call)
        given = call.headers.get("authorization", "").removeprefix("Bearer ")
        if given not in self.issued:
            return self._error(
                401, "UNAUTHENTICATED", f"Request had invalid credentials: Bearer {given}"
            )
        if call.headers.get("developer-token") != DEVELOPER_TOKEN:
            codes = {"authenticationError": "DEVELOPER_TOKEN_INVALID"}
            said = f"The developer token {call.headers.get('developer-token')} is not valid."
            return self._error(401, "UNAUTHENTICATED", said, codes)
        asked = call.path.split("/")[3]
        through = call.headers.get("login-customer-id")
        if asked != self.account.account_id or through != self.manager_id:
            codes = {"authorizationError": "USER_PERMISSION_DENIED"}
            said = "User doesn't have permission to access customer."
            return self._error(403, "PERMISSION_DENIED", said, codes)
        return None

    def out_of_quota(self, call: Call) -> Response:
        codes = {"quotaError": "RESOURCE_EXHAUSTED"}
        said = "Too many requests. Retry in 900 seconds."
        quota = {"rateScope": "DEVELOPER", "rateName": "Get requests", "retryDelay": "900s"}
        return self._error(429, "RESOURCE_EXHAUSTED", said, codes, {"quotaErrorDetails": quota})

    def broken(self, call: Call) -> Response:
        return self._error(500, "INTERNAL", "Internal error encountered.")

    def _refuse_refresh(self, call: Call) -> Response | None:
        if call.form.get("client_secret") != CLIENT_SECRET:
            told = {"error": "invalid_client", "error_description": "Unauthorized"}
            return json_response(told, 401)
        if call.form.get("refresh_token") != REFRESH_TOKEN or self.faults.revoked:
            said = f"Token {call.form.get('refresh_token')} has been expired or revoked."
            return json_response({"error": "invalid_grant", "error_description": said}, 400)
        return None

    def _token(self, call: Call) -> Response:
        self.given_out += 1
        token = f"ya29.a0PlantedAccessToken{self.given_out}"
        self.issued.append(token)
        return json_response(
            {
                "access_token": token,
                "expires_in": self.token_lifetime,
                "scope": "https://www.googleapis.com/auth/adwords",
                "token_type": "Bearer",
            }
        )

    def _search(self, call: Call) -> Response:
        query = call.body["query"]
        resource = _FROM.search(query)
        rows = list(self._rows(resource[1] if resource else "", query))
        if "SELECT" not in query or not resource:
            codes = {"queryError": "UNEXPECTED_INPUT"}
            return self._error(400, "INVALID_ARGUMENT", "Error in query.", codes)
        batches: list[Row] = [
            {"results": rows[start : start + _BATCH], "requestId": f"r{start}"}
            for start in range(0, len(rows), _BATCH)
        ]
        if self.faults.doubled_pages and len(batches) > 1:
            batches[1]["results"].insert(0, batches[0]["results"][-1])
        if self.breaks_off:
            error = {"code": 13, "message": "Internal error encountered.", "status": "INTERNAL"}
            batches = [*batches[:1], {"error": error}]
        return json_response(batches)

    def _rows(self, resource: str, query: str) -> Iterator[Row]:
        within = _WITHIN.search(query)
        if within:
            first, last = date.fromisoformat(within[1]), date.fromisoformat(within[2])
            for past in range((last - first).days + 1):
                yield from self._day(resource, first + timedelta(days=past))
        elif resource == "customer":
            yield self._customer()
        elif resource == "campaign":
            yield from (self._campaign(one) for one in self.account.campaigns)
        elif resource == "ad_group_ad":
            yield from self._each_ad(self._ad)

    def _day(self, resource: str, day: date) -> Iterator[Row]:
        account = self.account
        if resource == "customer":
            yield from _measured({}, account.account_day(day), day)
        for campaign in account.campaigns:
            if resource == "campaign":
                ids: Row = {"campaign": {"id": campaign.id}}
                yield from _measured(ids, account.campaign_day(campaign, day), day)
            for ad in campaign.ads if resource == "ad_group_ad" else ():
                yield from _measured(_ids(campaign, ad), account.ad_day(campaign, ad, day), day)

    def _customer(self) -> Row:
        account = self.account
        return {
            "customer": {
                "resourceName": f"customers/{account.account_id}",
                "id": account.account_id,
                "descriptiveName": account.name,
                "currencyCode": account.currency,
                "timeZone": account.time_zone,
                "manager": self.is_manager,
            }
        }

    def _campaign(self, campaign: FakeCampaign) -> Row:
        budget: Row = {}
        if campaign.daily_budget:
            budget["amountMicros"] = str(int(campaign.daily_budget * 10**6))
        if campaign.lifetime_budget:
            budget["totalAmountMicros"] = str(int(campaign.lifetime_budget * 10**6))
        return {
            "campaign": {
                "id": campaign.id,
                "name": campaign.name,
                "status": "PAUSED" if campaign.status == "paused" else "ENABLED",
                "servingStatus": "ENDED" if campaign.status == "ended" else "SERVING",
                "advertisingChannelType": "DISPLAY" if _is_display(campaign) else "SEARCH",
            },
            "campaignBudget": budget,
        }

    def _each_ad(self, of: Callable[[FakeCampaign, FakeAd], Row]) -> Iterator[Row]:
        for campaign in self.account.campaigns:
            yield from (of(campaign, ad) for ad in campaign.ads)

    def _ad(self, campaign: FakeCampaign, ad: FakeAd) -> Row:
        row = _ids(campaign, ad)
        kind = "responsiveDisplayAd" if _is_display(campaign) else "responsiveSearchAd"
        row["adGroupAd"]["ad"][kind] = {
            "headlines": [{"text": ad.title}, {"text": "Northwind"}],
            "descriptions": [{"text": ad.body}],
        }
        row["campaign"] = {"id": campaign.id}
        return row

    def _error(
        self,
        status: int,
        word: str,
        message: str,
        codes: Mapping[str, str] | None = None,
        details: Row | None = None,
    ) -> Response:
        failure: Row = {"errorCode": dict(codes or {}), "message": message}
        if details:
            failure["details"] = details
        error: Row = {"code": status, "message": message, "status": word}
        if codes:
            error["message"] = "Request contains an invalid argument."
            error["details"] = [{"@type": _FAILURE, "errors": [failure], "requestId": "r0"}]
        return json_response([{"error": error}], status)


def _is_display(campaign: FakeCampaign) -> bool:
    return campaign.objective == "awareness"


def _ids(campaign: FakeCampaign, ad: FakeAd) -> Row:
    group = str(int(campaign.id) + 50)
    return {"adGroup": {"id": group}, "adGroupAd": {"ad": {"id": ad.id}}}


def _measured(ids: Row, numbers: Numbers, day: date) -> Iterator[Row]:
    if numbers:
        yield {
            **ids,
            "segments": {"date": day.isoformat()},
            "metrics": {
                "costMicros": str(int(numbers.spend * 10**6)),
                "impressions": str(numbers.impressions),
                "clicks": str(numbers.clicks),
                "conversions": float(numbers.conversions),
                "conversionsValue": float(numbers.value),
            },
        }
