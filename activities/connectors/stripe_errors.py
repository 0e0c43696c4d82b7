"""From what Stripe's library raises to `VendorBusy` or `UpstreamFailed`, without any key in it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import stripe

from activities.ports import VendorBusy
from activities.retry_after import retry_after
from models.errors import UpstreamFailed

KEY_REFUSED: Final = (
    "Stripe does not accept the account's key: it was revoked, has expired or is no key. "
    "Connect the account with a new one."
)
# Stripe names the key that it refuses, with its last characters.
_KEY: Final = re.compile(r"\b(?:sk|rk|pk|ek|whsec)_[A-Za-z0-9*._-]{4,}")
_RIGHT: Final = re.compile(r"\brak_[a-z_]+")
_LONGEST: Final = 300
_BUSY: Final = frozenset({408, 409, 425, 429})


@contextmanager
def translated_errors() -> Iterator[None]:
    """Raise every failure as one of the two, without its cause: causes are recorded."""
    try:
        yield
    except stripe.APIConnectionError as error:
        reason = type(error.__cause__).__name__ if error.__cause__ else "no connection"
        raise VendorBusy(f"Stripe could not be reached ({reason}).") from None
    except stripe.StripeError as error:
        raise _answered(error) from None
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        # Members that the API's version promises are missing, or the answer is no object at all.
        raise VendorBusy(f"Stripe's answer is not as documented: {safe(str(error))}") from None


def safe(message: str) -> str:
    """Cut the message and hide what looks like a key."""
    return _KEY.sub("[hidden]", message.strip())[:_LONGEST]


def _answered(error: stripe.StripeError) -> VendorBusy | UpstreamFailed:
    status = error.http_status or 0
    if status == 401:
        return UpstreamFailed(KEY_REFUSED)
    if status == 403:
        return UpstreamFailed(_forbidden(error))
    if status in _BUSY or status >= 500 or status < 400:
        wait = retry_after(dict(error.headers or {}))
        return VendorBusy(f"Stripe did not answer properly (status {status}).", retry_after=wait)
    return UpstreamFailed(
        f"Stripe refused the request ({status}): {safe(error.user_message or '')}"
    )


def _forbidden(error: stripe.StripeError) -> str:
    missing = sorted(set(_RIGHT.findall(error.user_message or "")))
    said = f" It lacks {', '.join(missing)}." if missing else ""
    return f"Stripe does not let the account's key read what is needed.{said}"
