"""What scores are computed from: revenue by source and month, and how much a client is used.

Source: clients/tier_scores.yaml, rules.revenue and rules.adoption.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Date,
    Select,
    Text,
    and_,
    bindparam,
    case,
    cast,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from models.queries.platforms.connections import IS_ACTIVE
from models.rules.clients.adoption import weeks_before
from models.rules.clients.revenue import SOURCES, MonthEntries, RevenueWindow, SourceTotals
from models.rules.clients.success import Answers, is_complete
from models.rules.clients.vocabulary import RevenueSource
from models.tables.clients import AdoptionWeek
from models.tables.clients_revenue import RevenueEntry
from models.tables.clients_reviews import SuccessProfile
from models.tables.people import Tenant
from models.tables.platforms import PlatformConnection

_NUCLEUS: Final = tuple(
    origin.value for origin, source in SOURCES.items() if source is RevenueSource.NUCLEUS
)
_COMPANIES: Final = bindparam("company_ids", type_=ARRAY(Text))


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptionFacts:
    """What a client's adoption score is computed from; the members of `adoption_score`."""

    platforms: int = 0
    active_weeks: int = 0
    questionnaire: bool = False


async def by_month(
    db: AsyncConnection, company_id: str, window: RevenueWindow
) -> list[MonthEntries]:
    """What each source has for a company in each month of the window that has anything."""
    bound = {"company_ids": [company_id], "first": window.first, "end": window.end}
    found = await db.execute(_by_month(), bound)
    return [
        MonthEntries(
            month=row.month, source=RevenueSource(row.source), entries=row.entries, total=row.total
        )
        for row in found
    ]


async def totals(
    db: AsyncConnection, company_ids: Sequence[str], window: RevenueWindow
) -> dict[str, SourceTotals]:
    """What the sources have for each of these companies in the window; nothing where there is none.

    Every company that was asked about is in the answer.
    """
    bound = {"company_ids": list(company_ids), "first": window.first, "end": window.end}
    found = {row.company_id: row for row in await db.execute(_totals(), bound)}
    return {
        company_id: SourceTotals(
            nucleus_entries=row.nucleus_entries,
            nucleus_total=row.nucleus_total,
            productive_entries=row.productive_entries,
            productive_total=row.productive_total,
        )
        if (row := found.get(company_id)) is not None
        else SourceTotals()
        for company_id in company_ids
    }


async def adoption_facts(
    db: AsyncConnection, company_ids: Sequence[str], today: date
) -> dict[str, AdoptionFacts]:
    """How much each of these companies uses the service; every one of them is in the answer."""
    first, end = weeks_before(today)
    bound = {"company_ids": list(company_ids)}
    weeks = await db.execute(_active_weeks(), {**bound, "first": first, "end": end})
    active = {row.company_id: row.weeks for row in weeks}
    answered = await db.execute(_questionnaires(), bound)
    complete = {row.company_id for row in answered if is_complete(_answers(row))}
    platforms = await _platforms(db, company_ids)
    return {
        company_id: AdoptionFacts(
            platforms=platforms.get(company_id, 0),
            active_weeks=active.get(company_id, 0),
            questionnaire=company_id in complete,
        )
        for company_id in company_ids
    }


async def currency(db: AsyncConnection) -> str:
    """The currency that the tenant reports revenue in."""
    return str((await db.execute(select(Tenant.currency))).scalar_one())


async def _platforms(db: AsyncConnection, company_ids: Sequence[str]) -> Mapping[str, int]:
    """How many platforms each company has an active connection to; nothing where it has none."""
    found = await db.execute(_connected(), {"company_ids": list(company_ids)})
    return {row.company_id: row.platforms for row in found}


def _in_window() -> ColumnElement[bool]:
    return and_(
        RevenueEntry.company_id == func.any(_COMPANIES),
        RevenueEntry.counted_on >= bindparam("first", type_=Date),
        RevenueEntry.counted_on < bindparam("end", type_=Date),
        RevenueEntry.amount.is_not(None),
    )


@cache
def _by_month() -> Select[*tuple[Any, ...]]:
    month = cast(func.date_trunc("month", RevenueEntry.counted_on), Date).label("month")
    source = case(
        (RevenueEntry.origin.in_(_NUCLEUS), RevenueSource.NUCLEUS.value),
        else_=RevenueSource.PRODUCTIVE.value,
    ).label("source")
    return (
        select(
            month,
            source,
            func.count().label("entries"),
            func.sum(RevenueEntry.amount).label("total"),
        )
        .where(_in_window())
        .group_by(month, source)
    )


@cache
def _totals() -> Select[*tuple[Any, ...]]:
    nucleus = RevenueEntry.origin.in_(_NUCLEUS)
    amount = func.sum(RevenueEntry.amount)
    return (
        select(
            RevenueEntry.company_id,
            func.count().filter(nucleus).label("nucleus_entries"),
            func.coalesce(amount.filter(nucleus), 0).label("nucleus_total"),
            func.count().filter(~nucleus).label("productive_entries"),
            func.coalesce(amount.filter(~nucleus), 0).label("productive_total"),
        )
        .where(_in_window())
        .group_by(RevenueEntry.company_id)
    )


@cache
def _active_weeks() -> Select[*tuple[Any, ...]]:
    return (
        select(AdoptionWeek.company_id, func.count().label("weeks"))
        .where(
            AdoptionWeek.company_id == func.any(_COMPANIES),
            AdoptionWeek.week >= bindparam("first", type_=Date),
            AdoptionWeek.week < bindparam("end", type_=Date),
        )
        .group_by(AdoptionWeek.company_id)
    )


@cache
def _connected() -> Select[*tuple[Any, ...]]:
    platforms = func.count(PlatformConnection.platform.distinct()).label("platforms")
    return (
        select(PlatformConnection.company_id, platforms)
        .where(
            PlatformConnection.company_id == func.any(_COMPANIES),
            IS_ACTIVE,
        )
        .group_by(PlatformConnection.company_id)
    )


@cache
def _questionnaires() -> Select[*tuple[Any, ...]]:
    return select(
        SuccessProfile.company_id,
        SuccessProfile.financial_year_start, SuccessProfile.financial_year_end,
        func.jsonb_array_length(SuccessProfile.key_trading_periods).label("trading_periods"),
        SuccessProfile.channel_online_pct, SuccessProfile.channel_instore_pct,
        SuccessProfile.channel_wholesale_pct, SuccessProfile.celebration_vision,
        SuccessProfile.growth_priorities_text, SuccessProfile.company_direction_text,
    ).where(SuccessProfile.company_id == func.any(_COMPANIES))  # fmt: skip


def _answers(row: Any) -> Answers:
    return Answers(
        financial_year_start=row.financial_year_start,
        financial_year_end=row.financial_year_end,
        trading_periods=row.trading_periods,
        channel_pcts=(row.channel_online_pct, row.channel_instore_pct, row.channel_wholesale_pct),
        celebration_vision=row.celebration_vision,
        growth_priorities_text=row.growth_priorities_text,
        company_direction_text=row.company_direction_text,
    )
