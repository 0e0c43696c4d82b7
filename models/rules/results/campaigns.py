"""Ad campaigns of a period: the numbers derived from their sums, and the order they come in.

Source: clients/results.yaml, rules.campaigns. A number whose denominator is 0 or missing is None,
never 0 and never infinite.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple, TypeVar

from models.rules.clients.rounding import RATIO_PLACES, SCORE_PLACES, quotient


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


class Share(NamedTuple):
    """A number that is derived from two sums: factor * above / below."""

    above: Decimal | int
    below: Decimal | int | None
    factor: int = 1

    @property
    def exact(self) -> Fraction | None:
        return Fraction(self.above) / Fraction(self.below) * self.factor if self.below else None

    def rounded(self, places: int) -> Decimal | None:
        """The number as the wire shows it."""
        if not self.below:
            return None
        return quotient(self.above, self.below, places, factor=self.factor)


class Derived(NamedTuple):
    """What follows from the sums."""

    roas: Share
    cpa: Share
    cpm: Share
    ctr: Share
    cpc: Share
    frequency: Share

    def shown(self) -> dict[str, Decimal | None]:
        """Each number rounded: money and percentages to 2 places, ratios to 4."""
        return {
            "roas": self.roas.rounded(RATIO_PLACES),
            "cpa": self.cpa.rounded(SCORE_PLACES),
            "cpm": self.cpm.rounded(SCORE_PLACES),
            "ctr": self.ctr.rounded(SCORE_PLACES),
            "cpc": self.cpc.rounded(SCORE_PLACES),
            "frequency": self.frequency.rounded(RATIO_PLACES),
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
        roas=Share(sums.conversion_value, sums.spend),
        cpa=Share(sums.spend, sums.conversions),
        cpm=Share(sums.spend, sums.impressions, 1000),
        ctr=Share(sums.clicks, sums.impressions, 100),
        cpc=Share(sums.spend, sums.clicks),
        frequency=Share(sums.impressions, sums.reach),
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
    return derived(together(parts))._replace(frequency=derived(reached).frequency)


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
    share: Share = getattr(derived(sums), by)
    return share.exact
