"""What models wrote about a client's numbers, and the last day that anything is stored of."""

from datetime import date, datetime
from functools import cache
from typing import Any, Final, NamedTuple

from sqlalchemy import Date, Integer, Text, bindparam, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from models.db.prepared import Prepared
from models.rules.clients.vocabulary import PeriodType
from models.rules.results.periods import Period
from models.tables.results import CampaignDaily, MetricSnapshot, ResultInsight

_NEWEST: Final = (ResultInsight.generated_at.desc(), ResultInsight.id.desc())


class InsightRow(NamedTuple):
    """What a model wrote about a period."""

    id: str
    content: str
    content_json: dict[str, Any]
    health_score: int | None
    overall_health: str | None
    period_type: str
    period_start: date
    period_end: date
    generated_at: datetime


async def newest(
    db: AsyncConnection, company_id: str, *, ends_in: Period | None = None
) -> InsightRow | None:
    """The insight that was written last; with a period one that ends in it, rather of its type."""
    bound: dict[str, Any] = {"company": company_id, "limit": 1}
    if ends_in is not None:
        bound |= {"start": ends_in.start, "end": ends_in.end, "type": ends_in.type.value}
    found = await _newest(ends_in is not None).fetch(db, bound)
    return found[0] if found else None


@cache
def _newest(of_period: bool) -> Prepared[InsightRow]:
    mine = select(*(getattr(ResultInsight, name) for name in InsightRow._fields)).where(
        ResultInsight.company_id == bindparam("company", type_=Text)
    )
    if of_period:
        start, end = (bindparam(name, type_=Date) for name in ("start", "end"))
        is_of_type = ResultInsight.period_type == bindparam("type", type_=Text)
        mine = mine.where(ResultInsight.period_end.between(start, end)).order_by(is_of_type.desc())
    one = bindparam("limit", type_=Integer, literal_execute=True)
    return Prepared(mine.order_by(*_NEWEST).limit(one), InsightRow)


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
