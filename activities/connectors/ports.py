"""What steps need of a platform: who an account is, and its numbers by day.

A connector belongs to a platform, not to an account: it is built once a process and told with
each call whose account is meant. It never retries and stores nothing; the errors of
`activities.connectors.errors` are all that it raises on purpose.

Days are days of the account's own time zone, amounts are in its currency, exact and in whole units
(never cents or micros). A row comes at most once a call, even where the platform repeats a page.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Protocol
from zoneinfo import ZoneInfo

from models.rules.platforms.registry import PlatformId
from models.rules.results.campaigns import CampaignStatus

Credentials = Mapping[str, str]
"""Credentials by the keys of the registry of platforms."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account as the platform describes it.

    `currency` is empty where the account has no money, `time_zone` an IANA name. `scopes` are
    empty and `token_expires_at` is None where the platform does not tell.
    """

    account_id: str
    display_name: str | None
    currency: str | None
    time_zone: str
    scopes: tuple[str, ...] = ()
    token_expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """An account together with the keys to it; what is stored of a connection, unsealed."""

    account_id: str
    currency: str | None
    time_zone: str
    credentials: Credentials = field(repr=False)

    def today(self, now: datetime) -> date:
        """The account's own day."""
        return now.astimezone(ZoneInfo(self.time_zone)).date()


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewed:
    """Credentials that replace the old ones, all of them, and must be stored before use."""

    credentials: Credentials = field(repr=False)
    token_expires_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DayMetric:
    """The value of a stored metric key on a day; `currency` only where it is money."""

    day: date
    metric_key: str
    value: Decimal
    currency: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """An ad campaign as it is now; `objective` is the platform's word in lower case."""

    campaign_id: str
    name: str
    status: CampaignStatus
    objective: str | None = None
    daily_budget: Decimal | None = None
    lifetime_budget: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Creative:
    """What an ad says; title and body are None where the platform has no text for it."""

    creative_id: str
    campaign_id: str
    title: str | None = None
    body: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignDay:
    """A day of a campaign; only days with activity have one. `reach` is None where there is none.

    `conversion_value` and `spend` are in `currency`.
    """

    campaign_id: str
    day: date
    spend: Decimal
    impressions: int
    clicks: int
    conversions: Decimal
    conversion_value: Decimal
    reach: int | None
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CreativeDay:
    """A day of a creative; only days with activity have one."""

    creative_id: str
    day: date
    spend: Decimal
    conversions: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodReach:
    """How many people saw a campaign from `first` to `last`, nobody counted twice."""

    campaign_id: str
    first: date
    last: date
    reach: int


class Connector(Protocol):
    """A platform behind one adapter. Ranges of days include both ends."""

    @property
    def platform(self) -> PlatformId:
        """Which platform it speaks to."""
        ...

    async def verify(self, credentials: Credentials) -> Account:
        """Try the credentials with one cheap read, and tell whose they are."""
        ...

    async def renew(self, credentials: Credentials) -> Renewed | None:
        """Get a new token for one that ends; None where there is nothing to renew it with.

        Raises:
            CredentialsRejected: when what it would be renewed with has ended as well.
        """
        ...

    def daily_metrics(self, access: Access, first: date, last: date) -> AsyncIterator[DayMetric]:
        """Read the account's days: stored keys of the registry of metrics alone, never ratios.

        A day without activity has a zero row for every key that days are added up of. `last` is
        at most the account's own today.
        """
        ...


class AdsConnector(Connector, Protocol):
    """A platform of ads."""

    def campaigns(self, access: Access) -> AsyncIterator[Campaign]:
        """Read all campaigns as they are now, removed ones too where the platform lists them."""
        ...

    def creatives(self, access: Access) -> AsyncIterator[Creative]:
        """Read what the ads say; a creative is an ad of one campaign, under the ad's id."""
        ...

    def campaign_days(self, access: Access, first: date, last: date) -> AsyncIterator[CampaignDay]:
        """Read the campaigns' days."""
        ...

    def creative_days(self, access: Access, first: date, last: date) -> AsyncIterator[CreativeDay]:
        """Read the ads' days."""
        ...

    def reach(self, access: Access, first: date, last: date) -> AsyncIterator[PeriodReach]:
        """Read the campaigns' reach over the whole range; nothing where it is not offered."""
        ...
