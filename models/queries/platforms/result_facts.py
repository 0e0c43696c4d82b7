"""Results as the models that write about them are given them: JSON values, computed by us.

Source: clients/results.yaml, rules.insight.inputs and rules.ask, clients/qbrs.yaml,
rules.preparation.inputs. Lists are bounded as documented, the largest spend first.
"""

from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncConnection

from models.queries.people.text_sources import plain
from models.queries.platforms import campaigns, insights, results, stored_days
from models.queries.platforms.campaigns import Campaign
from models.queries.platforms.connections import IS_ACTIVE
from models.rules.clients.rounding import rounded
from models.rules.results.campaigns import derived
from models.rules.results.comparison import delta_pct
from models.rules.results.measured import Measured
from models.rules.results.periods import Period
from models.tables.platforms import PlatformConnection

_OF_METRICS: Final = (
    "metric_key", "value", "avg_value", "data_points", "currency", "prior_value", "delta_pct",
    "target", "tracking_status",
)  # fmt: skip
_LONGEST_TEXT: Final = 500
"""Of a campaign's name and of a creative, in characters: what is told is paid for."""


def days_of(period: Period) -> dict[str, Any]:
    """A period by its first and last day."""
    return {"start": period.start.isoformat(), "end": period.end.isoformat(), "days": period.days}


async def metrics(db: AsyncConnection, company_id: str, period: Period) -> list[dict[str, Any]]:
    """The metrics of a period, as results show them.

    Raises:
        NotFound: there is no such client.
    """
    facts = await results.client_facts(db, company_id)
    found = await results.metrics(db, company_id, period, reporting=facts.reporting)
    return list(map(_metric, found))


async def metrics_between(
    db: AsyncConnection, company_id: str, start: date, end: date
) -> list[dict[str, Any]]:
    """The metrics of a stretch of days, against the equally long one before.

    Raises:
        NotFound: there is no such client.
    """
    facts = await results.client_facts(db, company_id)
    reporting = facts.reporting
    found = await results.metrics_between(db, company_id, start, end, reporting=reporting)
    return list(map(_metric, found))


async def largest_campaigns(
    db: AsyncConnection, company_id: str, period: Period, *, most: int
) -> list[dict[str, Any]]:
    """The campaigns with the largest spend, with their top creatives and what was spent before."""
    found = await campaigns.breakdown(db, company_id, period)
    return list(map(_campaign, found.campaigns[:most]))


async def daily_spend(
    db: AsyncConnection, company_id: str, first: date, last: date
) -> list[dict[str, Any]]:
    """What was spent on each day that has data, in each currency."""
    present, _ = await stored_days.of_window(db, company_id, first=first, start=first, last=last)
    return [
        {
            "currency": currency,
            "days": [
                {
                    "date": (first + timedelta(days=number)).isoformat(),
                    "spend": plain(rounded(amount)),
                }
                for number, amount in zip(spent.days, spent.amounts, strict=True)
            ],
        }
        for (key, currency), spent in sorted(present.series.items(), key=str)
        if key == "spend"
    ]


async def connections(
    db: AsyncConnection, company_id: str, *, to_the_day: bool = False
) -> list[dict[str, Any]]:
    """The newest connection to each platform: whether it works, and how fresh its numbers are."""
    found = await db.execute(
        select(
            PlatformConnection.platform, PlatformConnection.status,
            PlatformConnection.last_synced_at, PlatformConnection.last_sync_error,
        )
        .where(PlatformConnection.company_id == company_id)
        .ext(distinct_on(PlatformConnection.platform))
        .order_by(
            PlatformConnection.platform, IS_ACTIVE.desc(), PlatformConnection.connected_at.desc(),
            PlatformConnection.id,
        )
    )  # fmt: skip
    return [
        {
            "platform": row.platform,
            "status": row.status,
            "last_synced_at": _fresh(row.last_synced_at, to_the_day),
            "last_sync_error": plain(row.last_sync_error),
        }
        for row in found
    ]


async def newest_insight(
    db: AsyncConnection, company_id: str, *, ends_in: Period | None = None
) -> dict[str, Any] | None:
    """What was written last about the numbers, of all or of a period."""
    row = await insights.newest(db, company_id, ends_in=ends_in)
    if row is None:
        return None
    return {
        "id": row.id,
        "period": {
            "type": row.period_type,
            "start": row.period_start.isoformat(),
            "end": row.period_end.isoformat(),
        },
        "generated_at": plain(row.generated_at),
        "health_score": row.health_score,
        "overall_health": row.overall_health,
        "content_json": row.content_json,
    }


def _fresh(at: datetime | None, to_the_day: bool) -> Any:
    return plain(at.date() if at is not None and to_the_day else at)


def _metric(one: Measured) -> dict[str, Any]:
    return {name: plain(getattr(one, name)) for name in _OF_METRICS}


def _campaign(one: Campaign) -> dict[str, Any]:
    sums = one.sums
    shown = derived(sums).shown()
    return {
        "campaign_id": one.campaign_id,
        "platform": one.platform,
        "name": one.name[:_LONGEST_TEXT],
        "status": one.status,
        "objective": one.objective,
        "currency": one.currency,
        "spend": plain(rounded(sums.spend)),
        "prior_spend": None if one.prior_spend is None else plain(rounded(one.prior_spend)),
        "spend_delta_pct": plain(delta_pct(sums.spend, one.prior_spend)),
        "impressions": sums.impressions,
        "clicks": sums.clicks,
        "conversions": plain(rounded(sums.conversions)),
        "conversion_value": plain(rounded(sums.conversion_value)),
        **{name: plain(shown[name]) for name in ("roas", "cpa", "ctr", "cpc")},
        "top_creative_title": _cut(one.creative_title),
        "top_creative_body": _cut(one.creative_body),
    }


def _cut(text: str | None) -> str | None:
    return None if text is None else text[:_LONGEST_TEXT]
