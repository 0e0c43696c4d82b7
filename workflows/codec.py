"""Payload encryption: what Temporal's server and UI must not read, sealed with AES-256-GCM."""

import base64
import os
from collections.abc import Sequence

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from temporalio.api.common.v1 import Payload
from temporalio.converter import PayloadCodec

ENCODING = b"binary/encrypted"
_NONCE_BYTES = 12


class AesGcmCodec(PayloadCodec):
    """Seals with the first key, opens with any of them, so that keys can be rotated.

    Every payload names its key in the metadata `key-id`, which is authenticated with it.
    """

    def __init__(self, keys: Sequence[tuple[str, bytes]]) -> None:
        self._current = keys[0][0]
        self._ciphers = {key_id: AESGCM(key) for key_id, key in keys}

    @classmethod
    def from_setting(cls, value: str) -> "AesGcmCodec":
        """Read `id:base64key[,id:base64key…]`, the newest key first; each key has 32 bytes."""
        keys: list[tuple[str, bytes]] = []
        for part in value.split(","):
            key_id, _, text = part.strip().rpartition(":")
            key = base64.b64decode(text, validate=True)
            if len(key) != 32:
                raise ValueError("a payload key is 32 bytes in base64")
            keys.append((key_id or "default", key))
        return cls(keys)

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [self._seal(payload) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [self._open(payload) for payload in payloads]

    def _seal(self, payload: Payload) -> Payload:
        key_id = self._current.encode()
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._ciphers[self._current].encrypt(nonce, payload.SerializeToString(), key_id)
        return Payload(metadata={"encoding": ENCODING, "key-id": key_id}, data=nonce + sealed)

    def _open(self, payload: Payload) -> Payload:
        # What was written before encryption was switched on stays readable.
        if payload.metadata.get("encoding") != ENCODING:
            return payload
        key_id = payload.metadata["key-id"]
        cipher = self._ciphers.get(key_id.decode())
        if cipher is None:
            raise ValueError(f"no payload key with the id {key_id.decode()!r} is configured")
        nonce, sealed = payload.data[:_NONCE_BYTES], payload.data[_NONCE_BYTES:]
        return Payload.FromString(cipher.decrypt(nonce, sealed, key_id))
