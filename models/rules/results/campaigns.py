"""Ad campaigns of a period: the numbers derived from their sums, and the order they come in.

Source: clients/results.yaml, rules.campaigns. A number whose denominator is 0 or missing is None,
never 0 and never infinite.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import TypeVar

from models.rules.clients.rounding import RATIO_PLACES, SCORE_PLACES, rounded


class CampaignSort(StrEnum):
    """What campaigns can be sorted by."""

    SPEND = "spend"
    IMPRESSIONS = "impressions"
    CLICKS = "clicks"
    CONVERSIONS = "conversions"
    CONVERSION_VALUE = "conversion_value"
    REACH = "reach"
    FREQUENCY = "frequency"
    ROAS = "roas"
    CPA = "cpa"
    CPM = "cpm"
    CTR = "ctr"
    CAMPAIGN_NAME = "campaign_name"


class SortDirection(StrEnum):
    """Upwards or downwards; what has no value comes last both ways."""

    ASC = "asc"
    DESC = "desc"


class CampaignStatus(StrEnum):
    """What the platforms' own words for a campaign's state come down to."""

    ACTIVE = "active"
    PAUSED = "paused"
    ENDED = "ended"
    REMOVED = "removed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """What is added up over a period."""

    spend: Decimal = Decimal(0)
    impressions: int = 0
    clicks: int = 0
    conversions: Decimal = Decimal(0)
    conversion_value: Decimal = Decimal(0)
    reach: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Derived:
    """What follows from the sums, exact; `shown` gives what the wire shows."""

    roas: Fraction | None
    cpa: Fraction | None
    cpm: Fraction | None
    ctr: Fraction | None
    cpc: Fraction | None
    frequency: Fraction | None

    def shown(self) -> dict[str, Decimal | None]:
        """Each number rounded: money and percentages to 2 places, ratios to 4."""
        return {
            "roas": _round(self.roas, RATIO_PLACES),
            "cpa": _round(self.cpa, SCORE_PLACES),
            "cpm": _round(self.cpm, SCORE_PLACES),
            "ctr": _round(self.ctr, SCORE_PLACES),
            "cpc": _round(self.cpc, SCORE_PLACES),
            "frequency": _round(self.frequency, RATIO_PLACES),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Sortable:
    """A campaign as far as its place in the list goes."""

    campaign_id: str
    platform: str
    name: str
    sums: Sums


C = TypeVar("C", bound=Sortable)


def derived(sums: Sums) -> Derived:
    """The derived numbers of a campaign, or of several together."""
    return Derived(
        roas=_share(sums.conversion_value, sums.spend),
        cpa=_share(sums.spend, sums.conversions),
        cpm=_share(sums.spend, sums.impressions, 1000),
        ctr=_share(sums.clicks, sums.impressions, 100),
        cpc=_share(sums.spend, sums.clicks),
        frequency=_share(sums.impressions, sums.reach),
    )


def together(parts: Sequence[Sums]) -> Sums:
    """Several campaigns added up; their reach is that of those which have any."""
    reached = [one.reach for one in parts if one.reach is not None]
    return Sums(
        spend=sum((one.spend for one in parts), Decimal(0)),
        impressions=sum(one.impressions for one in parts),
        clicks=sum(one.clicks for one in parts),
        conversions=sum((one.conversions for one in parts), Decimal(0)),
        conversion_value=sum((one.conversion_value for one in parts), Decimal(0)),
        reach=sum(reached) if reached else None,
    )


def derived_together(parts: Sequence[Sums]) -> Derived:
    """The derived numbers of several campaigns; frequency is that of those which have a reach."""
    reached = together([one for one in parts if one.reach is not None])
    return replace(derived(together(parts)), frequency=derived(reached).frequency)


def in_order(campaigns: Sequence[C], by: CampaignSort, direction: SortDirection) -> list[C]:
    """Sort on exact values; without one last both ways, ties by name, platform and id."""
    tied = sorted(campaigns, key=lambda one: (one.name.casefold(), one.platform, one.campaign_id))
    downwards = direction is SortDirection.DESC
    if by is CampaignSort.CAMPAIGN_NAME:
        return sorted(tied, key=lambda one: one.name.casefold(), reverse=downwards)
    keyed = [(one, _value(one.sums, by)) for one in tied]
    known = [(one, value) for one, value in keyed if value is not None]
    # Sorting is stable both ways, so that ties stay in their own order.
    known.sort(key=lambda pair: -pair[1] if downwards else pair[1])
    return [one for one, _ in known] + [one for one, value in keyed if value is None]


def _value(sums: Sums, by: CampaignSort) -> Fraction | None:
    if hasattr(sums, by):
        value = getattr(sums, by)
        return None if value is None else Fraction(value)
    exact: Fraction | None = getattr(derived(sums), by)
    return exact


def _share(above: Decimal | int, below: Decimal | int | None, factor: int = 1) -> Fraction | None:
    return Fraction(above) / Fraction(below) * factor if below else None


def _round(value: Fraction | None, places: int) -> Decimal | None:
    return None if value is None else rounded(value, places)
