"""Texts that a model has written: what identifies their input, and when one is used again.

Source: clients/common.yaml, rules.ai, and clients/clients.yaml, rules.ai_summary.caching.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

SUMMARY_FRESH: Final = timedelta(hours=24)
SUMMARY_WORDS: Final = (120, 220)
SUMMARY_LONGEST: Final = 2000
"""Characters of a summary at most."""

Json = Mapping[str, "Json"] | Sequence["Json"] | str | int | float | bool | None


def input_hash(given: Json) -> str:
    """The SHA-256 of the canonical JSON: keys sorted, no blanks, characters as they are."""
    canonical = json.dumps(given, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def is_current(
    generated_at: datetime | None, stored_hash: str | None, given_hash: str, now: datetime
) -> bool:
    """Tell whether a stored summary is young enough and of the same input."""
    return (
        generated_at is not None
        and now - generated_at < SUMMARY_FRESH
        and stored_hash == given_hash
    )
