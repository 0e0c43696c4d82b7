"""Ids: ULIDs as 26 characters of Crockford base 32, new, derived from a key, or checked."""

import hashlib
import re
from datetime import datetime

from ulid import ULID

_ULID = re.compile(r"^[0-7][0-9A-HJKMNP-TV-Z]{25}$")
ULID_PATTERN = _ULID.pattern


def new_id() -> str:
    """Mint an id; only outside workflows, where randomness and the clock may be used."""
    return str(ULID())


def workflow_id(at: datetime, randomness: int) -> str:
    """Mint an id from values that replay alike: the workflow's clock and 80 bits of its random."""
    milliseconds = int(at.timestamp() * 1000)
    return str(ULID.from_int((milliseconds << 80) | (randomness & ((1 << 80) - 1))))


def derived_id(*parts: str) -> str:
    """Derive the same id from the same parts, so that a repeated request meets its own work."""
    digest = hashlib.sha256("\x1f".join(parts).encode()).digest()
    return str(ULID.from_bytes(bytes([digest[0] & 0x7F]) + digest[1:16]))


def is_id(value: str) -> bool:
    """Tell whether the value is a well-formed ULID."""
    return bool(_ULID.match(value))
