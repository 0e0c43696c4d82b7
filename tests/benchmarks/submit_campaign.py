"""POST /campaigns until its 201, against update-with-start whose one step inserts one row."""

import asyncio
from datetime import timedelta

import httpx
from sqlalchemy import text
from temporalio import activity, workflow
from temporalio.client import WithStartWorkflowOperation
from temporalio.common import WorkflowIDConflictPolicy

from models.db.database import Database
from models.ids import new_id
from tests.benchmarks.harness import Bench, Measured, compare, in_ms, timed
from workers.registry import Queue
from workers.wire_script import Reply
from workers.worker import build_worker

QUEUE = "bench-submit"
BODY = {
    "name": "Tea for coffee drinkers",
    "brief": "Sell more tea to people who like coffee. " * 20,
    "deliverables": [{"type": "blog_post", "quantity": 2}],
}


class InsertSteps:
    """One step with one INSERT."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @activity.defn(name="bench.insert")
    async def insert(self, name: str) -> None:
        async with self._database.tenant(name) as db:
            await db.execute(
                text("insert into tenant (id, name) values (:id, 'bench')"), {"id": name}
            )


@workflow.defn(name="bench-submit")
class BareSubmit:
    """Stores one row when told to."""

    def __init__(self) -> None:
        self._stored = False

    @workflow.run
    async def run(self, name: str) -> None:
        await workflow.wait_condition(lambda: self._stored)

    @workflow.update
    async def submit(self, name: str) -> None:
        await workflow.execute_local_activity_method(
            InsertSteps.insert, name, start_to_close_timeout=timedelta(seconds=10)
        )
        self._stored = True


async def run(bench: Bench) -> list[Measured]:
    """One after the other; the planners that begin are kept waiting, so that nothing else runs."""
    tenant = await bench.tenant()
    bench.stage.default = Reply(text="Later.", stall=600)
    headers = bench.headers(tenant)
    async with httpx.AsyncClient(base_url=bench.record.api_url, headers=headers) as http:

        async def ours() -> float:
            async def submit() -> None:
                answer = await http.post("/dashboard/v1/campaigns", json=BODY)
                assert answer.status_code == 201, answer.text

            await asyncio.sleep(0.2)
            return await timed(submit())

        async def bare() -> float:
            await asyncio.sleep(0.2)
            return await timed(_bare(bench))

        queue = Queue(name=QUEUE, workflows=[BareSubmit], steps=[InsertSteps(bench.database)])
        async with build_worker(bench.temporal, queue):
            mine, theirs = await compare(ours, bare, rounds=40, warm=5)
    return [in_ms(Measured(name="submit_campaign", ours=mine, bare=theirs, unit="s", target=2.0))]


async def _bare(bench: Bench) -> None:
    name = new_id()
    start = WithStartWorkflowOperation(
        BareSubmit.run,
        name,
        id=f"bench-submit:{name}",
        task_queue=QUEUE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
    )
    await bench.temporal.execute_update_with_start_workflow(
        BareSubmit.submit, name, start_workflow_operation=start
    )
