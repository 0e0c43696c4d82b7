"""Believable shops, the same for the same seed: their orders, and what is left of them.

Orders are spread over the day of the shop's own zone, which has 23 or 25 hours twice a year; the
first and the last second of each day have one, so that a day that is cut wrongly shows.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from typing import Final
from zoneinfo import ZoneInfo

_WEEK: Final = (0.9, 0.88, 0.95, 1.0, 1.1, 1.2, 1.15)
_FATES: Final = ("kept", "returned", "goodwill", "edited", "cancelled", "unpaid")
_CHANCES: Final = (82, 6, 4, 4, 2, 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeOrder:
    """An order; `left` is what was not given back of its total. `place` counts the customer's."""

    id: int
    placed_at: datetime
    total: Decimal
    left: Decimal
    currency: str
    fate: str
    customer: int | None
    place: int | None
    is_test: bool = False

    @property
    def counts(self) -> bool:
        """Whether it is an order at all; of a cancelled one nothing is left."""
        return not self.is_test and self.fate not in ("cancelled", "unpaid")


@dataclass(kw_only=True)
class ShopAccount:
    """A shop as it is known on `today`.

    `quiet` are days without orders. `refunded` are days of which everything was sent back in the
    end. `changed` is the day on which the shop began to sell in another currency, and which.
    """

    seed: int
    today: date
    domain: str = "northwind-outfitters.myshopify.com"
    name: str = "Northwind Outfitters"
    currency: str = "EUR"
    time_zone: str = "Europe/Berlin"
    orders_a_day: int = 12
    quiet: set[date] = field(default_factory=set)
    refunded: set[date] = field(default_factory=set)
    changed: tuple[date, str] | None = None

    def orders(self, day: date) -> tuple[FakeOrder, ...]:
        """The orders of a day in the order they came, test orders among them."""
        if day in self.quiet or day > self.today:
            return ()
        chance = Random(f"{self.seed}:orders:{day}")
        wanted = max(2, round(self.orders_a_day * _WEEK[day.weekday()] * chance.uniform(0.7, 1.3)))
        begin, seconds = self._span(day)
        offsets = sorted({0, seconds - 1, *(chance.randrange(seconds) for _ in range(wanted - 2))})
        base = (day - date(2020, 1, 1)).days * 1000
        return tuple(
            self._order(chance, base + number, begin + timedelta(seconds=offset), day)
            for number, offset in enumerate(offsets)
        )

    def revenue(self, day: date) -> Decimal:
        return sum((one.left for one in self._counted(day)), Decimal(0))

    def order_count(self, day: date) -> int:
        return sum(1 for _ in self._counted(day))

    def new_customers(self, day: date) -> int:
        return sum(1 for one in self._counted(day) if one.place == 1)

    def returning_orders(self, day: date) -> int:
        return sum(1 for one in self._counted(day) if (one.place or 0) > 1)

    def currency_on(self, day: date) -> str:
        if self.changed is not None and day >= self.changed[0]:
            return self.changed[1]
        return self.currency

    def _counted(self, day: date) -> Iterator[FakeOrder]:
        return (one for one in self.orders(day) if one.counts)

    def _span(self, day: date) -> tuple[datetime, int]:
        zone = ZoneInfo(self.time_zone)
        begin = datetime.combine(day, time.min, zone).astimezone(UTC)
        end = datetime.combine(day + timedelta(days=1), time.min, zone).astimezone(UTC)
        return begin, int((end - begin).total_seconds())

    def _order(self, chance: Random, id: int, placed_at: datetime, day: date) -> FakeOrder:
        total = Decimal(chance.randrange(1900, 24000)) / 100
        (fate,) = chance.choices(_FATES, _CHANCES)
        share = Decimal(chance.randrange(20, 80)) / 100
        guest = chance.random() < 0.1
        place = 1 if chance.random() < 0.6 else chance.randrange(2, 9)
        is_test = chance.random() < 0.04
        if fate == "kept" and day in self.refunded:
            fate, share = "returned", Decimal(0)
        left = {"kept": total, "cancelled": Decimal(0), "unpaid": Decimal(0)}.get(
            fate, (total * share).quantize(Decimal("0.01"))
        )
        return FakeOrder(
            id=id,
            placed_at=placed_at,
            total=total,
            left=left,
            currency=self.currency_on(day),
            fate=fate,
            customer=None if guest else 7_000_000 + id,
            place=None if guest else place,
            is_test=is_test,
        )
