"""Spend on the wire."""

import datetime

from pydantic import ConfigDict, Field

from api.http.wire import Absent, Camel, Money


class SpendSliceOut(Camel):
    """One part of what was spent."""

    label: str
    cost_usd: Money
    pct: float = Field(description="The share in the total, 0 to 100.")


class DailySpendOut(Camel):
    """What one day has cost."""

    date: datetime.date
    cost_usd: Money


class SpendReportOut(Camel):
    """What was spent in a range of days."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "totalUsd": 12.480311,
                    "budgetCapUsd": 250,
                    "budgetUsedPct": 4.99,
                    "breakdown": [
                        {"label": "Copywriter", "costUsd": 9.200114, "pct": 73.72},
                        {"label": "Activity Planner", "costUsd": 3.280197, "pct": 26.28},
                    ],
                    "dailySeries": [
                        {"date": "2026-03-01", "costUsd": 0},
                        {"date": "2026-03-02", "costUsd": 12.480311},
                    ],
                }
            ]
        }
    )

    total_usd: Money
    budget_cap_usd: Absent[Money] = None
    budget_used_pct: Absent[float] = None
    breakdown: list[SpendSliceOut] = Field(description="Highest first.")
    daily_series: list[DailySpendOut] = Field(description="One entry for each day of the range.")
