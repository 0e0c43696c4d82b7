"""The schedules of a deployment, made when a worker starts and left alone when they are there."""

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

from workflows import policies
from workflows.agents.maintenance import MaintenanceWorkflow

MAINTENANCE: Final = "maintenance"
EVERY: Final = timedelta(minutes=1)


async def ensure_schedules(temporal: Client) -> None:
    """Make the schedules that are missing; an operator's changes to one stay."""
    action = ScheduleActionStartWorkflow(
        MaintenanceWorkflow.run,
        id=MAINTENANCE,
        task_queue=policies.TASK_QUEUE,
        execution_timeout=timedelta(minutes=30),
        static_summary="Compare the record with Temporal, forget what is past its time",
    )
    try:
        await temporal.create_schedule(
            MAINTENANCE,
            Schedule(
                action=action,
                spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=EVERY)]),
                policy=SchedulePolicy(
                    # A round that is still going covers what the next one would.
                    overlap=ScheduleOverlapPolicy.SKIP,
                    catchup_window=EVERY,
                ),
            ),
        )
    except ScheduleAlreadyRunningError:
        return
