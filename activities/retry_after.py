"""How long a vendor asks us to wait."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import isfinite
from typing import Final

_LONGEST: Final = 366.0 * 24 * 3600
"""Longer than a year nobody waits, and soon there is no date to wait for."""


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
        given = float(text) if text else None
    except ValueError:
        return None
    return min(max(0.0, given), _LONGEST) if given is not None and isfinite(given) else None


def _seconds_until(http_date: str | None) -> float | None:
    try:
        moment = parsedate_to_datetime(http_date or "")
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(max(0.0, (moment - datetime.now(UTC)).total_seconds()), _LONGEST)
