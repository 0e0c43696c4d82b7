"""Results by ad campaign on the wire."""

import datetime
from decimal import Decimal
from typing import Any

from pydantic import ConfigDict, Field

from api.http.wire import Number, Snake
from api.platforms.results.schemas import PeriodOut
from models.queries.platforms.campaigns import Campaign, InCurrency
from models.rules.clients.rounding import rounded
from models.rules.results.campaigns import (
    CampaignStatus,
    Derived,
    Sums,
    derived,
    derived_together,
    together,
)
from models.rules.results.comparison import delta_pct

_NUMBERS: dict[str, Any] = {
    "spend": 1200.0,
    "impressions": 150000,
    "clicks": 3000,
    "conversions": 60.0,
    "conversion_value": 4800.0,
    "reach": 50000,
    "frequency": 3.0,
    "cpm": 8.0,
    "cpc": 0.4,
    "ctr": 2.0,
    "roas": 4.0,
    "cpa": 20.0,
    "currency": "USD",
    "spend_delta_pct": 12.5,
}
_CAMPAIGN: dict[str, Any] = {
    **_NUMBERS,
    "campaign_id": "120210000000000001",
    "campaign_name": "Spring sale",
    "platform": "meta_ads",
    "campaign_status": "active",
    "campaign_objective": "outcome_sales",
    "daily_budget": 50.0,
    "lifetime_budget": None,
    "top_creative_title": "Twenty percent off",
    "top_creative_body": "Until Sunday.",
}
_TOTALS: dict[str, Any] = {**_NUMBERS, "campaigns_count": 1}


class _Numbers(Snake):
    """Sums of a period and what follows from them; null where it would be divided by nothing."""

    spend: Number
    impressions: int
    clicks: int
    conversions: Number
    conversion_value: Number
    reach: int | None
    frequency: Number | None
    cpm: Number | None
    cpc: Number | None
    ctr: Number | None = Field(description="In percent.")
    roas: Number | None
    cpa: Number | None
    currency: str
    spend_delta_pct: Number | None = Field(description="Against the period before.")


class CampaignOut(_Numbers):
    """An ad campaign over a period."""

    model_config = ConfigDict(json_schema_extra={"examples": [_CAMPAIGN]})

    campaign_id: str = Field(description="The platform's own.")
    campaign_name: str
    platform: str
    campaign_status: CampaignStatus
    campaign_objective: str | None
    daily_budget: Number | None
    lifetime_budget: Number | None
    top_creative_title: str | None
    top_creative_body: str | None


class CurrencyTotalsOut(_Numbers):
    """The campaigns of one currency together."""

    model_config = ConfigDict(json_schema_extra={"examples": [_TOTALS]})

    campaigns_count: int


class CampaignTotalsOut(CurrencyTotalsOut):
    """The campaigns of the primary currency together, and those of each currency."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{**_TOTALS, "by_currency": [_TOTALS]}]}
    )

    by_currency: list[CurrencyTotalsOut]


class CampaignsOut(Snake):
    """The campaigns that did anything in the period, and their totals."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "period": {
                        "type": "month",
                        "start": "2026-03-01",
                        "end": "2026-03-31",
                        "days": 31,
                    },
                    "campaigns": [_CAMPAIGN],
                    "totals": {**_TOTALS, "by_currency": [_TOTALS]},
                }
            ]
        }
    )

    period: PeriodOut
    campaigns: list[CampaignOut]
    totals: CampaignTotalsOut


class DaySpendOut(Snake):
    """What was spent on a day."""

    date: datetime.date
    spend: Number


class DailySpendOut(Snake):
    """What was spent on each campaign id, one element for every day of the period."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"daily": {"120210000000000001": [{"date": "2026-03-01", "spend": 38.71}]}}
            ]
        }
    )

    daily: dict[str, list[DaySpendOut]]


def write_campaign(campaign: Campaign) -> dict[str, Any]:
    """A campaign as `CampaignOut` has it."""
    return {
        "campaign_id": campaign.campaign_id,
        "campaign_name": campaign.name,
        "platform": campaign.platform,
        "campaign_status": campaign.status,
        "campaign_objective": campaign.objective,
        "daily_budget": _number(campaign.daily_budget),
        "lifetime_budget": _number(campaign.lifetime_budget),
        **_numbers(campaign.sums, derived(campaign.sums)),
        "currency": campaign.currency,
        "top_creative_title": campaign.creative_title,
        "top_creative_body": campaign.creative_body,
        "spend_delta_pct": _delta(campaign.sums, campaign.prior_spend),
    }


def write_totals(totals: InCurrency) -> dict[str, Any]:
    """The campaigns of a currency as `CurrencyTotalsOut` has them."""
    sums = together(totals.parts)
    return {
        "campaigns_count": len(totals.parts),
        **_numbers(sums, derived_together(totals.parts)),
        "currency": totals.currency,
        "spend_delta_pct": _delta(sums, totals.prior_spend),
    }


def _numbers(sums: Sums, follows: Derived) -> dict[str, Any]:
    shown = follows.shown().items()
    return {
        "spend": float(rounded(sums.spend)),
        "impressions": sums.impressions,
        "clicks": sums.clicks,
        "conversions": float(rounded(sums.conversions)),
        "conversion_value": float(rounded(sums.conversion_value)),
        "reach": sums.reach,
        **{name: None if value is None else float(value) for name, value in shown},
    }


def _delta(sums: Sums, prior_spend: Decimal | None) -> float | None:
    change = delta_pct(sums.spend, prior_spend)
    return None if change is None else float(change)


def _number(value: Decimal | None) -> float | None:
    return None if value is None else float(rounded(value))
