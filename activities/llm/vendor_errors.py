"""From what a vendor answers to `LlmBusy` or `LlmRefused`, one rule for every vendor."""

import re
from collections.abc import Mapping

from activities.ports import LlmBusy, LlmRefused
from activities.retry_after import retry_after

# Worth another try: time-out, lock, too early, rate limit; every 5xx is as well, 529 included.
_BUSY = frozenset({408, 409, 425, 429})
_LONGEST = 500
_KEY = re.compile(r"\b(sk|key)-[\w*.-]{4,}")


def from_status(
    vendor: str, status: int, message: str, headers: Mapping[str, str]
) -> LlmBusy | LlmRefused:
    """Sort an error answer: another try later, or never again as it stands."""
    if status in _BUSY or status >= 500:
        said = f"{vendor} is busy ({status}): {safe(message)}"
        return LlmBusy(said, retry_after=retry_after(headers))
    return LlmRefused(f"{vendor} refused the request ({status}): {safe(message)}")


def safe(message: str) -> str:
    """Cut the message and hide what looks like a key: vendors repeat the key they refuse."""
    return _KEY.sub("[key]", message.strip())[:_LONGEST]
