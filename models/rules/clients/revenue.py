"""Revenue: the window it is counted in, the source it is taken from, and the score it earns.

Source: clients/tier_scores.yaml, rules.revenue and rules.revenue_score. Money is in whole units of
the tenant's reporting currency; months are calendar months in UTC, named by their first day.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from models.rules.clients.rounding import rounded
from models.rules.clients.vocabulary import RevenueOrigin, RevenueSource
from models.rules.months import add_months

WINDOW_MONTHS: Final = 12
LOWEST_SCORE: Final = 1

BANDS: Final = (
    (5, Decimal(300_000)),
    (4, Decimal(150_000)),
    (3, Decimal(75_000)),
    (2, Decimal(25_000)),
)
"""The lowest annual total of each score, best score first; anything less scores 1."""

SOURCES: Final[Mapping[RevenueOrigin, RevenueSource]] = MappingProxyType(
    {
        RevenueOrigin.NUCLEUS: RevenueSource.NUCLEUS,
        RevenueOrigin.STRIPE: RevenueSource.NUCLEUS,
        RevenueOrigin.PRODUCTIVE: RevenueSource.PRODUCTIVE,
    }
)
"""To which source an entry belongs; what Stripe sends joins the ledger."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RevenueWindow:
    """Complete months: from the first day of the first to before `end`."""

    first: date
    end: date

    @property
    def months(self) -> tuple[date, ...]:
        """The first days of its months, oldest first."""
        return tuple(add_months(self.first, number) for number in range(WINDOW_MONTHS))


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthEntries:
    """What one source has for a client in one month: how many entries, and their sum."""

    month: date
    source: RevenueSource
    entries: int
    total: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceTotals:
    """What the two sources have for a client in a stretch of time: entries and their sums."""

    nucleus_entries: int = 0
    nucleus_total: Decimal = Decimal(0)
    productive_entries: int = 0
    productive_total: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Revenue:
    """A client's revenue from the one source that counts, rounded, with the score it earns."""

    annual_total: Decimal
    score: int
    source: RevenueSource


@dataclass(frozen=True, slots=True, kw_only=True)
class RevenueSummary:
    """A client's revenue and its parts by month, oldest first, each rounded by itself."""

    revenue: Revenue
    monthly: tuple[tuple[date, Decimal], ...]


def revenue_window(today: date) -> RevenueWindow:
    """The 12 complete months before the current one."""
    end = today.replace(day=1)
    return RevenueWindow(first=add_months(end, -WINDOW_MONTHS), end=end)


def month_name(month: date) -> str:
    """A month as the wire has it: YYYY-MM."""
    return month.isoformat()[: len("YYYY-MM")]


def source_of(*, nucleus_entries: int, productive_entries: int) -> RevenueSource:
    """The source for a whole stretch of time; the two are never added."""
    if nucleus_entries:
        return RevenueSource.NUCLEUS
    return RevenueSource.PRODUCTIVE if productive_entries else RevenueSource.NONE


def revenue_score(annual_total: Decimal) -> int:
    """From 1 to 5 by the rounded total; a lower bound belongs to its band."""
    return next((score for score, lowest in BANDS if annual_total >= lowest), LOWEST_SCORE)


def revenue(totals: SourceTotals) -> Revenue:
    """Choose the source, round its sum, and score it."""
    source = source_of(
        nucleus_entries=totals.nucleus_entries, productive_entries=totals.productive_entries
    )
    sums = {
        RevenueSource.NUCLEUS: totals.nucleus_total,
        RevenueSource.PRODUCTIVE: totals.productive_total,
    }
    annual_total = rounded(sums.get(source, Decimal(0)))
    return Revenue(annual_total=annual_total, score=revenue_score(annual_total), source=source)


def summary(window: RevenueWindow, entries: Iterable[MonthEntries]) -> RevenueSummary:
    """The client's revenue in the window; a month without any has 0."""
    rows = [row for row in entries if window.first <= row.month < window.end]
    of = {
        source: [row for row in rows if row.source is source]
        for source in (RevenueSource.NUCLEUS, RevenueSource.PRODUCTIVE)
    }
    nucleus, productive = of[RevenueSource.NUCLEUS], of[RevenueSource.PRODUCTIVE]
    chosen = revenue(
        SourceTotals(
            nucleus_entries=sum(row.entries for row in nucleus),
            nucleus_total=sum((row.total for row in nucleus), Decimal(0)),
            productive_entries=sum(row.entries for row in productive),
            productive_total=sum((row.total for row in productive), Decimal(0)),
        )
    )
    totals = dict.fromkeys(window.months, Decimal(0))
    for row in of.get(chosen.source, []):
        totals[row.month] += row.total
    monthly = tuple((month, rounded(total)) for month, total in totals.items())
    return RevenueSummary(revenue=chosen, monthly=monthly)
