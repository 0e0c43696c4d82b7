"""A client whose platforms are fakes, and a worker that pulls from them with the real steps."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio import activity
from temporalio.client import Client, WorkflowHandle
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.worker import Worker

from activities.platforms.asking import Asking
from activities.platforms.insights import InsightSteps
from activities.platforms.pull_records import PullRecordSteps
from activities.platforms.pulls import PullSteps
from activities.platforms.sync_dispatch import SyncDispatchSteps
from api.http.commands import Desk
from api.http.services import Temporal
from models.contracts.platforms import (
    BACKFILL,
    SYNC,
    SYNC_SUMMARY,
    AskSync,
    BackfillOrder,
    SyncOrder,
    backfill_workflow,
    sync_workflow,
)
from models.db.database import Database
from models.settings import Settings
from tests.activities.platforms.puller import Puller
from workers.sandbox import production_runner
from workflows import policies
from workflows.platforms.backfill import BackfillWorkflow
from workflows.platforms.insight import InsightWorkflow
from workflows.platforms.sync import SyncWorkflow
from workflows.platforms.sync_dispatch import SyncDispatchWorkflow


def server_time() -> datetime:
    """The time by the server, which may skip some."""
    return activity.info().started_time if activity.in_activity() else datetime.now(UTC)


def hardly_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try again as often as ever, but at once: a server that skips time may take some over it."""
    usual = policies.PULL["retry_policy"]
    assert usual is not None
    retries = replace(usual, initial_interval=timedelta(milliseconds=5))
    monkeypatch.setitem(policies.PULL, "retry_policy", retries)


class Syncing:
    """Asks for syncs and backfills as the API does."""

    def __init__(self, puller: Puller, temporal: Client) -> None:
        self.puller = puller
        self.temporal = temporal
        self.queue_name = f"syncs-{puller.tenant.id}"
        self.keys = puller.here.keys(puller.database, now=server_time)
        self.desk = Desk(Temporal(Settings(), temporal), puller.tenant.id)

    @classmethod
    @asynccontextmanager
    async def at_work(cls, db: Database, temporal: Client) -> AsyncIterator["Syncing"]:
        async with Puller.at_work(db, datetime.now(UTC).date()) as puller:
            syncing = cls(puller, temporal)
            async with syncing.worker():
                yield syncing

    def worker(self) -> Worker:
        database = self.puller.database
        pulls = PullSteps(database, Asking(database, self.keys, now=server_time))
        records = PullRecordSteps(database)
        insights = InsightSteps(database, lambda: None)
        steps: list[Callable[..., Any]] = [
            pulls.begin, pulls.window, pulls.campaigns, pulls.reach,
            records.note_start, records.survey, records.note_gap, records.end,
            SyncDispatchSteps(database, self.temporal).dispatch,
            insights.gather, insights.store,
        ]  # fmt: skip
        return Worker(
            self.temporal,
            task_queue=self.queue_name,
            workflows=[SyncWorkflow, BackfillWorkflow, SyncDispatchWorkflow, InsightWorkflow],
            activities=steps,
            workflow_runner=production_runner(),
        )

    @property
    def order(self) -> SyncOrder:
        return SyncOrder(tenant_id=self.puller.tenant.id, company_id=self.puller.company_id)

    @property
    def sync_handle(self) -> WorkflowHandle[Any, str]:
        return self.temporal.get_workflow_handle(sync_workflow(self.puller.company_id))

    async def ask(self, principal_id: str | None = None) -> None:
        """Ask for a sync, as a person or after a connection was made."""
        await self.desk.update_with_start(
            SyncWorkflow.run, self.order, SyncWorkflow.ask, AskSync(principal_id=principal_id),
            id=sync_workflow(self.puller.company_id), kind=SYNC, static_summary=SYNC_SUMMARY,
            task_queue=self.queue_name,
        )  # fmt: skip

    async def start(self, **how: Any) -> WorkflowHandle[Any, str]:
        """Start a sync as the daily dispatcher does, or join the one that runs."""
        handle: WorkflowHandle[Any, str] = await self.temporal.start_workflow(
            SyncWorkflow.run, self.order, id=sync_workflow(self.puller.company_id),
            task_queue=self.queue_name, id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            **how,
        )  # fmt: skip
        return handle

    async def sync(self) -> str:
        """Start a sync, or join the one that runs, and wait for its end."""
        return await (await self.start()).result()

    async def duration(self) -> timedelta:
        """How long the last sync took by the server's clock."""
        events = (await self.sync_handle.fetch_history()).events
        took: timedelta = events[-1].event_time.ToDatetime() - events[0].event_time.ToDatetime()
        return took

    async def start_backfill(self, days: int = 30) -> WorkflowHandle[Any, str]:
        """Start a backfill, whose id is its lock."""
        order = BackfillOrder(
            tenant_id=self.puller.tenant.id, company_id=self.puller.company_id, days=days,
            principal_id=self.puller.tenant.member_id,
        )  # fmt: skip
        handle: WorkflowHandle[Any, str] = await self.temporal.start_workflow(
            BackfillWorkflow.run, order, id=backfill_workflow(self.puller.company_id),
            task_queue=self.queue_name, id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
            static_summary=BACKFILL,
        )  # fmt: skip
        return handle

    async def connection(self, connection_id: str) -> Any:
        """What is written down at a connection."""
        (row,) = await self.puller.rows(
            "select status, last_synced_at, last_sync_error from platform_connection"
            " where id = :id",
            id=connection_id,
        )
        return row

    async def steps_taken(self, handle: WorkflowHandle[Any, Any]) -> list[str]:
        """The summaries of the remote steps, in their order."""
        history = await handle.fetch_history()
        found = []
        for event in history.events:
            if event.HasField("activity_task_scheduled_event_attributes"):
                found.append(event.user_metadata.summary.data.decode().strip('"'))
        return found
