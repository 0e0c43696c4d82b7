"""Believable visits and searches, the same for the same seed."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from random import Random


@dataclass(frozen=True, slots=True, kw_only=True)
class Visits:
    """A day of a website."""

    sessions: int
    engaged_sessions: int
    active_users: int
    key_events: int
    revenue: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Searches:
    """A day in the results of a search engine; `position` is the mean place, from 1."""

    clicks: int
    impressions: int
    position: Decimal


@dataclass(kw_only=True)
class WebAccount:
    """A website as it is known on `today`; on `quiet` days nobody came or searched.

    `restated` are days whose revenue was found to be that many times what it seemed. Searches are
    final two days later.
    """

    seed: int
    today: date
    property_id: str = "312345678"
    site_url: str = "sc-domain:northwind.example"
    currency: str = "EUR"
    time_zone: str = "Europe/Berlin"
    quiet: set[date] = field(default_factory=set)
    restated: dict[date, int] = field(default_factory=dict)

    def visits(self, day: date) -> Visits | None:
        if day in self.quiet or day > self.today:
            return None
        chance = Random(f"{self.seed}:visits:{day}")
        sessions = chance.randrange(400, 900) - 60 * (day.weekday() > 4)
        return Visits(
            sessions=sessions,
            engaged_sessions=int(sessions * chance.uniform(0.5, 0.7)),
            active_users=int(sessions * chance.uniform(0.75, 0.9)),
            key_events=int(sessions * chance.uniform(0.01, 0.05)),
            revenue=Decimal(chance.randrange(90_000, 400_000)) / 100 * self.restated.get(day, 1),
        )

    def searches(self, day: date) -> Searches | None:
        if day in self.quiet or (self.today - day).days < 2:
            return None
        chance = Random(f"{self.seed}:searches:{day}")
        impressions = chance.randrange(3000, 9000)
        return Searches(
            clicks=int(impressions * chance.uniform(0.02, 0.05)),
            impressions=impressions,
            position=Decimal(chance.randrange(80, 240)) / 10,
        )
