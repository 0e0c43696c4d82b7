"""Believable accounts of ads, the same for the same seed, for fake vendors, tests and the demo.

Everything follows from the days of single ads, so that ads add up to campaigns and campaigns to
the account to the cent. Reach does not add up: it is of people, and they come back. Conversions
of the last days are not all known yet, as on the real platforms: moving `today` restates them.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property
from random import Random
from types import MappingProxyType
from typing import Final

_CENT: Final = Decimal("0.01")
_WEEK: Final[Mapping[str, Sequence[float]]] = MappingProxyType(
    {
        "consumers": (0.92, 0.90, 0.95, 1.02, 1.12, 1.14, 1.05),
        "business": (1.18, 1.24, 1.22, 1.15, 0.95, 0.62, 0.64),
    }
)
"""How much of a usual day Monday to Sunday are."""
_KNOWN_AT_ONCE: Final = 0.6
_DAYS_OF_DELAY: Final = 6
_OBJECTIVES: Final = ("sales", "leads", "traffic", "awareness")
_NAMES: Final = MappingProxyType(
    {
        "sales": ("Spring sale", "Bestsellers", "Returning customers", "Basket reminders"),
        "leads": ("Free consultation", "Price list", "Open house", "Trial month"),
        "traffic": ("Guide to sizes", "New on the blog", "Store finder", "Lookbook"),
        "awareness": ("Brand film", "Who we are", "Made nearby", "Anniversary"),
    }
)
_TITLES: Final = (
    "Made to last", "Back in stock", "Free returns for 60 days", "Loved by 12,000 customers",
    "Order by noon, here tomorrow", "Try it for a month", "Book your slot", "See how it is made",
)  # fmt: skip
_BODIES: Final = (
    "Small batches, fair prices, and a repair service that answers within a day.",
    "What our customers ask for most is here again. For as long as it lasts.",
    "Compare, choose, send back what does not fit. We pay for the parcel.",
    "Half an hour with somebody who knows. No charge, no obligation.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """What happened, of an ad, a campaign or an account."""

    spend: Decimal = Decimal(0)
    impressions: int = 0
    clicks: int = 0
    conversions: int = 0
    value: Decimal = Decimal(0)

    def __add__(self, other: "Numbers") -> "Numbers":
        return Numbers(
            spend=self.spend + other.spend,
            impressions=self.impressions + other.impressions,
            clicks=self.clicks + other.clicks,
            conversions=self.conversions + other.conversions,
            value=self.value + other.value,
        )

    def __bool__(self) -> bool:
        return bool(self.impressions or self.spend)


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeAd:
    """One ad, with its share of the campaign's budget."""

    id: str
    name: str
    title: str
    body: str
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeCampaign:
    """One campaign; it runs from `first` to `last`, for ever where `last` is None."""

    id: str
    name: str
    objective: str
    status: str
    daily_budget: Decimal | None
    lifetime_budget: Decimal | None
    per_day: Decimal
    first: date
    last: date | None
    ads: tuple[FakeAd, ...]

    def runs(self, day: date) -> bool:
        return self.first <= day and (self.last is None or day <= self.last)


@dataclass(kw_only=True)
class AdAccount:
    """An account with its campaigns, as it is known on `today`.

    `quiet` are days on which nothing ran. `restated` are days whose conversions were found to be
    that many times what they seemed.
    """

    seed: int
    account_id: str
    today: date
    name: str = "Northwind Outfitters"
    currency: str = "EUR"
    time_zone: str = "Europe/Berlin"
    audience: str = "consumers"
    campaign_count: int = 4
    ads_each: int = 3
    opened: date | None = None
    quiet: set[date] = field(default_factory=set)
    restated: dict[date, Decimal] = field(default_factory=dict)

    @cached_property
    def campaigns(self) -> tuple[FakeCampaign, ...]:
        """The campaigns, in the order they were made."""
        return tuple(self._campaign(place) for place in range(self.campaign_count))

    def ad_day(self, campaign: FakeCampaign, ad: FakeAd, day: date) -> Numbers:
        """An ad's day as it is known today."""
        if day in self.quiet or day > self.today or not campaign.runs(day):
            return Numbers()
        chance = Random(f"{self.seed}:{ad.id}:{day}")
        season = 1 + 0.0006 * (day - campaign.first).days
        rhythm = _WEEK[self.audience][day.weekday()] * min(season, 1.25)
        share = rhythm * ad.share * chance.uniform(0.85, 1.15)
        spend = _cents(campaign.per_day * Decimal(str(round(share, 6))))
        cost_of_thousand = chance.uniform(6, 11) * (3 if self.audience == "business" else 1)
        impressions = int(float(spend) / cost_of_thousand * 1000)
        clicks = int(impressions * chance.uniform(0.009, 0.021))
        rate = 0.002 if campaign.objective == "awareness" else chance.uniform(0.02, 0.05)
        final = round(clicks * rate * float(self.restated.get(day, 1)))
        conversions = round(final * self._known(day))
        basket = _cents(Decimal(str(chance.uniform(45, 120))))
        return Numbers(
            spend=spend, impressions=impressions, clicks=clicks, conversions=conversions,
            value=basket * conversions if campaign.objective == "sales" else Decimal(0),
        )  # fmt: skip

    def campaign_day(self, campaign: FakeCampaign, day: date) -> Numbers:
        return _sum(self.ad_day(campaign, ad, day) for ad in campaign.ads)

    def account_day(self, day: date) -> Numbers:
        return _sum(self.campaign_day(campaign, day) for campaign in self.campaigns)

    def reach(self, campaigns: Iterable[FakeCampaign], first: date, last: date) -> int:
        """How many people saw any of the campaigns in these days."""
        chosen = tuple(campaigns)
        days = [_sum(self.campaign_day(one, day) for one in chosen) for day in _days(first, last)]
        active = [day.impressions for day in days if day.impressions]
        if not active:
            return 0
        # The more days, the more of them have seen it before.
        return max(round(sum(active) / _frequency(len(active))), *(_daily(one) for one in active))

    def _known(self, day: date) -> float:
        age = min((self.today - day).days, _DAYS_OF_DELAY)
        return _KNOWN_AT_ONCE + (1 - _KNOWN_AT_ONCE) * age / _DAYS_OF_DELAY

    def _campaign(self, place: int) -> FakeCampaign:
        chance = Random(f"{self.seed}:campaign:{place}")
        objective = _OBJECTIVES[place % len(_OBJECTIVES)]
        name = _NAMES[objective][place // len(_OBJECTIVES) % len(_NAMES[objective])]
        opened = self.opened or self.today - timedelta(days=400)
        first = opened + timedelta(days=place * 9)
        # Every fourth campaign is over, every fifth is paused since a fortnight.
        over, paused = place % 4 == 3, place % 5 == 2
        stopped = timedelta(days=20 if over else 14)
        last = self.today - stopped if over or paused else None
        per_day = Decimal(chance.randrange(40, 260))
        in_all = per_day * ((last - first).days + 1) if over and last else None
        base = 10**11 + self.seed % 10**6 * 10**5 + place * 100
        shares = [chance.uniform(0.5, 1.5) for _ in range(self.ads_each)]
        return FakeCampaign(
            id=str(base),
            name=f"{name} {first:%Y-%m}",
            objective=objective,
            status="ended" if over else "paused" if paused else "active",
            daily_budget=None if in_all else per_day,
            lifetime_budget=in_all,
            per_day=per_day,
            first=first,
            last=last,
            ads=tuple(
                FakeAd(
                    id=str(base + 1 + number),
                    name=f"{name} / {number + 1}",
                    title=chance.choice(_TITLES),
                    body=chance.choice(_BODIES),
                    share=share / sum(shares),
                )
                for number, share in enumerate(shares)
            ),
        )


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(_CENT, ROUND_HALF_UP)


def _sum(parts: Iterable[Numbers]) -> Numbers:
    return sum(parts, Numbers())


def _frequency(days: int) -> float:
    return 1.15 + 0.06 * (days - 1)


def _daily(impressions: int) -> int:
    return round(impressions / _frequency(1))


def _days(first: date, last: date) -> Iterator[date]:
    for past in range((last - first).days + 1):
        yield first + timedelta(days=past)
