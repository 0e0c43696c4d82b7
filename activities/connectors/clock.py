"""The time, as whoever needs it is given it."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
Sleep = Callable[[float], Awaitable[None]]


def utc_now() -> datetime:
    """The clock of everybody but tests."""
    return datetime.now(UTC)
