"""Google's APIs as an account's owner lets us in: a service account's key, or a refresh token.

Access tokens live an hour and are kept in memory until then, under a hash of what they were got
with.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from typing import Any, Final

import httpx
import jwt

from activities.connectors.clock import Clock, utc_now
from activities.connectors.errors import CredentialsRejected, PlatformError, RequestRefused
from activities.connectors.google_api_errors import error_of
from activities.connectors.oauth import Granted, OAuthApp, TokenEndpoint
from activities.connectors.ports import Credentials
from activities.connectors.wire import Answer, Wire

TOKEN_URL: Final = "https://oauth2.googleapis.com/token"
_LIFETIME: Final = timedelta(hours=1)
_MARGIN: Final = timedelta(minutes=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class GoogleKeys:
    """The way to access tokens; `app` is None where the deployment has no application."""

    http: httpx.AsyncClient = field(repr=False)
    app: OAuthApp | None = None
    token_url: str = TOKEN_URL
    now: Clock = utc_now


class GoogleApi:
    """One of Google's APIs, under one scope."""

    def __init__(self, vendor: str, base_url: str, scope: str, keys: GoogleKeys) -> None:
        self._vendor = vendor
        self._scope = scope
        self._keys = keys
        self._tokens: dict[str, Granted] = {}
        self._endpoint = TokenEndpoint(keys.http, keys.token_url, vendor=vendor)
        self.wire = Wire(vendor=vendor, http=keys.http, base_url=base_url, error_of=self._error_of)

    async def ask(
        self, credentials: Credentials, method: str, path: str, body: Any = None
    ) -> Answer:
        """Ask with an access token; one kept that is refused is replaced by a new one, once."""
        key = _fingerprint(credentials)
        kept = self._tokens.get(key)
        if kept is not None and kept.expires_at - _MARGIN > self._keys.now():
            try:
                return await self._send(credentials, kept, method, path, body)
            except CredentialsRejected:
                # It may be the token alone that was revoked, or rights that came since.
                del self._tokens[key]
        fresh = await self._grant(credentials)
        answer = await self._send(credentials, fresh, method, path, body)
        self._keep(key, fresh)
        return answer

    async def _send(
        self, credentials: Credentials, token: Granted, method: str, path: str, body: Any
    ) -> Answer:
        return await self.wire.ask(
            method,
            path,
            secrets=(token.access_token, *_secrets(credentials)),
            headers={"Authorization": f"Bearer {token.access_token}"},
            body=body,
        )

    async def _grant(self, credentials: Credentials) -> Granted:
        given = credentials.get("service_account_json")
        if given:
            return await self._endpoint.exchange(self._assertion(given))
        if self._keys.app is None:
            raise RequestRefused(f"{self._vendor}: this deployment has no OAuth application.")
        return await self._endpoint.refresh(self._keys.app, credentials["refresh_token"])

    def _assertion(self, service_account: str) -> str:
        """Sign who we are; the token is asked of Google, wherever the document points to."""
        now = self._keys.now()
        try:
            document = json.loads(service_account)
            claims = {
                "iss": document["client_email"],
                "scope": self._scope,
                "aud": TOKEN_URL,
                "iat": int(now.timestamp()),
                "exp": int((now + _LIFETIME).timestamp()),
            }
            headers = {"kid": str(document.get("private_key_id") or "")}
            return jwt.encode(claims, document["private_key"], algorithm="RS256", headers=headers)
        except (AttributeError, KeyError, TypeError, ValueError, jwt.PyJWTError):
            said = f"{self._vendor}: that is not the key of a service account."
            raise CredentialsRejected(said) from None

    def _keep(self, key: str, token: Granted) -> None:
        now = self._keys.now()
        self._tokens = {one: had for one, had in self._tokens.items() if had.expires_at > now}
        self._tokens[key] = token

    def _error_of(self, answer: Answer, secrets: Iterable[str]) -> PlatformError | None:
        return error_of(self._vendor, answer, secrets, now=self._keys.now())


def _fingerprint(credentials: Credentials) -> str:
    given = "\0".join(_secrets(credentials))
    return sha256(given.encode()).hexdigest()


def _secrets(credentials: Mapping[str, str]) -> tuple[str, ...]:
    keys = ("service_account_json", "refresh_token")
    return tuple(credentials[key] for key in keys if credentials.get(key))
