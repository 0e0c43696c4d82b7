"""What is asked of results: a period, and of campaigns a platform and an order."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Final, Literal

from fastapi import Depends, Query

from api.http.bodies import Day
from models.errors import Invalid, ProblemItem
from models.rules.clients.vocabulary import PeriodType
from models.rules.results.campaigns import CampaignSort, SortDirection
from models.rules.results.periods import Period, latest_end, period

AdPlatform = Literal["meta_ads", "google_ads", "tiktok_ads", "linkedin_ads"]
"""The platforms that have campaigns."""
EARLIEST: Final = date(3, 1, 1)
"""A year before it has a year before that one; there are no dates further back."""


async def _period(
    period_type: PeriodType = PeriodType.MONTH,
    period_end: Annotated[
        Day | None, Query(description="The last day; today by default, tomorrow at the latest.")
    ] = None,
) -> Period:
    today = datetime.now(UTC).date()
    end = period_end or today
    if not EARLIEST <= end <= latest_end(today):
        item = ProblemItem(
            location="query.period_end",
            message=f"Should be from {EARLIEST} to {latest_end(today)}",
            value=end.isoformat(),
        )
        raise Invalid("No period ends on this day.", item)
    return period(period_type, end)


Asked = Annotated[Period, Depends(_period)]
"""The period that results are asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignsAsked:
    """Whose campaigns, and in which order."""

    platform: AdPlatform | None
    sort_by: CampaignSort
    sort_dir: SortDirection


async def _campaigns(
    platform: Annotated[AdPlatform | None, Query(description="This one alone.")] = None,
    sort_by: Annotated[
        CampaignSort, Query(description="Campaigns without a value come last both ways.")
    ] = CampaignSort.SPEND,
    sort_dir: SortDirection = SortDirection.DESC,
) -> CampaignsAsked:
    return CampaignsAsked(platform=platform, sort_by=sort_by, sort_dir=sort_dir)


AskedCampaigns = Annotated[CampaignsAsked, Depends(_campaigns)]
"""The campaigns that are asked for."""
