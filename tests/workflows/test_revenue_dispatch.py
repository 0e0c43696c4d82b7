"""The 1st of the month: every tenant recalculates, once, whatever else is going on."""

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from temporalio.client import (
    Client,
    ScheduleOverlapPolicy,
    WorkflowUpdateFailedError,
    WorkflowUpdateStage,
)
from temporalio.service import RPCError
from temporalio.testing import ActivityEnvironment, WorkflowEnvironment

from activities.people.revenue_dispatch import RevenueDispatchSteps
from models.contracts.revenue import (
    Dispatched,
    DispatchRecalculations,
    Recalculate,
    Recalculated,
    recalculation_workflow,
)
from models.db.database import Database
from models.ids import new_id
from models.queries import tenants
from models.queries.tenants import Human, create_tenant
from models.rules.months import add_months
from models.rules.vocabulary import Role
from tests.workflows.conftest import know_our_attributes
from tests.workflows.recalculation import Bookkeeper
from workers.schedules import CATCH_UP, REVENUE, ensure_schedules
from workflows.people.revenue_recalculation import RevenueRecalculationWorkflow

ALL = Recalculated(updated=12, tier_changes=4)
FIRST = DispatchRecalculations(today=date(2026, 3, 1))


async def make_tenant(db: Database, tenant_id: str) -> str:
    async with db.tenant(tenant_id) as session:
        ada = Human(id=new_id(), name="Ada", email="ada@example.test", role=Role.ADMIN)
        await create_tenant(session, tenant_id=tenant_id, name="Aster", humans=[ada])
    return tenant_id


async def dispatch(
    db: Database, keeper: Bookkeeper, steps: RevenueDispatchSteps | None = None, **info: Any
) -> Dispatched:
    """The step, on the bookkeeper's queue."""
    environment = ActivityEnvironment()
    environment.info = replace(environment.info, task_queue=keeper.queue_name, **info)
    steps = steps or RevenueDispatchSteps(db, keeper.temporal)
    return await environment.run(steps.dispatch, FIRST)


async def test_every_tenant_recalculates(db: Database, temporal: Client) -> None:
    async with Bookkeeper.at_work(temporal) as keeper:
        everybody = [await make_tenant(db, new_id()) for _ in range(13)]
        assert (await dispatch(db, keeper)).tenants == 13
        for tenant_id in everybody:
            handle = temporal.get_workflow_handle(recalculation_workflow(tenant_id))
            assert await handle.result() == "nobody is waiting"
        assert keeper.ledger.scopes == [None] * 13


async def test_a_manual_run_and_the_schedule_are_one(db: Database, temporal: Client) -> None:
    async with Bookkeeper.at_work(temporal) as keeper:
        await make_tenant(db, keeper.tenant_id)
        keeper.ledger.hold()
        manual = asyncio.create_task(keeper.ask())
        await keeper.ledger.reached.wait()
        for _ in range(2):
            await dispatch(db, keeper)
        keeper.ledger.go_on()
        assert await manual == ALL
        await keeper.handle.result()
        assert keeper.ledger.scopes == [None]


async def test_who_could_not_be_told_is_told_by_the_next_attempt_and_nobody_else_is(
    db: Database, temporal: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Bookkeeper.at_work(temporal) as keeper:
        everybody = sorted([await make_tenant(db, new_id()) for _ in range(12)])
        steps, told = RevenueDispatchSteps(db, temporal), list[str]()
        unlucky = everybody[3]

        async def tell(tenant_id: str, order: DispatchRecalculations) -> None:
            told.append(tenant_id)
            if tenant_id == unlucky and told.count(unlucky) == 1:
                raise RPCError("busy", 14, b"")  # type: ignore[arg-type]

        monkeypatch.setattr(steps, "_tell_one", tell)
        heard: list[Dispatched] = []
        environment = ActivityEnvironment()
        environment.on_heartbeat = lambda *details: heard.append(details[0])
        with pytest.raises(RuntimeError, match="1 of the tenants"):
            await environment.run(steps.dispatch, FIRST)
        assert told == everybody
        assert heard[-1] == Dispatched(tenants=11, after=everybody[-1], missed=(unlucky,))
        async with db.system() as session:
            assert sorted(await tenants.all_ids(session)) == everybody
        again = await dispatch(db, keeper, steps, heartbeat_details=[heard[-1]])
        assert (again.tenants, told[12:]) == (12, [unlucky])


async def test_the_schedule_is_made_once_and_fires_on_the_first_at_two(temporal: Client) -> None:
    await ensure_schedules(temporal)
    handle = temporal.get_schedule_handle(REVENUE)
    try:
        await handle.pause(note="an operator's")
        await ensure_schedules(temporal)
        seen = await handle.describe()
        now = datetime.now(UTC)
        first = add_months(now.date().replace(day=1), 1)
        due = datetime(first.year, first.month, 1, 2, tzinfo=UTC)
        assert seen.info.next_action_times[0] == due
        assert seen.schedule.state.paused
        policy = seen.schedule.policy
        assert (policy.overlap, policy.catchup_window) == (ScheduleOverlapPolicy.SKIP, CATCH_UP)
    finally:
        await handle.delete()


@pytest.fixture
async def idle(time_skipping: WorkflowEnvironment) -> Bookkeeper:
    """A bookkeeper on a server that skips time."""
    await know_our_attributes(time_skipping)
    return Bookkeeper(time_skipping.client)


async def test_a_workflow_that_nobody_asks_anything_ends(
    idle: Bookkeeper,
) -> None:
    async with idle.worker():
        handle = await idle.temporal.start_workflow(
            RevenueRecalculationWorkflow.run, idle.order, id=idle.id, task_queue=idle.queue_name
        )
        assert await handle.result() == "nobody is waiting"
    assert idle.ledger.scopes == []


async def test_a_result_that_nobody_fetches_is_not_kept_for_ever(
    idle: Bookkeeper,
) -> None:
    async with idle.worker():
        handle = await idle.temporal.start_workflow(
            RevenueRecalculationWorkflow.run, idle.order, id=idle.id, task_queue=idle.queue_name
        )
        idle.ledger.hold()
        update = await handle.start_update(
            RevenueRecalculationWorkflow.recalculate,
            Recalculate(patience_s=0.3),
            wait_for_stage=WorkflowUpdateStage.ACCEPTED,
        )
        await idle.ledger.reached.wait()
        with pytest.raises(WorkflowUpdateFailedError):
            await update.result()
        idle.ledger.go_on()
        assert await handle.result() == "nobody is waiting"
