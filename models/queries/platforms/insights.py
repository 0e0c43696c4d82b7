"""What models wrote about a client's numbers, and the last day that anything is stored of."""

from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from models.db.rows import AnyRow
from models.rules.clients.vocabulary import PeriodType
from models.rules.results.periods import Period
from models.tables.results import CampaignDaily, MetricSnapshot, ResultInsight

_NEWEST: Final = (ResultInsight.generated_at.desc(), ResultInsight.id.desc())


async def newest(
    db: AsyncConnection, company_id: str, *, ends_in: Period | None = None
) -> AnyRow | None:
    """The insight that was written last; with a period one that ends in it, rather of its type."""
    mine = select(ResultInsight.__table__).where(ResultInsight.company_id == company_id)
    if ends_in is None:
        chosen = mine.order_by(*_NEWEST)
    else:
        is_of_type = ResultInsight.period_type == ends_in.type
        chosen = mine.where(ResultInsight.period_end.between(ends_in.start, ends_in.end)).order_by(
            is_of_type.desc(), *_NEWEST
        )
    found = await db.execute(chosen.limit(1))
    return found.one_or_none()


async def newest_hash(db: AsyncConnection, company_id: str, type: PeriodType) -> str | None:
    """What the newest insight of this type was made from, by its hash."""
    found = await db.execute(
        select(ResultInsight.input_hash)
        .where(ResultInsight.company_id == company_id, ResultInsight.period_type == type)
        .order_by(*_NEWEST)
        .limit(1)
    )
    return found.scalar_one_or_none()


async def is_written_since(
    db: AsyncConnection, company_id: str, type: PeriodType, since: datetime
) -> bool:
    """Tell whether an insight of this type was written since then."""
    found = await db.execute(
        select(ResultInsight.id)
        .where(
            ResultInsight.company_id == company_id,
            ResultInsight.period_type == type,
            ResultInsight.generated_at >= since,
        )
        .limit(1)
    )
    return found.scalar_one_or_none() is not None


async def exists(db: AsyncConnection, company_id: str, insight_id: str) -> bool:
    """Tell whether the client has this insight."""
    found = await db.execute(
        select(ResultInsight.id).where(
            ResultInsight.company_id == company_id, ResultInsight.id == insight_id
        )
    )
    return found.scalar_one_or_none() is not None


async def store(db: AsyncConnection, values: dict[str, Any]) -> None:
    """Keep an insight beside those before it, once."""
    await db.execute(insert(ResultInsight).values(values).on_conflict_do_nothing())


async def last_stored_day(db: AsyncConnection, company_id: str) -> date | None:
    """The last day of which any number of the client is stored."""
    days = [
        (
            await db.execute(select(func.max(table.day)).where(table.company_id == company_id))
        ).scalar()
        for table in (MetricSnapshot, CampaignDaily)
    ]
    return max((day for day in days if day is not None), default=None)
