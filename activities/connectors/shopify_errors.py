"""Shopify's errors: GraphQL's come with status 200, those of the shop and the token do not."""

from collections.abc import Iterable, Mapping
from math import ceil
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
from activities.connectors.wire import Answer, number

_VENDOR: Final = "Shopify"
_SHOP_IS_AWAY: Final[Mapping[int, str]] = {
    402: "the shop is frozen for want of payment.",
    404: "there is no such shop.",
    423: "the shop is locked.",
}


def error_of(answer: Answer, secrets: Iterable[str]) -> PlatformError | None:
    """Find the error of an answer."""
    errors = answer.body.get("errors") if isinstance(answer.body, dict) else None
    said = safe(_words(errors), secrets)
    if answer.status == 403:
        return CredentialsRejected(f"{_VENDOR} (403): {said or 'access denied.'}")
    if answer.status in _SHOP_IS_AWAY:
        away = _SHOP_IS_AWAY[answer.status]
        return RequestRefused(f"{_VENDOR} ({answer.status}): {away}")
    if answer.status >= 400:
        return from_status(_VENDOR, answer.status, said, answer.headers, secrets)
    return _of_codes(_codes(errors), said, answer.body) if errors else None


def points_wait(body: Any) -> float:
    """Whole seconds until as many points are there as a query like the last one asks for."""
    try:
        cost = body["extensions"]["cost"]
        status = cost["throttleStatus"]
        lacking = number(cost["requestedQueryCost"]) - number(status["currentlyAvailable"])
        return float(max(0, ceil(lacking / number(status["restoreRate"]))))
    except (ArithmeticError, KeyError, TypeError, ValueError):
        return 0.0


def _of_codes(codes: set[str], said: str, body: Any) -> PlatformError:
    text = f"{_VENDOR}: {said}"
    if "THROTTLED" in codes:
        return QuotaExhausted(text, retry_after=max(1.0, points_wait(body)))
    if "ACCESS_DENIED" in codes:
        return CredentialsRejected(text)
    if codes & {"INTERNAL_SERVER_ERROR", "TIMEOUT"}:
        return PlatformBusy(text)
    return RequestRefused(text)


def _codes(errors: Any) -> set[str]:
    listed = errors if isinstance(errors, list) else []
    return {
        str((one.get("extensions") or {}).get("code")) for one in listed if isinstance(one, dict)
    }


def _words(errors: Any) -> str:
    if isinstance(errors, list):
        return "; ".join(
            str(one.get("message") if isinstance(one, dict) else one) for one in errors
        )
    return str(errors or "")
