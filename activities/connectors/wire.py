"""What every platform's API has in common: JSON over HTTP, and failures of four kinds.

Tokens travel in headers or bodies, never in an address: addresses are logged, by us and on the way.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Final
from zoneinfo import ZoneInfo

import httpx

from activities.connectors.errors import (
    PlatformBusy,
    PlatformError,
    QuotaExhausted,
    from_status,
    safe,
)
from activities.retry_after import retry_after
from models.rules.text import storable

TIMEOUT: Final = httpx.Timeout(60.0, connect=10.0)
_LARGEST: Final = Decimal(10**18)
_CURRENCY: Final = re.compile("[A-Z]{3}")
_LONGEST: Final = 64 * 1024 * 1024
"""Bytes of an answer, unpacked: many times what the largest page has, and memory enough for it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: a status, headers, and JSON whose fractions are decimals."""

    status: int
    headers: Mapping[str, str]
    body: Any


Reader = Callable[[Answer, Iterable[str]], PlatformError | None]
"""Finds the error that an answer is; an answer of status 200 may be one. Given the secrets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """The way to one platform; `error_of` knows the platform's own errors."""

    vendor: str
    http: httpx.AsyncClient = field(repr=False)
    base_url: str
    error_of: Reader
    longest: int = _LONGEST

    async def ask(
        self,
        method: str,
        path: str,
        *,
        secrets: Iterable[str],
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        body: Any = None,
    ) -> Answer:
        """Ask once; whatever is not a good answer is raised as a `PlatformError`."""
        try:
            async with self.http.stream(
                method,
                self.base_url + path,
                headers=headers,
                params=params,
                data=form,
                json=body,
                timeout=TIMEOUT,
                follow_redirects=False,
            ) as response:
                content = await self._content(response)
        # A host that credentials name may be no name of a host: that is a UnicodeError.
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as accident:
            # Its text may hold the address or a header: the kind of accident says enough.
            said = f"{self.vendor} could not be reached ({type(accident).__name__})."
            raise PlatformBusy(said) from None
        answer = Answer(response.status_code, response.headers, self._json(response, content))
        with self.as_documented():
            error = self.error_of(answer, secrets)
        if error is None and not 200 <= answer.status < 300:
            error = from_status(self.vendor, answer.status, "", answer.headers, secrets)
        if error is not None:
            raise error
        return answer

    async def _content(self, response: httpx.Response) -> bytes:
        content = bytearray()
        async for part in response.aiter_bytes():
            content += part
            if len(content) > self.longest:
                raise PlatformBusy(f"{self.vendor} answered with more than can be taken.")
        return bytes(content)

    def _json(self, response: httpx.Response, content: bytes) -> Any:
        try:
            return json.loads(content, parse_float=Decimal)
        except (ValueError, RecursionError):
            pass
        wait = retry_after(response.headers)
        if response.status_code == 429:
            raise QuotaExhausted(f"{self.vendor} (429): too many requests.", retry_after=wait)
        raise PlatformBusy(
            f"{self.vendor} ({response.status_code}) answered with something that is not whole "
            "JSON.",
            retry_after=wait,
        )

    @contextmanager
    def as_documented(self) -> Iterator[None]:
        """Around the reading of an answer: one with members missing or odd is a busy platform."""
        try:
            yield
        except (AttributeError, IndexError, InvalidOperation, KeyError, TypeError, ValueError) as e:
            said = f"{self.vendor}'s answer is not as documented ({type(e).__name__})."
            raise PlatformBusy(said) from None

    def said(self, answer: Answer, message: object, secrets: Iterable[str]) -> str:
        """What the platform says of an error, with whose words they are."""
        return f"{self.vendor}: {safe(str(message or f'status {answer.status}'), secrets)}"


def number(given: Any) -> Decimal:
    """A number that may come as text, as null, as a dash or not at all."""
    if given in (None, "", "-"):
        return Decimal(0)
    value = Decimal(str(given))
    if not value.is_finite() or abs(value) >= _LARGEST:
        raise ValueError("not a number that anything can be counted in")
    return value


def whole(given: Any) -> int:
    """A count, in whatever writing."""
    return int(number(given))


def words(*given: Any) -> str | None:
    """The first that is text, as it can be stored; None where there is none."""
    found = (storable(one).strip() for one in given if isinstance(one, str))
    return next((one for one in found if one), None)


def text(given: Any) -> str:
    """What must be there: an id or a name, which may come as a number."""
    if isinstance(given, bool) or not isinstance(given, str | int) or given == "":
        raise ValueError("no text")
    return storable(str(given))


def currency_code(given: Any) -> str:
    """What amounts are in, as it is added up and shown; names that are none would be a currency."""
    code = text(given).upper()
    if not _CURRENCY.fullmatch(code):
        raise ValueError("no currency")
    return code


def currency_if_any(given: Any) -> str | None:
    """A currency where one is told."""
    return currency_code(given) if given else None


def time_zone(name: Any) -> str:
    """An IANA name as it is; UTC for what is none, for days need some zone."""
    try:
        return ZoneInfo(str(name)).key
    except (KeyError, ValueError, OSError):
        return "UTC"


def days(first: date, last: date) -> Iterator[date]:
    """Every day from the first to the last."""
    for past in range((last - first).days + 1):
        yield first + timedelta(days=past)


def spans(first: date, last: date, longest: int) -> Iterator[tuple[date, date]]:
    """Cut a range into spans of at most so many days, oldest first."""
    start = first
    while start <= last:
        end = min(last, start + timedelta(days=longest - 1))
        yield start, end
        start = end + timedelta(days=1)


def halves(first: date, last: date) -> tuple[tuple[date, date], tuple[date, date]]:
    """Cut a range of two days or more in the middle."""
    middle = first + (last - first) // 2
    return (first, middle), (middle + timedelta(days=1), last)
