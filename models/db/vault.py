"""The vault: credentials sealed with AES-256-GCM, readable with the deployment's master key alone.

Each secret is encrypted with a data key of its own, and the data key with the newest master key.
Both are bound to the place where the secret is kept: moved to another tenant's row, or to another
table, it does not open. What is sealed names its master key, so that older ones still open what
they sealed, and rotation needs to wrap data keys anew and nothing else.
"""

import base64
import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import SecretStr

from models.errors import Unavailable
from models.secret_files import kept_secret
from models.settings import Settings

_KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_TAG_BYTES: Final = 16
_WRAPPED_BYTES: Final = _NONCE_BYTES + _KEY_BYTES + _TAG_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a secret is kept; `row` tells the rows of a tenant apart where it has several."""

    tenant_id: str
    table: str
    row: str = ""

    @property
    def bound(self) -> bytes:
        """What the encryption is bound to; no part can hold the separator."""
        return "\x1f".join((self.table, self.tenant_id, self.row)).encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """A secret as it is stored: the wrapped data key, what it encrypts, and who can unwrap it."""

    key_id: str
    wrapped_key: bytes
    ciphertext: bytes

    @property
    def joined(self) -> bytes:
        """Both parts, for a table that has one column for them."""
        return self.wrapped_key + self.ciphertext

    @classmethod
    def split(cls, key_id: str, joined: bytes) -> "Sealed":
        return cls(
            key_id=key_id,
            wrapped_key=joined[:_WRAPPED_BYTES],
            ciphertext=joined[_WRAPPED_BYTES:],
        )


class Vault:
    """Seals with the first master key, opens with any of them."""

    def __init__(self, master_keys: Sequence[bytes]) -> None:
        if not master_keys or any(len(key) != _KEY_BYTES for key in master_keys):
            raise ValueError("a master key is 32 bytes in base64")
        self._current = key_id(master_keys[0])
        self._keys = {key_id(key): key for key in master_keys}

    def seal(self, secret: SecretStr, place: Place) -> Sealed:
        """Encrypt the secret for its place."""
        data_key = AESGCM.generate_key(8 * _KEY_BYTES)
        return Sealed(
            key_id=self._current,
            wrapped_key=_encrypt(self._keys[self._current], data_key, _wrapping(place)),
            ciphertext=_encrypt(data_key, secret.get_secret_value().encode(), place.bound),
        )

    @property
    def newest_key_id(self) -> str:
        """By what the key that seals is known."""
        return self._current

    def open(self, sealed: Sealed, place: Place) -> SecretStr:
        """Decrypt what was sealed for this place.

        Raises:
            Unavailable: the master key is not configured, or it was not sealed for this place.
        """
        with _opening():
            data_key = self._data_key(sealed, place)
            return SecretStr(_decrypt(data_key, sealed.ciphertext, place.bound).decode())

    def rewrap(self, sealed: Sealed, place: Place) -> Sealed:
        """Wrap the data key anew, with the newest master key; what it encrypts stays as it is.

        Raises:
            Unavailable: the master key is not configured, or it was not sealed for this place.
        """
        with _opening():
            data_key = self._data_key(sealed, place)
            _decrypt(data_key, sealed.ciphertext, place.bound)
        newest = self._keys[self._current]
        return Sealed(
            key_id=self._current,
            wrapped_key=_encrypt(newest, data_key, _wrapping(place)),
            ciphertext=sealed.ciphertext,
        )

    def _data_key(self, sealed: Sealed, place: Place) -> bytes:
        master_key = self._keys.get(sealed.key_id)
        if master_key is None:
            raise Unavailable("The master key that sealed these credentials is not configured.")
        return _decrypt(master_key, sealed.wrapped_key, _wrapping(place))


def lazy_vault(settings: Settings) -> Callable[[], Vault]:
    """The way to the vault; who keeps no credentials needs no key."""
    return cache(partial(vault, settings))


def vault(settings: Settings) -> Vault:
    """The vault of this deployment: its keys from the settings, else a file that is made once.

    Raises:
        Unavailable: a deployment has no key. Each of its machines would make a file of its own.
    """
    if settings.master_key is not None:
        texts = settings.master_key.get_secret_value().split(",")
        return Vault([base64.b64decode(text.strip(), validate=True) for text in texts])
    if settings.mode == "deployment":
        raise Unavailable("Credentials cannot be sealed: set THROUGHLINE_MASTER_KEY.")
    return Vault([kept_secret(settings.data_dir / "master_key")])


def key_id(master_key: bytes) -> str:
    """By what a master key is known: derived from it, so that no two keys are ever confused."""
    return hashlib.blake2b(master_key, digest_size=8, person=b"master-key").hexdigest()


@contextmanager
def _opening() -> Iterator[None]:
    try:
        yield
    except (InvalidTag, ValueError):
        # Without its cause: what failed to open says nothing that a log should keep.
        raise Unavailable("The stored credentials cannot be opened.") from None


def _wrapping(place: Place) -> bytes:
    return b"data-key\x1f" + place.bound


def _encrypt(key: bytes, plain: bytes, bound: bytes) -> bytes:
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plain, bound)


def _decrypt(key: bytes, sealed: bytes, bound: bytes) -> bytes:
    return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], bound)
