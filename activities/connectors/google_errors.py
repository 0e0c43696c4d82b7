"""Google's errors: a status in words, and within it the failure of the Ads API with its codes.

A stream of results may end in an error although it began well; it is then the last element.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from activities.connectors.errors import (
    CredentialsRejected,
    PlatformBusy,
    PlatformError,
    QuotaExhausted,
    RequestRefused,
    from_status,
    safe,
)
from activities.connectors.wire import Answer
from activities.retry_after import retry_after

_BUSY: Final = frozenset(
    {"ABORTED", "CANCELLED", "DEADLINE_EXCEEDED", "INTERNAL", "UNAVAILABLE", "UNKNOWN"}
)
# Of the deployment and not of the client: another token of the client's would not help.
_OURS: Final = frozenset(
    {
        "DEVELOPER_TOKEN_INVALID",
        "DEVELOPER_TOKEN_NOT_APPROVED",
        "DEVELOPER_TOKEN_NOT_ON_ALLOWLIST",
        "DEVELOPER_TOKEN_PROHIBITED",
        "MISSING_TOS",
        "PROJECT_DISABLED",
    }
)
_REJECTED: Final = frozenset({"UNAUTHENTICATED", "PERMISSION_DENIED"})
_NOT_ADS: Final = frozenset({"NOT_ADS_USER", "CUSTOMER_NOT_FOUND"})


def error_of(answer: Answer, secrets: Iterable[str]) -> PlatformError | None:
    """The error that an answer is, or that its stream ends in."""
    error = _error_in(answer.body)
    if error is None:
        return None
    failures = list(_failures(error))
    codes = {
        str(code) for failure in failures for code in (failure.get("errorCode") or {}).values()
    }
    message = next((one["message"] for one in failures if one.get("message")), None)
    status = str(error.get("status") or "")
    words = safe(str(message or error.get("message") or ""), secrets)
    said = f"Google ({status or answer.status}): {words}"
    if codes & _OURS:
        return RequestRefused(said)
    if status == "RESOURCE_EXHAUSTED":
        return QuotaExhausted(said, retry_after=_delay(error) or retry_after(answer.headers))
    if status in _REJECTED or codes & _NOT_ADS:
        return CredentialsRejected(said)
    if status in _BUSY:
        return PlatformBusy(said, retry_after=_delay(error))
    if answer.status < 400:
        return RequestRefused(said)
    return from_status("Google", answer.status, said, answer.headers, secrets)


def _error_in(body: Any) -> Mapping[str, Any] | None:
    parts = body if isinstance(body, list) else [body]
    found = (part.get("error") for part in parts if isinstance(part, dict))
    return next((error for error in found if isinstance(error, dict)), None)


def _failures(error: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for detail in _details(error):
        yield from (one for one in detail.get("errors") or () if isinstance(one, dict))


def _details(error: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from (one for one in error.get("details") or () if isinstance(one, dict))


def _delay(error: Mapping[str, Any]) -> float | None:
    """Seconds to stay away, which are told in one of two places and written like 30s."""
    told = [detail.get("retryDelay") for detail in _details(error)]
    for failure in _failures(error):
        quota = (failure.get("details") or {}).get("quotaErrorDetails") or {}
        told.append(quota.get("retryDelay"))
    waits = [wait for one in told if (wait := _seconds(one)) is not None]
    return max(waits, default=None)


def _seconds(written: Any) -> float | None:
    try:
        return max(0.0, float(str(written).removesuffix("s")))
    except ValueError:
        return None
