"""Believable mailings, the same for the same seed: what audiences were sent, did, and bought."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailing:
    """A day of an audience."""

    sent: int
    hard_bounces: int
    soft_bounces: int
    opened: int
    clicked: int
    left: int

    @property
    def delivered(self) -> int:
        return self.sent - self.hard_bounces - self.soft_bounces


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeCampaign:
    """A campaign that was sent to an audience, and what was bought after it."""

    id: str
    audience: str
    sent_at: datetime
    revenue: Decimal
    currency: str


@dataclass(kw_only=True)
class MailAccount:
    """An account of mailings as it is known on `today`; on `quiet` days nothing happened.

    `restated` are days whose revenue was found to be that many times what it seemed, `changed` is
    the day on which the shop behind it changed its currency, and to which.
    """

    seed: int
    today: date
    account_id: str = "Ab12Cd"
    name: str = "Northwind Outfitters"
    currency: str = "USD"
    time_zone: str = "America/New_York"
    audiences: tuple[tuple[str, int], ...] = (("a1b2c3d4e5", 12_480), ("f6a7b8c9d0", 3_204))
    quiet: set[date] = field(default_factory=set)
    restated: dict[date, int] = field(default_factory=dict)
    changed: tuple[date, str] | None = None

    def mailing(self, audience: str, day: date) -> Mailing | None:
        if day in self.quiet or day > self.today:
            return None
        chance = Random(f"{self.seed}:{audience}:{day}")
        sent = chance.randrange(200, 4000)
        opened = int(sent * chance.uniform(0.2, 0.45))
        return Mailing(
            sent=sent,
            hard_bounces=chance.randrange(0, 9),
            soft_bounces=chance.randrange(0, 30),
            opened=opened,
            clicked=int(opened * chance.uniform(0.03, 0.12)),
            left=chance.randrange(0, 14),
        )

    def campaigns(self, day: date) -> Iterator[FakeCampaign]:
        """One campaign to each audience, at the day's first second or its last."""
        zone = ZoneInfo(self.time_zone)
        for place, (audience, _) in enumerate(self.audiences):
            if self.mailing(audience, day) is not None:
                begin = datetime.combine(day, time.min, zone).astimezone(UTC)
                end = datetime.combine(day + timedelta(days=1), time.min, zone).astimezone(UTC)
                yield FakeCampaign(
                    id=f"{day:%y%m%d}{place:04d}",
                    audience=audience,
                    sent_at=begin if place == 0 else end - timedelta(seconds=1),
                    revenue=self.revenue(audience, day),
                    currency=self.currency_on(day),
                )

    def revenue(self, audience: str, day: date) -> Decimal:
        """What was bought because of the mails of an audience."""
        if day in self.quiet or day > self.today:
            return Decimal(0)
        chance = Random(f"{self.seed}:revenue:{audience}:{day}")
        return Decimal(chance.randrange(5_000, 90_000)) / 100 * self.restated.get(day, 1)

    def currency_on(self, day: date) -> str:
        if self.changed is not None and day >= self.changed[0]:
            return self.changed[1]
        return self.currency
