"""A Google that gives out access tokens and speaks the Analytics Data API and Search Console's."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from typing import Any, Final
from urllib.parse import unquote

import jwt
import orjson
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from starlette.responses import Response

from workers.fakes.vendor import Answerer, Call, FakeVendor, json_response
from workers.fakes.web_accounts import Visits, WebAccount

Row = dict[str, Any]

REFRESH_TOKEN: Final = "1//0gPlantedRefreshTokenOfTheNorthwindClient"
CLIENT_ID: Final = "1234-throughline.apps.googleusercontent.com"
CLIENT_SECRET: Final = "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ment"
EMAIL: Final = "reader@northwind.iam.gserviceaccount.com"
_JWT_GRANT: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_TOKEN_URL: Final = "https://oauth2.googleapis.com/token"
_ANALYTICS: Final = "https://www.googleapis.com/auth/analytics.readonly"
_WEBMASTERS: Final = "https://www.googleapis.com/auth/webmasters.readonly"
_MEMBERS: Final[Mapping[str, Callable[[Visits], Any]]] = {
    "sessions": lambda visits: visits.sessions,
    "engagedSessions": lambda visits: visits.engaged_sessions,
    "activeUsers": lambda visits: visits.active_users,
    "keyEvents": lambda visits: visits.key_events,
    "purchaseRevenue": lambda visits: visits.revenue,
}


@cache
def service_account() -> str:
    """The document of the service account that may read everything here."""
    pem = _key().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    document = {
        "type": "service_account",
        "client_email": EMAIL,
        "private_key_id": "k1",
        "private_key": pem.decode(),
        # A planted address: nobody may ask there for tokens.
        "token_uri": "http://169.254.169.254/token",
    }
    return orjson.dumps(document).decode()


@dataclass
class FakeGoogle(FakeVendor):
    """One property of Analytics and one of Search Console, for whoever has a token.

    `dead_tokens` are access tokens that do not work any more although they are not old.
    """

    account: WebAccount = field(
        default_factory=lambda: WebAccount(seed=31, today=date(2026, 3, 31))
    )
    permission: str = "siteFullUser"
    tokens_left: int = 12_000
    quota_period: str = "per hour"
    dead_tokens: set[str] = field(default_factory=set)
    may_read: bool = True
    granted: int = 0
    _scopes: dict[str, str] = field(default_factory=dict)

    def routes(self) -> Mapping[str, Answerer]:
        return {
            "/token": self._token,
            "/v1beta/properties/{property}": self._run_report,
            "/webmasters/v3/sites/{rest:path}": self._webmasters,
        }

    def refuse_token(self, call: Call) -> Response | None:
        if call.path == "/token":
            return None
        token = call.headers.get("authorization", "").removeprefix("Bearer ")
        scope = _ANALYTICS if call.path.startswith("/v1beta") else _WEBMASTERS
        if self.faults.revoked or token in self.dead_tokens or token not in self._scopes:
            said = f"Request had invalid authentication credentials: {token}."
            return _error(401, "UNAUTHENTICATED", said)
        if scope not in self._scopes[token].split():
            said = "Request had insufficient authentication scopes."
            return _error(403, "PERMISSION_DENIED", said, "ACCESS_TOKEN_SCOPE_INSUFFICIENT")
        return None

    def out_of_quota(self, call: Call) -> Response:
        if call.path.startswith("/webmasters"):
            return _error(429, "RESOURCE_EXHAUSTED", "Quota exceeded.", "quotaExceeded")
        said = (
            f"Exhausted property tokens {self.quota_period}. These quota tokens will return in "
            "some time."
        )
        return _error(429, "RESOURCE_EXHAUSTED", said)

    def broken(self, call: Call) -> Response:
        return _error(500, "INTERNAL", "Internal error encountered.")

    def _token(self, call: Call) -> Response:
        form = call.form
        if self.faults.revoked:
            said = "Token has been expired or revoked."
            return json_response({"error": "invalid_grant", "error_description": said}, 400)
        if form.get("grant_type") == _JWT_GRANT:
            return self._signed(form.get("assertion", ""))
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            said = "The OAuth client was not found."
            return json_response({"error": "invalid_client", "error_description": said}, 401)
        if form.get("refresh_token") != REFRESH_TOKEN:
            return json_response(
                {"error": "invalid_grant", "error_description": "Bad Request"}, 400
            )
        return self._grant(f"{_ANALYTICS} {_WEBMASTERS}")

    def _signed(self, assertion: str) -> Response:
        try:
            claims = jwt.decode(
                assertion, _key().public_key(), algorithms=["RS256"], audience=_TOKEN_URL,
                issuer=EMAIL, options={"verify_exp": False, "verify_iat": False},
            )  # fmt: skip
        except jwt.PyJWTError:
            said = f"Invalid JWT Signature: {assertion}"
            return json_response({"error": "invalid_grant", "error_description": said}, 400)
        return self._grant(str(claims["scope"]))

    def _grant(self, scope: str) -> Response:
        self.granted += 1
        token = f"ya29.a0Planted{self.granted}AccessTokenOfTheNorthwindClient"
        self._scopes[token] = scope
        body = {"access_token": token, "expires_in": 3599, "scope": scope, "token_type": "Bearer"}
        return json_response(body)

    def _run_report(self, call: Call) -> Response:
        if call.path != f"/v1beta/properties/{self.account.property_id}:runReport":
            return self._no_rights()
        if not self.may_read:
            return self._no_rights()
        body = call.body
        (span,) = body["dateRanges"]
        names = [one["name"] for one in body["metrics"]]
        rows = self._visits(self._day(span["startDate"]), self._day(span["endDate"]), names)
        offset, limit = int(body["offset"]), min(int(body["limit"]), self.page_limit)
        page = rows[offset : offset + limit]
        if self.faults.doubled_pages and offset:
            page.insert(0, rows[offset - 1])
        if self.faults.missing_rows:
            page = page[:-1]
        self.tokens_left -= 10
        told: Row = {
            "dimensionHeaders": [{"name": "date"}],
            "metricHeaders": [{"name": name, "type": "TYPE_INTEGER"} for name in names],
            "metadata": {
                "currencyCode": self.account.currency,
                "timeZone": self.account.time_zone,
            },
            "kind": "analyticsData#runReport",
            "propertyQuota": {
                "tokensPerDay": {"consumed": 10, "remaining": 190_000},
                "tokensPerHour": {"consumed": 10, "remaining": 39_000},
                "tokensPerProjectPerHour": {"consumed": 10, "remaining": self.tokens_left},
            },
        }
        if rows:
            told |= {"rows": page, "rowCount": len(rows)}
        return json_response(told)

    def _visits(self, first: date, last: date, names: list[str]) -> list[Row]:
        rows = []
        for past in range((last - first).days + 1):
            day = first + timedelta(days=past)
            visits = self.account.visits(day)
            if visits is not None:
                cells = [{"value": str(_MEMBERS[name](visits))} for name in names]
                date_cell = [{"value": day.strftime("%Y%m%d")}]
                rows.append({"dimensionValues": date_cell, "metricValues": cells})
        return rows

    def _webmasters(self, call: Call) -> Response:
        place = unquote(call.path.removeprefix("/webmasters/v3/sites/"))
        site = place.removesuffix("/searchAnalytics/query")
        if site != self.account.site_url or not self.may_read:
            said = f"User does not have sufficient permission for site '{site}'."
            return _error(403, "PERMISSION_DENIED", said, "forbidden")
        if site == place:
            return json_response({"siteUrl": site, "permissionLevel": self.permission})
        return self._query(call.body)

    def _query(self, body: Row) -> Response:
        first, last = (date.fromisoformat(body[name]) for name in ("startDate", "endDate"))
        rows: list[Row] = []
        for past in range((last - first).days + 1):
            day = first + timedelta(days=past)
            if (seen := self.account.searches(day)) is not None:
                rows.append(
                    {
                        "keys": [day.isoformat()],
                        "clicks": seen.clicks,
                        "impressions": seen.impressions,
                        "ctr": seen.clicks / seen.impressions,
                        "position": float(seen.position),
                    }
                )
        start = int(body["startRow"])
        page = rows[start : start + int(body["rowLimit"])]
        if self.faults.doubled_pages and start:
            page.insert(0, rows[start - 1])
        told: Row = {"responseAggregationType": "byProperty"}
        return json_response({"rows": page, **told} if page else told)

    def _day(self, written: str) -> date:
        return self.account.today if written == "today" else date.fromisoformat(written)

    def _no_rights(self) -> Response:
        said = "User does not have sufficient permissions for this property."
        return _error(403, "PERMISSION_DENIED", said)


@cache
def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _error(code: int, status: str, said: str, reason: str | None = None) -> Response:
    error: Row = {"code": code, "message": said, "status": status}
    if reason is not None:
        error["errors"] = [{"message": said, "domain": "global", "reason": reason}]
        error["details"] = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason}]
    return json_response({"error": error}, code)
