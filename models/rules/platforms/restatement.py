"""How long the platforms go on changing a day that they have already reported.

Conversions are credited to the day of the click and arrive for weeks after it; clicks and spend
are corrected for invalid traffic; shops book refunds on the day of the order. Until then a day
is provisional.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from types import MappingProxyType
from typing import Final

from models.rules.platforms.registry import PlatformId

RESTATED_DAYS: Final[Mapping[PlatformId, int]] = MappingProxyType(
    {
        PlatformId.META_ADS: 28,
        PlatformId.GOOGLE_ADS: 30,
        PlatformId.TIKTOK_ADS: 28,
        PlatformId.LINKEDIN_ADS: 30,
        # Refunds may come later, but without read_all_orders a shop shows 59 days alone: the last
        # look must be one that sees the day, also when some syncs before it have failed.
        PlatformId.SHOPIFY: 55,
        PlatformId.GA4: 3,
        PlatformId.GOOGLE_SEARCH_CONSOLE: 3,
        PlatformId.KLAVIYO: 5,
        PlatformId.MAILCHIMP: 5,
    }
)
"""How many days back from the account's today a day is still provisional; today counts as 0."""


def is_provisional(platform: PlatformId, day: date, *, today: date) -> bool:
    """Tell whether the platform may still change the day; `today` is the account's own."""
    return today - day <= timedelta(days=RESTATED_DAYS[platform])
