"""How fast a connection may be asked, and how long it rests.

A turn is one step of a sync or a backfill, which sends some requests. The rates keep below what
the platforms allow an account; what they say themselves (Retry-After) comes first.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from models.rules.platforms.registry import PlatformId


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """How many turns may be taken at once, and how many come back in a minute."""

    burst: int
    per_minute: int


RATES: Final[Mapping[PlatformId, Rate]] = MappingProxyType(
    {
        PlatformId.META_ADS: Rate(burst=60, per_minute=30),
        PlatformId.GOOGLE_ADS: Rate(burst=60, per_minute=60),
        PlatformId.TIKTOK_ADS: Rate(burst=60, per_minute=60),
        PlatformId.LINKEDIN_ADS: Rate(burst=40, per_minute=20),
        PlatformId.SHOPIFY: Rate(burst=40, per_minute=40),
        PlatformId.GA4: Rate(burst=30, per_minute=30),
        PlatformId.GOOGLE_SEARCH_CONSOLE: Rate(burst=60, per_minute=60),
        # Its reports allow two requests a minute once a short burst is used up.
        PlatformId.KLAVIYO: Rate(burst=10, per_minute=6),
        PlatformId.MAILCHIMP: Rate(burst=40, per_minute=40),
    }
)
UNTOLD_REST: Final = timedelta(minutes=5)
"""How long a connection rests where the platform does not say."""
LONGEST_REST: Final = timedelta(hours=24)
_MINUTE: Final = Decimal(60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """What is left of a connection's turns, as it was at a moment."""

    tokens: Decimal
    refilled_at: datetime
    resting_until: datetime | None = None


def full(rate: Rate, now: datetime) -> Lease:
    """The lease of a connection that was never asked."""
    return Lease(tokens=Decimal(rate.burst), refilled_at=now)


def take(lease: Lease, rate: Rate, now: datetime) -> tuple[Lease, datetime | None]:
    """Take a turn; where there is none, the moment at which there will be one comes with it."""
    if lease.resting_until is not None and lease.resting_until > now:
        return lease, lease.resting_until
    passed = max(now - lease.refilled_at, timedelta(0))
    gained = Decimal(str(passed.total_seconds())) * rate.per_minute / _MINUTE
    tokens = min(lease.tokens + gained, Decimal(rate.burst))
    if tokens >= 1:
        return Lease(tokens=tokens - 1, refilled_at=now), None
    lacking = float((1 - tokens) * _MINUTE / rate.per_minute)
    return Lease(tokens=tokens, refilled_at=now), now + timedelta(seconds=lacking)


def rest(now: datetime, retry_after: float | None) -> datetime:
    """Until when a connection rests whose platform has had enough of us."""
    if retry_after is None:
        return now + UNTOLD_REST
    # Cut before it is a duration: of some numbers that platforms send none can be made.
    return now + timedelta(seconds=min(max(1.0, retry_after), LONGEST_REST.total_seconds()))
