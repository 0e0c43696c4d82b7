"""Meta's errors: codes within the body, whatever the status, and quotas told in headers."""

import json
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

_QUOTA: Final = frozenset({4, 17, 32, 341, 613, *range(80000, 80015)})
_TOKEN: Final = frozenset({102, 190, 463, 467})
# 3 and 10 and the two hundreds: the token may not do this, on this account.
_PERMISSION: Final = frozenset({3, 10, *range(200, 300)})
_PASSING: Final = frozenset({1, 2})
_TOO_MUCH: Final = 1487534
_NOT_FOUND: Final = (100, 33)
_MINUTE: Final = 60.0
_ALL: Final = 100
_SHARES: Final = ("call_count", "total_cputime", "total_time")
_USAGE: Final = "x-business-use-case-usage"
_ACCOUNT_USAGE: Final = "x-ad-account-usage"


class TooMuch(PlatformBusy):
    """More than one answer or report can hold: worth asking for less."""


def error_of(answer: Answer, secrets: Iterable[str]) -> PlatformError | None:
    """The error that an answer is, by its code and subcode."""
    error = answer.body.get("error") if isinstance(answer.body, dict) else None
    if not isinstance(error, dict):
        return None
    code, subcode = error.get("code"), error.get("error_subcode")
    said = f"Meta ({code}): {safe(str(error.get('message') or ''), secrets)}"
    if subcode == _TOO_MUCH:
        return TooMuch(said)
    if code in _QUOTA:
        _, wait = exhausted(answer.headers)
        return QuotaExhausted(said, retry_after=wait or retry_after(answer.headers))
    if code in _TOKEN or code in _PERMISSION or (code, subcode) == _NOT_FOUND:
        return CredentialsRejected(said)
    if code in _PASSING or error.get("is_transient") is True:
        return PlatformBusy(said, retry_after=retry_after(answer.headers))
    if answer.status < 400:
        return RequestRefused(said)
    return from_status("Meta", answer.status, said, answer.headers, secrets)


def exhausted(headers: Mapping[str, str]) -> tuple[bool, float | None]:
    """Tell whether a quota is used up, and for how many seconds where Meta says."""
    waits: list[float] = []
    spent = False
    for usage in _business_usages(headers):
        minutes = _number(usage.get("estimated_time_to_regain_access"))
        spent = spent or minutes > 0 or max(_number(usage.get(share)) for share in _SHARES) >= _ALL
        waits += [minutes * _MINUTE] if minutes > 0 else []
    account = _decoded(headers.get(_ACCOUNT_USAGE))
    if _number(account.get("acc_id_util_pct")) >= _ALL:
        spent = True
        seconds = _number(account.get("reset_time_duration"))
        waits += [seconds] if seconds > 0 else []
    return spent, max(waits, default=None)


def _business_usages(headers: Mapping[str, str]) -> Iterator[Mapping[str, Any]]:
    for usages in _decoded(headers.get(_USAGE)).values():
        if isinstance(usages, list):
            yield from (usage for usage in usages if isinstance(usage, dict))


def _decoded(header: str | None) -> Mapping[str, Any]:
    try:
        found = json.loads(header or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _number(given: Any) -> float:
    return float(given) if isinstance(given, int | float) else 0.0
