"""Days that a connector adds up by itself, from orders or from the lists of a mailing."""

import logging
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal

from activities.connectors.ports import DayMetric
from activities.connectors.wire import days

_log = logging.getLogger(__name__)


class DayTotals:
    """Counts of some keys, and amounts of at most one, by day.

    A day can be stored in one currency alone. Where an account changed it in the middle of a day,
    the day is told in the new one and without what was paid in the old one.
    """

    def __init__(self, vendor: str, counts: Sequence[str], money: str | None = None) -> None:
        self._vendor = vendor
        self._keys = tuple(counts)
        self._money = money
        self._counts: dict[tuple[date, str], Decimal] = defaultdict(Decimal)
        self._amounts: dict[date, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))

    def count(self, day: date, key: str, value: Decimal | int = 1) -> None:
        """Add to a count of the day."""
        self._counts[day, key] += value

    def pay(self, day: date, amount: Decimal, currency: str) -> None:
        """Add an amount to the day; payments of a day come in the order of their time."""
        known = self._amounts[day]
        # The last key is the currency that the day ended in.
        known[currency] = known.pop(currency, Decimal(0)) + amount

    def rows(self, first: date, last: date, currency: str | None) -> Iterator[DayMetric]:
        """A row for every key and day; days without money are told in `currency`, if there is one.

        A shop without any currency has no amounts either, so there is nothing to tell of them.
        """
        for day in days(first, last):
            for key in self._keys:
                yield DayMetric(day=day, metric_key=key, value=self._counts[day, key])
            if self._money is not None:
                yield from self._paid(day, self._money, currency)

    def _paid(self, day: date, key: str, currency: str | None) -> Iterator[DayMetric]:
        known = self._amounts.get(day, {})
        if len(known) > 1:
            _log.warning(
                "%s has amounts in %s on %s: only the last is stored",
                self._vendor, ", ".join(known), day,
            )  # fmt: skip
        told = next(reversed(known), currency)
        if told is not None:
            amount = known.get(told, Decimal(0))
            yield DayMetric(day=day, metric_key=key, value=amount, currency=told)
