"""The daily syncs: who is due is started once a day, whatever was missed before."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from temporalio import activity
from temporalio.client import Client, ScheduleOverlapPolicy
from temporalio.common import Priority, WorkflowIDConflictPolicy
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment, WorkflowEnvironment
from temporalio.worker import Worker

from activities.platforms.sync_dispatch import SyncDispatchSteps
from models.contracts.platforms import (
    LOOK_AGAIN,
    SYNC_DISPATCH,
    DispatchedSyncs,
    DispatchSyncs,
    SyncOrder,
    sync_workflow,
)
from models.db.database import Database
from models.rules.platforms.daily_syncs import due_at
from tests.factories.agents import TenantMade, make_tenant
from tests.factories.clients import make_client
from tests.factories.results import connect_platform
from tests.workflows.conftest import know_our_attributes
from workers.sandbox import sandboxed_runner
from workers.schedules import SYNCS, ensure_schedules
from workflows.platforms.sync_dispatch import SyncDispatchWorkflow

DAY = date(2026, 3, 29)  # Europe's clocks go forward
HOUR = timedelta(hours=1)


class Starts:
    """Takes the place of Temporal: remembers what was started, and refuses a tenant's once."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.refused: set[str] = set()

    async def start_workflow(self, name: str, order: SyncOrder, **how: Any) -> None:
        assert how["id_conflict_policy"] is WorkflowIDConflictPolicy.USE_EXISTING
        assert how["start_signal"] == LOOK_AGAIN
        # Each tenant's in turn, and after what somebody waits for.
        assert how["priority"] == Priority(priority_key=4, fairness_key=order.tenant_id)
        if order.tenant_id in self.refused:
            self.refused.remove(order.tenant_id)
            raise ConnectionError("busy")
        self.ids.append(how["id"])


async def dispatch(
    db: Database, starts: Starts, start: datetime, end: datetime, **info: Any
) -> DispatchedSyncs:
    environment = ActivityEnvironment()
    environment.info = replace(environment.info, **info)
    steps: Any = SyncDispatchSteps(db, starts)  # type: ignore[arg-type]
    told: DispatchedSyncs = await environment.run(
        steps.dispatch, DispatchSyncs(start=start, end=end)
    )
    return told


async def client_in(
    db: Database, tenant: TenantMade, zones: Mapping[str, str | None], status: str = "active"
) -> str:
    """A client whose platforms are in these zones."""
    company_id = await make_client(db, tenant)
    for platform, zone in zones.items():
        await connect_platform(db, tenant, company_id, platform, status, time_zone=zone)
    return company_id


async def test_clients_of_all_tenants_are_started_when_it_is_four_where_they_are(
    db: Database,
) -> None:
    one, two = await make_tenant(db), await make_tenant(db)
    zones = {
        await client_in(
            db, one, {"meta_ads": "Asia/Tokyo", "ga4": "Asia/Tokyo", "shopify": "UTC"}
        ): "Asia/Tokyo",
        await client_in(db, two, {"meta_ads": "Europe/Berlin"}): "Europe/Berlin",
        await client_in(db, two, {"klaviyo": None}): "UTC",
        await client_in(db, two, {"ga4": "America/New_York", "meta_ads": None}): "America/New_York",
    }
    await client_in(db, one, {"meta_ads": "Europe/Berlin"}, status="expired")
    starts = Starts()
    began: dict[str, datetime] = {}
    start = datetime(2026, 3, 28, 12, tzinfo=UTC)
    for number in range(24):
        hour = start + number * HOUR
        before = len(starts.ids)
        told = await dispatch(db, starts, hour, hour + HOUR)
        assert told.syncs == len(starts.ids) - before
        began |= {id: hour for id in starts.ids[before:]}
    due = {sync_workflow(id): due_at(id, zone, DAY) for id, zone in zones.items()}
    assert set(starts.ids) == set(due)
    assert len(starts.ids) == len(due)
    assert all(began[id] <= due[id] < began[id] + HOUR for id in due)


async def test_a_tenant_whose_syncs_do_not_start_holds_nobody_up_and_is_tried_again(
    db: Database,
) -> None:
    tenants = sorted([await make_tenant(db) for _ in range(12)], key=lambda one: one.id)
    clients = [await client_in(db, one, {"meta_ads": "UTC"}) for one in tenants]
    starts = Starts()
    starts.refused = {tenants[3].id}
    heard: list[DispatchedSyncs] = []
    environment = ActivityEnvironment()
    environment.on_heartbeat = lambda *details: heard.append(details[0])
    start = datetime(2026, 3, 10, 4, tzinfo=UTC)
    steps: Any = SyncDispatchSteps(db, starts)  # type: ignore[arg-type]
    with pytest.raises(RuntimeError, match="1 tenants"):
        await environment.run(steps.dispatch, DispatchSyncs(start=start, end=start + HOUR))
    assert len(starts.ids) == 11
    last = heard[-1]
    assert last == DispatchedSyncs(syncs=11, after=tenants[-1].id, missed=(tenants[3].id,))
    told = await dispatch(db, starts, start, start + HOUR, heartbeat_details=[last])
    assert told.syncs == 12
    assert sorted(starts.ids) == sorted(sync_workflow(one) for one in clients)


class Told:
    """Takes the place of the step: remembers the stretches of time, and fails some."""

    def __init__(self) -> None:
        self.orders: list[DispatchSyncs] = []
        self.failing: set[int] = set()

    @activity.defn(name="sync.dispatch")
    async def dispatch(self, order: DispatchSyncs) -> DispatchedSyncs:
        self.orders.append(order)
        if len(self.orders) in self.failing:
            raise ApplicationError("Nobody could be told.", non_retryable=True)
        return DispatchedSyncs(syncs=1)


async def run_for(environment: WorkflowEnvironment, told: Told, cron: str, hours: float) -> None:
    """Run the dispatcher for so many hours, as a schedule does; without one it runs once."""
    await know_our_attributes(environment)
    async with Worker(
        environment.client,
        task_queue="dispatch",
        workflows=[SyncDispatchWorkflow],
        activities=[told.dispatch],
        workflow_runner=sandboxed_runner(),
    ):
        await environment.client.start_workflow(
            SyncDispatchWorkflow.run, id=SYNC_DISPATCH, task_queue="dispatch", cron_schedule=cron
        )
        await environment.sleep(timedelta(hours=hours))


async def test_the_hours_are_told_without_a_gap_and_nothing_is_told_twice(
    time_skipping: WorkflowEnvironment,
) -> None:
    told = Told()
    # Nothing runs in two of three hours, as after an outage.
    await run_for(time_skipping, told, "0 */3 * * *", 6.2)
    orders = told.orders
    assert orders[0].start.minute == 0
    assert all(one.end == other.start for one, other in pairwise(orders))
    lengths = [one.end - one.start for one in orders]
    assert sum(one > timedelta(hours=1.9) for one in lengths) >= 1
    assert sum(one <= timedelta(minutes=3) for one in lengths) >= 20


async def test_those_who_could_not_be_told_do_not_hold_up_the_rest_of_the_hour(
    time_skipping: WorkflowEnvironment,
) -> None:
    told = Told()
    told.failing = {2, 3}
    await run_for(time_skipping, told, "0 * * * *", 1.99)
    assert len(told.orders) >= 20
    assert told.orders[3].start == told.orders[2].end


async def test_the_schedule_is_made_once_and_fires_every_hour(temporal: Client) -> None:
    await ensure_schedules(temporal)
    handle = temporal.get_schedule_handle(SYNCS)
    try:
        await handle.pause(note="an operator's")
        await ensure_schedules(temporal)
        seen = await handle.describe()
        times = seen.info.next_action_times
        assert {one.minute for one in times} == {0}
        assert times[1] - times[0] == HOUR
        assert seen.schedule.state.paused
        assert seen.schedule.policy.overlap is ScheduleOverlapPolicy.SKIP
    finally:
        await handle.delete()
