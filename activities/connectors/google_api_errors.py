"""The errors of Google's APIs, by their reasons; the status alone leaves rights and quota alike."""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from activities.connectors.errors import (
    CredentialsRejected,
    PlatformError,
    QuotaExhausted,
    RequestRefused,
    from_status,
    safe,
)
from activities.connectors.wire import Answer
from activities.retry_after import retry_after

PACIFIC: Final = ZoneInfo("America/Los_Angeles")
_QUOTAS: Final = frozenset(
    {
        "RESOURCE_EXHAUSTED", "RATE_LIMIT_EXCEEDED", "quotaExceeded", "rateLimitExceeded",
        "userRateLimitExceeded", "dailyLimitExceeded",
    }
)  # fmt: skip
_NOT_SET_UP: Final = frozenset({"SERVICE_DISABLED", "accessNotConfigured"})
_MINUTE: Final = 60.0
_HOUR: Final = 3600.0
_WHILE: Final = 600.0
"""What Search Console calls a short-term quota is counted over ten minutes."""


def error_of(
    vendor: str, answer: Answer, secrets: Iterable[str], *, now: datetime
) -> PlatformError | None:
    """Find the error of an answer."""
    error = answer.body.get("error") if isinstance(answer.body, dict) else None
    if answer.status < 400 and error is None:
        return None
    error = error if isinstance(error, dict) else {}
    reasons = set(_reasons(error))
    said = str(error.get("message") or "")
    text = f"{vendor} ({answer.status}): {safe(said, secrets) or 'no reason was given.'}"
    if reasons & _QUOTAS:
        return QuotaExhausted(text, retry_after=_rest(answer, reasons, error, now))
    if reasons & _NOT_SET_UP:
        return RequestRefused(text)
    if answer.status == 403:
        return CredentialsRejected(text)
    return from_status(vendor, answer.status, said, answer.headers, secrets)


def _reasons(error: dict[str, Any]) -> Iterator[str]:
    yield str(error.get("status") or "")
    for one in (*(error.get("errors") or ()), *(error.get("details") or ())):
        if isinstance(one, dict):
            yield str(one.get("reason") or "")


def _rest(answer: Answer, reasons: set[str], error: dict[str, Any], now: datetime) -> float:
    """Seconds: as told, else as long as the quota that was used up is counted over."""
    told = retry_after(answer.headers) or _told(error)
    if told is not None:
        return told
    said = str(error.get("message") or "").lower()
    if "dailyLimitExceeded" in reasons or "per day" in said or "daily" in said:
        return _until_midnight(now)
    if "per hour" in said or "hourly" in said:
        return _HOUR
    return _WHILE if "quotaExceeded" in reasons else _MINUTE


def _told(error: dict[str, Any]) -> float | None:
    for one in error.get("details") or ():
        delay = one.get("retryDelay") if isinstance(one, dict) else None
        if isinstance(delay, str) and re.fullmatch(r"\d+(\.\d+)?s", delay):
            return float(delay[:-1])
    return None


def _until_midnight(now: datetime) -> float:
    """Google counts days in California."""
    tomorrow = now.astimezone(PACIFIC).date() + timedelta(days=1)
    return (datetime.combine(tomorrow, time.min, PACIFIC) - now).total_seconds()
