"""An account's day as ad platforms count it, and the metrics that are stored of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from activities.connectors.ports import Access, CampaignDay, DayMetric
from activities.connectors.wire import days


@dataclass(frozen=True, slots=True, kw_only=True)
class AdDay:
    """What happened on a day; `reach` is None where the platform has none."""

    spend: Decimal = Decimal(0)
    impressions: int = 0
    clicks: int = 0
    conversions: Decimal = Decimal(0)
    conversion_value: Decimal = Decimal(0)
    reach: int | None = None

    def of_campaign(self, campaign_id: str, day: date, currency: str) -> CampaignDay:
        """The same as a day of a campaign."""
        return CampaignDay(
            campaign_id=campaign_id, day=day, currency=currency, spend=self.spend,
            impressions=self.impressions, clicks=self.clicks, conversions=self.conversions,
            conversion_value=self.conversion_value, reach=self.reach,
        )  # fmt: skip


def currency_of(access: Access) -> str:
    """The account's currency; an account of ads always has one."""
    if access.currency is None:
        raise ValueError("An account of ads has a currency.")
    return access.currency


def metrics_of(
    known: Mapping[date, AdDay], access: Access, first: date, last: date, *, quiet: AdDay
) -> Iterator[DayMetric]:
    """The metrics of every day of the range; a day that the platform left out was a `quiet` one."""
    currency = currency_of(access)
    for day in days(first, last):
        seen = known.get(day, quiet)
        yield DayMetric(day=day, metric_key="spend", value=seen.spend, currency=currency)
        yield DayMetric(day=day, metric_key="impressions", value=Decimal(seen.impressions))
        if seen.reach is not None:
            yield DayMetric(day=day, metric_key="reach", value=Decimal(seen.reach))
        yield DayMetric(day=day, metric_key="clicks", value=Decimal(seen.clicks))
        yield DayMetric(day=day, metric_key="conversions", value=seen.conversions)
        yield DayMetric(
            day=day, metric_key="conversion_value", value=seen.conversion_value, currency=currency
        )
