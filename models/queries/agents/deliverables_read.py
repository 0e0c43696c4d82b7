"""Reading deliverables with the progress of each period that has begun."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from itertools import groupby
from typing import Any

from sqlalchemy import Date, Select, and_, bindparam, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from models.queries.agents.campaigns_read import period_progress
from models.tables.campaigns import Deliverable, DeliverablePeriod


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodRow:
    """One month of a deliverable and what was made in it."""

    id: str
    number: int
    period_start: date
    period_end: date
    target: int
    completed: int
    at_work: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverableRow:
    """A deliverable and its periods, oldest first."""

    id: str
    type: str
    quantity: int
    periods: tuple[PeriodRow, ...]


async def progress(db: AsyncConnection, campaign_id: str, today: date) -> Sequence[DeliverableRow]:
    """A campaign's deliverables in the order of the brief, with the periods that have begun."""
    rows = (await db.execute(_progress(), {"campaign_id": campaign_id, "today": today})).all()
    return [
        DeliverableRow(
            id=key[0],
            type=key[1],
            quantity=key[2],
            periods=tuple(
                PeriodRow(
                    id=row.period_id,
                    number=row.number,
                    period_start=row.period_start,
                    period_end=row.period_end,
                    target=row.target,
                    completed=row.completed,
                    at_work=row.at_work,
                )
                for row in group
                if row.period_id is not None
            ),
        )
        for key, group in groupby(rows, key=lambda row: (row.id, row.type, row.quantity))
    ]


async def exists(db: AsyncConnection, deliverable_id: str) -> bool:
    """Tell whether the tenant has this deliverable."""
    found = await db.execute(select(Deliverable.id).where(Deliverable.id == deliverable_id))
    return found.one_or_none() is not None


@cache
def _progress() -> Select[*tuple[Any, ...]]:
    counts = period_progress(DeliverablePeriod.id)
    begun = and_(
        DeliverablePeriod.deliverable_id == Deliverable.id,
        DeliverablePeriod.period_start <= bindparam("today", type_=Date),
    )
    return (
        select(
            Deliverable.id, Deliverable.type, Deliverable.quantity,
            DeliverablePeriod.id.label("period_id"), DeliverablePeriod.period_start,
            DeliverablePeriod.period_end, DeliverablePeriod.target, DeliverablePeriod.number,
            counts.c.completed, counts.c.at_work,
        )
        .select_from(Deliverable)
        .outerjoin(DeliverablePeriod, begun)
        .join(counts, true())
        .where(Deliverable.campaign_id == bindparam("campaign_id"))
        .order_by(Deliverable.position, DeliverablePeriod.number)
    )  # fmt: skip
