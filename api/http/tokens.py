"""The one door for tokens: signature, time, issuer, audience; nothing about the database.

Keys come from a JWKS address or from the embedded issuer's file. Which algorithm a token may use
follows from the kind of the key alone, never from the token, so a public key cannot be passed off
as an HMAC secret.
"""

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

import jwt

from api.http.keys import Key
from models.errors import Unauthenticated
from models.rules.vocabulary import Role

_LEEWAY_S: Final = 5
_REMEMBERED_S: Final = 300.0
"""The longest that a checked token is trusted after its key may have been withdrawn."""
_REMEMBERED: Final = 10_000
_ROLES: Final[Mapping[str, Role]] = {
    "owner": Role.ADMIN, "admin": Role.ADMIN, "member": Role.MEMBER,
    "reviewer": Role.REVIEWER, "viewer": Role.REVIEWER,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What a token says; `role` is None where it leaves the role to the record."""

    subject: str
    tenant_id: str
    role: Role | None
    app_access: str | None
    session_id: str | None
    expires_at: float


class Keys(Protocol):
    """Where the keys are."""

    async def find(self, key_id: str | None) -> Key | None:
        """The key with this id."""
        ...


class Verifier:
    """Checks tokens, and remembers those that it has checked."""

    def __init__(
        self, keys: Keys, *, issuer: str | None = None, audience: str | None = None
    ) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self._known: dict[bytes, tuple[Claims, float]] = {}

    async def verify(self, token: str) -> Claims:
        """Answer what the token claims, or raise `Unauthenticated`."""
        digest = hashlib.sha256(token.encode(errors="replace")).digest()
        known = self._known.get(digest)
        now = time.time()
        if known is not None and now < known[1] and now < known[0].expires_at:
            return known[0]
        claims = _read(await self._decode(token))
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
        self._known[digest] = (claims, now + _REMEMBERED_S)
        return claims

    async def _decode(self, token: str) -> dict[str, Any]:
        try:
            key = await self._keys.find(jwt.get_unverified_header(token).get("kid"))
            if key is None:
                raise Unauthenticated("The token's key is not known here.")
            claims: dict[str, Any] = jwt.decode(
                token,
                key.material,
                algorithms=[key.algorithm],
                issuer=self._issuer,
                audience=self._audience,
                leeway=_LEEWAY_S,
                options={
                    "require": ["exp", "sub"],
                    "verify_aud": self._audience is not None,
                    "verify_iss": self._issuer is not None,
                },
            )
        except jwt.ExpiredSignatureError as error:
            raise Unauthenticated("The token has expired.") from error
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            raise Unauthenticated("The token is not valid here.") from error
        return claims


def _read(claims: Mapping[str, Any]) -> Claims:
    tenant, role = claims.get("tenant", claims.get("workspace_id")), claims.get("role")
    known = _ROLES.get(role) if isinstance(role, str) else None
    if not isinstance(tenant, str) or not tenant or (role is not None and known is None):
        raise Unauthenticated("The token names no tenant or a role that does not exist.")
    return Claims(
        subject=str(claims["sub"]),
        tenant_id=tenant,
        role=known,
        app_access=claims.get("appAccess"),
        session_id=claims.get("sid"),
        expires_at=float(claims["exp"]),
    )
