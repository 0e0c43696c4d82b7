"""OAuth's refresh tokens, which Google and LinkedIn speak alike."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

import httpx

from activities.connectors.errors import (
    CredentialsRejected,
    PlatformError,
    RequestRefused,
    from_status,
    safe,
)
from activities.connectors.wire import Answer, Wire, whole

JWT_GRANT: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuthApp:
    """The application that this deployment is known as at a platform."""

    client_id: str
    client_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """A new access token; `refresh_token` only where a new one came along."""

    access_token: str = field(repr=False)
    expires_at: datetime
    refresh_token: str | None = field(default=None, repr=False)
    scopes: tuple[str, ...] = ()


class TokenEndpoint:
    """Where a platform gives out access tokens; `ended` are its words for a dead refresh token."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        url: str,
        *,
        vendor: str,
        ended: frozenset[str] = frozenset({"invalid_grant"}),
    ) -> None:
        self._ended = ended
        self._wire = Wire(vendor=vendor, http=http, base_url=url, error_of=self._error_of)

    async def refresh(self, app: OAuthApp, refresh_token: str) -> Granted:
        """Get an access token.

        Raises:
            CredentialsRejected: when the refresh token has ended or was revoked.
        """
        return await self._grant(
            {"grant_type": "refresh_token", "refresh_token": refresh_token},
            app=app,
            secrets=(refresh_token, app.client_secret),
        )

    async def exchange(self, assertion: str) -> Granted:
        """Get an access token for what a service account has signed.

        Raises:
            CredentialsRejected: when its key was deleted or the account closed.
        """
        form = {"grant_type": JWT_GRANT, "assertion": assertion}
        return await self._grant(form, app=None, secrets=(assertion,))

    async def _grant(
        self, form: Mapping[str, str], *, app: OAuthApp | None, secrets: Iterable[str]
    ) -> Granted:
        ours = {"client_id": app.client_id, "client_secret": app.client_secret} if app else {}
        asked_at = datetime.now(UTC)
        answer = await self._wire.ask("POST", "", secrets=secrets, form={**ours, **form})
        with self._wire.as_documented():
            body = answer.body
            lifetime = timedelta(seconds=whole(body["expires_in"]))
            return Granted(
                access_token=str(body["access_token"]),
                expires_at=asked_at + lifetime,
                refresh_token=body.get("refresh_token") or None,
                scopes=tuple(str(body.get("scope") or "").replace(",", " ").split()),
            )

    def _error_of(self, answer: Answer, secrets: Iterable[str]) -> PlatformError | None:
        if answer.status < 400 or not isinstance(answer.body, dict):
            return None
        code = str(answer.body.get("error") or "")
        reason = answer.body.get("error_description") or code
        said = f"{self._wire.vendor} gave no access token: {safe(str(reason), secrets)}"
        if code in self._ended:
            return CredentialsRejected(said)
        if answer.status in (408, 429) or answer.status >= 500:
            vendor = self._wire.vendor
            return from_status(vendor, answer.status, said, answer.headers, secrets)
        # Anything else, invalid_client above all, is the deployment's fault and not the client's.
        return RequestRefused(said)
