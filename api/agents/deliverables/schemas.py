"""Deliverables on the wire."""

from datetime import date

from pydantic import ConfigDict, Field

from api.http.wire import Camel
from models.queries.agents.deliverables_read import DeliverableRow, PeriodRow
from models.rules.periods import Period, PeriodStatus, status
from models.rules.vocabulary import DeliverableType


class DeliverablePeriodOut(Camel):
    """One month of a deliverable."""

    id: str
    period_start: date
    period_end: date
    target: int
    completed: int
    in_progress: int
    status: PeriodStatus

    @classmethod
    def of(cls, row: PeriodRow, today: date) -> "DeliverablePeriodOut":
        return cls(
            id=row.id,
            period_start=row.period_start,
            period_end=row.period_end,
            target=row.target,
            completed=row.completed,
            in_progress=row.at_work,
            status=status(
                target=row.target,
                completed=row.completed,
                in_progress=row.at_work,
                period=Period(number=row.number, start=row.period_start, end=row.period_end),
                today=today,
            ),
        )


class DeliverableProgressOut(Camel):
    """A deliverable and the periods that have begun."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "01K9DEV0000000000000000001",
                    "type": "blog_post",
                    "quantity": 2,
                    "periods": [
                        {
                            "id": "01K9PER0000000000000000001",
                            "periodStart": "2026-03-02",
                            "periodEnd": "2026-04-01",
                            "target": 2,
                            "completed": 1,
                            "inProgress": 1,
                            "status": "on_track",
                        }
                    ],
                }
            ]
        }
    )

    id: str
    type: DeliverableType
    quantity: int
    periods: list[DeliverablePeriodOut] = Field(description="Oldest first.")

    @classmethod
    def of(cls, row: DeliverableRow, today: date) -> "DeliverableProgressOut":
        return cls(
            id=row.id,
            type=DeliverableType(row.type),
            quantity=row.quantity,
            periods=[DeliverablePeriodOut.of(period, today) for period in row.periods],
        )
