"""Numbers of platforms by day, and who they came from, as the connectors leave them."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import insert, text

from models.db.database import Database
from models.ids import new_id
from models.rules.clients.metrics import MetricUnit, metric_of
from models.tables.base import Base
from models.tables.platforms import PlatformConnection
from models.tables.results import (
    AdCampaign,
    AdCreative,
    CampaignDaily,
    CampaignReach,
    CreativeDaily,
    MetricSnapshot,
    ResultInsight,
)
from tests.factories.agents import TenantMade

AS_OF = datetime(2025, 4, 1, 4, tzinfo=UTC)
_BY_DAY = (CampaignDaily, CreativeDaily, MetricSnapshot)


async def store(
    database: Database, tenant: TenantMade, table: type[Base], rows: Sequence[Mapping[str, Any]]
) -> None:
    """Store rows, and the parts of the table that their days are in."""
    async with database.tenant(tenant.id) as db:
        if table in _BY_DAY:
            bound = {"first": min(r["day"] for r in rows), "last": max(r["day"] for r in rows)}
            await db.execute(text("select ensure_day_parts(:first, :last)"), bound)
        await db.execute(insert(table), [{"tenant_id": tenant.id, **row} for row in rows])


async def store_metric(
    database: Database,
    tenant: TenantMade,
    company_id: str,
    metric_key: str,
    first: date,
    values: Sequence[Any],
    *,
    platform: str = "meta_ads",
    account_id: str = "1",
    currency: str | None = "USD",
) -> None:
    """A value for each day from the first on; a day with None has no row."""
    is_money = metric_of(metric_key).unit is MetricUnit.MONEY
    rows = [
        {
            "company_id": company_id,
            "day": first + timedelta(days=number),
            "metric_key": metric_key,
            "platform": platform,
            "account_id": account_id,
            "value": Decimal(str(value)),
            "currency": currency if is_money else None,
            "as_of": AS_OF,
        }
        for number, value in enumerate(values)
        if value is not None
    ]
    await store(database, tenant, MetricSnapshot, rows)


async def store_campaign_day(
    database: Database, tenant: TenantMade, company_id: str, **overrides: Any
) -> None:
    """A day of a campaign on which nothing happened."""
    row = {
        "company_id": company_id,
        "day": date(2025, 3, 10),
        "platform": "meta_ads",
        "campaign_id": "1",
        "spend": Decimal(0),
        "impressions": 0,
        "clicks": 0,
        "conversions": Decimal(0),
        "conversion_value": Decimal(0),
        "reach": None,
        "currency": "USD",
        "as_of": AS_OF,
        **overrides,
    }
    await store(database, tenant, CampaignDaily, [row])


async def store_campaign(
    database: Database, tenant: TenantMade, company_id: str, **overrides: Any
) -> None:
    """What is known latest of a campaign."""
    row = {
        "company_id": company_id,
        "platform": "meta_ads",
        "campaign_id": "1",
        "account_id": "1",
        "name": "Spring",
        "status": "active",
        **overrides,
    }
    await store(database, tenant, AdCampaign, [row])


async def store_creative(
    database: Database, tenant: TenantMade, company_id: str, **overrides: Any
) -> None:
    """A creative of a campaign, and what was spent on it on a day."""
    day = {
        "company_id": company_id,
        "day": overrides.pop("day", date(2025, 3, 10)),
        "platform": overrides.get("platform", "meta_ads"),
        "creative_id": overrides["creative_id"],
        "spend": Decimal(overrides.pop("spend", 0)),
        "conversions": Decimal(overrides.pop("conversions", 0)),
        "as_of": AS_OF,
    }
    row = {"company_id": company_id, "platform": "meta_ads", "campaign_id": "1", **overrides}
    await store(database, tenant, AdCreative, [row])
    await store(database, tenant, CreativeDaily, [day])


async def store_reach(
    database: Database, tenant: TenantMade, company_id: str, start: date, end: date, reach: int
) -> None:
    """The reach of campaign 1 of Meta over a whole stretch of days."""
    row = {
        "company_id": company_id, "period_start": start, "period_end": end,
        "platform": "meta_ads", "campaign_id": "1", "reach": reach, "as_of": AS_OF,
    }  # fmt: skip
    await store(database, tenant, CampaignReach, [row])


async def store_insight(
    database: Database, tenant: TenantMade, company_id: str, **overrides: Any
) -> None:
    """What a model wrote about March 2025."""
    row = {
        "id": new_id(),
        "company_id": company_id,
        "period_type": "month",
        "period_start": date(2025, 3, 1),
        "period_end": date(2025, 3, 31),
        "content": "All is well.",
        "content_json": {"version": 1},
        "health_score": 80,
        "overall_health": "healthy",
        "model": "m",
        "prompt_version": "1",
        "input_hash": "h",
        "generated_at": AS_OF,
        **overrides,
    }
    await store(database, tenant, ResultInsight, [row])


async def connect_platform(
    database: Database,
    tenant: TenantMade,
    company_id: str,
    platform: str,
    status: str = "active",
    **overrides: Any,
) -> None:
    """A connection whose credentials nobody can open."""
    is_sealed = status != "disconnected"
    row = {
        "id": new_id(), "company_id": company_id, "platform": platform, "status": status,
        "source": "manual", "connected_at": AS_OF,
        "sealed_credentials": b"sealed" if is_sealed else None,
        "key_id": "k" if is_sealed else None,
        **overrides,
    }  # fmt: skip
    await store(database, tenant, PlatformConnection, [row])
