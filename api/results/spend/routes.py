"""Spend: what the tenant's agents have cost."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Query

from api.http.auth import Reader
from api.http.bodies import Day
from api.http.db import ReadDb
from api.results.spend.schemas import DailySpendOut, SpendReportOut, SpendSliceOut
from models.errors import Invalid, ProblemItem
from models.queries.agents import spend
from models.queries.agents.spend import GroupBy, Spend
from models.rules.ranges import LONGEST_DAYS, CalendarPeriod, days, reaching_back, running

router = APIRouter(prefix="/analytics", tags=["Analytics"])

_CENT = Decimal("0.01")
_EARLIEST = date(2000, 1, 1)
_LATEST = date(2999, 12, 31)


@router.get("/spend", summary="Break the costs down")
async def break_spend_down(
    reader: Reader,
    db: ReadDb,
    period: CalendarPeriod = CalendarPeriod.MONTH,
    start_date: Annotated[Day | None, Query(alias="startDate")] = None,
    end_date: Annotated[Day | None, Query(alias="endDate")] = None,
    group_by: Annotated[GroupBy, Query(alias="groupBy")] = GroupBy.AGENT,
) -> SpendReportOut:
    """Break the tenant's costs down, with one entry for each day; days are cut in UTC."""
    start, end = _range(period, start_date, end_date, datetime.now(UTC).date())
    spent = await spend.between(db, start, end, group_by)
    return _report(spent, start, end, await spend.cap_between(db, start, end))


def _range(
    period: CalendarPeriod, start: date | None, end: date | None, today: date
) -> tuple[date, date]:
    for given in (start, end):
        if given is not None and not _EARLIEST <= given <= _LATEST:
            raise _invalid(f"Days are known from {_EARLIEST} to {_LATEST}.")
    if start is None and end is None:
        return running(period, today)
    if start is None and end is not None:
        return reaching_back(period, end)
    assert start is not None
    end = end or max(today, start)
    if end < start:
        raise _invalid("endDate lies before startDate.")
    if (end - start).days >= LONGEST_DAYS:
        raise _invalid(f"The range is longer than {LONGEST_DAYS} days.")
    return start, end


def _invalid(detail: str) -> Invalid:
    return Invalid(detail, ProblemItem(location="query.endDate", message=detail))


def _report(spent: Spend, start: date, end: date, cap: Decimal | None) -> SpendReportOut:
    total = sum((part.cost_usd for part in spent.slices), Decimal(0))
    return SpendReportOut(
        total_usd=total,
        budget_cap_usd=cap,
        budget_used_pct=_percent(total, cap) if cap else None,
        breakdown=[
            SpendSliceOut(
                label=part.label, cost_usd=part.cost_usd, pct=_percent(part.cost_usd, total)
            )
            for part in spent.slices
        ],
        daily_series=[
            DailySpendOut(date=day, cost_usd=spent.days.get(day, Decimal(0)))
            for day in days(start, end)
        ],
    )


def _percent(part: Decimal, whole: Decimal) -> float:
    return float((part * 100 / whole).quantize(_CENT)) if whole else 0.0
