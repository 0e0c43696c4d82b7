"""The schedules of a deployment, made when a worker starts and left alone when they are there."""

import contextlib
from datetime import timedelta
from typing import Final

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
)

from models.contracts.platforms import SYNC_DISPATCH
from models.contracts.revenue import DISPATCH
from workflows import policies
from workflows.agents.maintenance import MaintenanceWorkflow
from workflows.people.revenue_recalculation import RevenueDispatchWorkflow
from workflows.platforms.sync_dispatch import SyncDispatchWorkflow

MAINTENANCE: Final = "maintenance"
EVERY: Final = timedelta(minutes=1)


REVENUE: Final = "revenue-recalculation"
MONTHLY: Final = "0 2 1 * *"
"""At 02:00 UTC on the 1st of every month."""
CATCH_UP: Final = timedelta(days=10)
"""A deployment that was down at that moment recalculates when it is back within this time."""

SYNCS: Final = "daily-syncs"
HOURLY: Final = "0 * * * *"
"""Every hour, for it is 04:00 somewhere."""


async def ensure_schedules(temporal: Client) -> None:
    """Make the schedules that are missing; an operator's changes to one stay."""
    schedules = {MAINTENANCE: _maintenance(), REVENUE: _revenue(), SYNCS: _syncs()}
    for name, schedule in schedules.items():
        with contextlib.suppress(ScheduleAlreadyRunningError):
            await temporal.create_schedule(name, schedule)


def _maintenance() -> Schedule:
    return Schedule(
        action=ScheduleActionStartWorkflow(
            MaintenanceWorkflow.run,
            id=MAINTENANCE,
            task_queue=policies.TASK_QUEUE,
            execution_timeout=timedelta(minutes=30),
            static_summary="Compare the record with Temporal, forget what is past its time",
        ),
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=EVERY)]),
        policy=SchedulePolicy(
            # A round that is still going covers what the next one would.
            overlap=ScheduleOverlapPolicy.SKIP,
            catchup_window=EVERY,
        ),
    )


def _revenue() -> Schedule:
    return Schedule(
        action=ScheduleActionStartWorkflow(
            RevenueDispatchWorkflow.run,
            id=DISPATCH,
            task_queue=policies.TASK_QUEUE,
            # It waits for a worker as long as the schedule itself would wait for the server.
            execution_timeout=CATCH_UP,
            static_summary="Have every tenant recalculate its revenue",
        ),
        spec=ScheduleSpec(cron_expressions=[MONTHLY], time_zone_name="UTC"),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=CATCH_UP),
    )


def _syncs() -> Schedule:
    return Schedule(
        action=ScheduleActionStartWorkflow(
            SyncDispatchWorkflow.run,
            id=SYNC_DISPATCH,
            task_queue=policies.TASK_QUEUE,
            execution_timeout=timedelta(hours=3),
            static_summary="Start the daily syncs that are due in this hour",
        ),
        spec=ScheduleSpec(cron_expressions=[HOURLY], time_zone_name="UTC"),
        # A run begins where the last one stopped, so of several that were missed one is enough.
        policy=SchedulePolicy(
            overlap=ScheduleOverlapPolicy.SKIP, catchup_window=timedelta(hours=1)
        ),
    )
