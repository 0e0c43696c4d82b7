"""LinkedIn's errors: a status, and a code for what is wrong with a token."""

from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from typing import Final

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

_REFUSED: Final = frozenset({401, 403})


def error_of(answer: Answer, secrets: Iterable[str]) -> PlatformError | None:
    """The error that an answer is; quotas are by day and begin anew at midnight UTC."""
    if answer.status < 400:
        return None
    body = answer.body if isinstance(answer.body, dict) else {}
    code = body.get("code") or body.get("serviceErrorCode") or answer.status
    said = f"LinkedIn ({code}): {safe(str(body.get('message') or ''), secrets)}"
    if answer.status in _REFUSED:
        return CredentialsRejected(said)
    if answer.status == 429:
        wait = retry_after(answer.headers)
        return QuotaExhausted(said, retry_after=_until_midnight() if wait is None else wait)
    if answer.status == 426:
        return RequestRefused(f"{said} This version of LinkedIn's API has ended.")
    return from_status("LinkedIn", answer.status, said, answer.headers, secrets)


def _until_midnight() -> float:
    now = datetime.now(UTC)
    midnight = datetime.combine(now.date() + timedelta(days=1), time(), UTC)
    return (midnight - now).total_seconds()
