"""The monthly word to all tenants: each recalculates its revenue, or goes on doing so.

Source: clients/common.yaml, rules.workflows.schedule_starts. A schedule would add the time to the
id of what it starts, so the recalculations, which must be alone under theirs, are started here.
"""

import asyncio
import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from temporalio import activity
from temporalio.client import Client, WithStartWorkflowOperation, WorkflowUpdateStage
from temporalio.common import Priority, WorkflowIDConflictPolicy

from activities.agents.heartbeats import heartbeats
from models.contracts.revenue import (
    RECALCULATION,
    SUMMARY,
    Dispatched,
    DispatchRecalculations,
    Recalculate,
    RecalculateRevenue,
    recalculation_workflow,
)
from models.db.database import Database
from models.queries import tenants

AT_ONCE: Final = 10
_PATIENCE: Final = timedelta(seconds=20)

_log = logging.getLogger(__name__)


class RevenueDispatchSteps:
    """Starts or updates the recalculation of every tenant."""

    def __init__(self, database: Database, temporal: Client) -> None:
        self._database = database
        self._temporal = temporal

    @activity.defn(name="revenue.dispatch")
    async def dispatch(self, order: DispatchRecalculations) -> Dispatched:
        """Go through all tenants; an attempt goes on after those that one before it has told."""
        told = _heard_of()

        def progress() -> Dispatched:
            return told

        async with heartbeats(progress):
            async with self._database.system() as db:
                everybody = sorted(await tenants.all_ids(db))
            again, told = told.missed, replace(told, missed=())
            for group in _groups([*again, *(one for one in everybody if one > told.after)]):
                told = await self._tell(group, order, told)
        if told.missed:
            raise _missed(told)
        return told

    async def _tell(
        self, group: Sequence[str], order: DispatchRecalculations, told: Dispatched
    ) -> Dispatched:
        came = await asyncio.gather(
            *(self._tell_one(tenant_id, order) for tenant_id in group), return_exceptions=True
        )
        missed = [one for one, error in zip(group, came, strict=True) if error is not None]
        for tenant_id, error in zip(group, came, strict=True):
            if error is not None:
                _log.warning("tenant %s not told to recalculate: %r", tenant_id, error)
        return Dispatched(
            tenants=told.tenants + len(group) - len(missed),
            after=max(told.after, *group),
            missed=(*told.missed, *missed),
        )

    async def _tell_one(self, tenant_id: str, order: DispatchRecalculations) -> None:
        start: WithStartWorkflowOperation[Any, Any] = WithStartWorkflowOperation(
            RECALCULATION,
            RecalculateRevenue(tenant_id=tenant_id),
            id=recalculation_workflow(tenant_id),
            # The dispatcher's own queue: where it was started, recalculations run too.
            task_queue=activity.info().task_queue,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            static_summary=SUMMARY,
            priority=Priority(fairness_key=tenant_id),
        )
        await self._temporal.start_update_with_start_workflow(
            "recalculate",
            Recalculate(),
            start_workflow_operation=start,
            wait_for_stage=WorkflowUpdateStage.ACCEPTED,
            # While the recalculation runs, telling it again is telling it once.
            id=f"monthly:{order.today}",
            rpc_timeout=_PATIENCE,
        )


def _groups(tenant_ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for begin in range(0, len(tenant_ids), AT_ONCE):
        yield tenant_ids[begin : begin + AT_ONCE]


def _missed(told: Dispatched) -> Exception:
    """The error with which the step is tried again, for those whom it could not tell."""
    activity.heartbeat(told)
    return RuntimeError(f"{len(told.missed)} of the tenants could not be told to recalculate")


def _heard_of() -> Dispatched:
    if activity.in_activity() and activity.info().heartbeat_details:
        (details,) = activity.info().heartbeat_details
        return details if isinstance(details, Dispatched) else Dispatched(**details)
    return Dispatched()
