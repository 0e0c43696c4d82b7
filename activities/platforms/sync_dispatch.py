"""The daily syncs: each client's is started when it is due, or goes on where it runs already.

Source: clients/common.yaml, rules.workflows.schedule_starts. A schedule would add the time to the
id of what it starts, so the syncs, which must be alone under theirs, are started here.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

from temporalio import activity
from temporalio.client import Client
from temporalio.common import Priority, WorkflowIDConflictPolicy

from activities.agents.heartbeats import heartbeats
from models.contracts.platforms import (
    LOOK_AGAIN,
    SYNC,
    SYNC_SUMMARY,
    DispatchedSyncs,
    DispatchSyncs,
    SyncOrder,
    sync_workflow,
)
from models.db.database import Database
from models.queries import tenants
from models.queries.platforms import synced_clients
from models.rules.platforms.daily_syncs import due_within

TENANTS_AT_ONCE: Final = 10
_PATIENCE: Final = timedelta(seconds=20)
_LATER: Final = 4
"""The priority after the usual one, which is 3."""

_log = logging.getLogger(__name__)


class SyncDispatchSteps:
    """Starts the syncs of clients of all tenants."""

    def __init__(self, database: Database, temporal: Client) -> None:
        self._database = database
        self._temporal = temporal

    @activity.defn(name="sync.dispatch")
    async def dispatch(self, order: DispatchSyncs) -> DispatchedSyncs:
        """Go through all tenants; an attempt goes on after those that one before it has told."""
        told = _heard_of()

        def progress() -> DispatchedSyncs:
            return told

        async with heartbeats(progress):
            async with self._database.system() as db:
                everybody = sorted(await tenants.all_ids(db))
            waiting = [*told.missed, *(one for one in everybody if one > told.after)]
            told = replace(told, missed=())
            while waiting:
                group, waiting = waiting[:TENANTS_AT_ONCE], waiting[TENANTS_AT_ONCE:]
                told = await self._start(group, order, told)
        if told.missed:
            raise _missed(told)
        return told

    async def _start(
        self, group: Sequence[str], order: DispatchSyncs, told: DispatchedSyncs
    ) -> DispatchedSyncs:
        started, missed = 0, []
        came = await asyncio.gather(
            *(self._start_due(tenant_id, order) for tenant_id in group), return_exceptions=True
        )
        for tenant_id, result in zip(group, came, strict=True):
            if isinstance(result, BaseException):
                _log.warning("syncs of tenant %s not started: %r", tenant_id, result)
                missed.append(tenant_id)
            else:
                started += result
        return DispatchedSyncs(
            syncs=told.syncs + started,
            after=max(told.after, *group),
            missed=(*told.missed, *missed),
        )

    async def _start_due(self, tenant_id: str, order: DispatchSyncs) -> int:
        async with self._database.tenant(tenant_id) as db:
            clients = await synced_clients.synced(db)
        due = [
            one.company_id
            for one in clients
            if due_within(one.company_id, one.time_zone, order.start, order.end)
        ]
        for company_id in due:
            await self._temporal.start_workflow(
                SYNC,
                SyncOrder(tenant_id=tenant_id, company_id=company_id),
                id=sync_workflow(company_id),
                # The dispatcher's own queue: where it was started, syncs run too.
                task_queue=activity.info().task_queue,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                # One that runs may wait for a platform, and has done with the others long ago.
                start_signal=LOOK_AGAIN,
                static_summary=SYNC_SUMMARY,
                # Whatever somebody waits for comes first.
                priority=Priority(priority_key=_LATER, fairness_key=tenant_id),
                rpc_timeout=_PATIENCE,
            )
        return len(due)


def _missed(told: DispatchedSyncs) -> Exception:
    """The error with which the step is tried again, for those whose syncs did not start."""
    activity.heartbeat(told)
    return RuntimeError(f"The syncs of {len(told.missed)} tenants could not be started")


def _heard_of() -> DispatchedSyncs:
    if activity.in_activity() and activity.info().heartbeat_details:
        (details,) = activity.info().heartbeat_details
        return details if isinstance(details, DispatchedSyncs) else DispatchedSyncs(**details)
    return DispatchedSyncs()
