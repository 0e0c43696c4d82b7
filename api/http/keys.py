"""Keys that tokens are signed with: the embedded issuer's file, or an issuer's JWKS address."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import jwt
import structlog
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from models.errors import Unavailable

_log = structlog.get_logger(__name__)

REFETCH_S: Final = 30.0
"""An unknown key id makes us look again at most this often: ids cost an attacker nothing."""
_REFRESH_S: Final = 600.0
_TIMEOUT_S: Final = 5.0
_ALGORITHMS: Final[Mapping[tuple[str, str | None], str]] = {
    ("RSA", None): "RS256", ("EC", "P-256"): "ES256", ("OKP", "Ed25519"): "EdDSA",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Key:
    """A public key and the one algorithm that it may be used with."""

    material: Any
    algorithm: str


class FileKeys:
    """The embedded issuer's key; the file is read again when it changes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._key: Key | None = None
        self._read_at = 0

    async def find(self, key_id: str | None) -> Key | None:
        """The only key there is, whatever the token calls it."""
        try:
            changed = self._path.stat().st_mtime_ns
            if changed != self._read_at:
                self._key, self._read_at = _ed25519(self._path.read_bytes()), changed
        except (OSError, ValueError, TypeError) as error:
            if self._key is None:
                raise Unavailable("The issuer's key is not there yet.", retry_after=5) from error
        return self._key


def _ed25519(pem: bytes) -> Key:
    if b"PRIVATE KEY" in pem:
        private = serialization.load_pem_private_key(pem, password=None)
        public = private.public_key() if isinstance(private, Ed25519PrivateKey) else None
    else:
        loaded = serialization.load_pem_public_key(pem)
        public = loaded if isinstance(loaded, Ed25519PublicKey) else None
    if public is None:
        raise TypeError("not an Ed25519 key")
    return Key(public, "EdDSA")


class JwksKeys:
    """An issuer's published keys; the last ones that were seen outlive its outages."""

    def __init__(
        self,
        url: str,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = url
        self._transport = transport
        self._clock = clock
        self._keys: dict[str, Key] = {}
        self._tried_at: float | None = None
        self._lock = asyncio.Lock()

    async def find(self, key_id: str | None) -> Key | None:
        """The key with this id, fetched when it is new; a sole key needs no id."""
        key = self._get(key_id)
        if key is None or self._age() > _REFRESH_S:
            await self._refresh(key_id, wanted=key is None)
            key = self._get(key_id)
        if key is None and not self._keys:
            raise Unavailable("The issuer's keys cannot be fetched.", retry_after=5)
        return key

    def _get(self, key_id: str | None) -> Key | None:
        if key_id is None:
            return next(iter(self._keys.values())) if len(self._keys) == 1 else None
        return self._keys.get(key_id)

    def _age(self) -> float:
        return float("inf") if self._tried_at is None else self._clock() - self._tried_at

    async def _refresh(self, key_id: str | None, *, wanted: bool) -> None:
        async with self._lock:
            if wanted and self._get(key_id) is not None:
                return
            # While there is no key at all, a short pause is enough to spare the issuer.
            if self._age() < (REFETCH_S if self._keys else 1.0):
                return
            self._tried_at = self._clock()
            try:
                self._keys = await self._fetch()
            except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
                _log.warning("jwks.unreachable", url=self._url, error=repr(error))

    async def _fetch(self) -> dict[str, Key]:
        async with httpx.AsyncClient(transport=self._transport, timeout=_TIMEOUT_S) as http:
            answer = await http.get(self._url)
            answer.raise_for_status()
            published = answer.json()["keys"]
        keys = {str(jwk.get("kid", "")): key for jwk in published if (key := _from_jwk(jwk))}
        if not keys:
            raise ValueError("no usable key is published")
        return keys


def _from_jwk(jwk: Mapping[str, Any]) -> Key | None:
    """The key when it is of a kind we take; others of the set do not matter."""
    kind = str(jwk.get("kty"))
    algorithm = _ALGORITHMS.get((kind, None if kind == "RSA" else jwk.get("crv")))
    if algorithm is None or jwk.get("use", "sig") != "sig":
        return None
    if jwk.get("alg", algorithm) not in (algorithm, "Ed25519"):
        return None
    try:
        return Key(jwt.PyJWK(dict(jwk), algorithm=algorithm).key, algorithm)
    except jwt.PyJWTError:
        return None
