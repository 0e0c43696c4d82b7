"""From what a vendor answers to `LlmBusy` or `LlmRefused`, one rule for every vendor."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from activities.ports import LlmBusy, LlmRefused

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


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds the vendor asks us to wait, from `retry-after-ms` or `retry-after`, if any."""
    if (milliseconds := _number(headers.get("retry-after-ms"))) is not None:
        return milliseconds / 1000
    given = headers.get("retry-after")
    if (seconds := _number(given)) is not None:
        return seconds
    return _seconds_until(given)


def _number(text: str | None) -> float | None:
    try:
        return max(0.0, float(text)) if text else None
    except ValueError:
        return None


def _seconds_until(http_date: str | None) -> float | None:
    try:
        moment = parsedate_to_datetime(http_date or "")
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
