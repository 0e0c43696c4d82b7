"""From an approval's decision to the agent's next turn: on an idle stack, and after a kill."""

import asyncio
import os
import signal
import sys
import time

import httpx
from sqlalchemy import TextClause, text
from temporalio.api.enums.v1 import EventType, TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest

from models.ids import new_id
from tests.benchmarks.harness import Bench, Measured, Work, quantile
from tests.factories.agents import TenantMade
from workers.embedded import ROOT
from workers.processes import Child, spawn
from workers.wire_script import Reply, ToolCall
from workflows import policies
from workflows.visibility import activity_workflow, approval_workflow

DECISIONS = 50
KILLS = 5
_QUESTION = {"type": "strategy_change", "riskLevel": "low", "title": "Shall we?"}


async def run(bench: Bench) -> list[Measured]:
    """Sixty decisions one after the other, then five whose worker was just killed."""
    tenant = await bench.tenant()
    campaign_id = await bench.campaign(tenant)
    headers = bench.headers(tenant)
    async with httpx.AsyncClient(
        base_url=bench.record.api_url, headers=headers, timeout=30
    ) as http:
        idle = [await _decided(bench, http, tenant, campaign_id) for _ in range(DECISIONS)]
        killed = await _after_kills(bench, http, tenant, campaign_id)
    accepted = [max(asked, 0.0) for asked, _ in idle]
    from_post = [whole for _, whole in idle]
    note = f"p50 {quantile(accepted, 0.5) * 1000:.0f} ms; from the POST's first byte "
    note += f"p50 {quantile(from_post, 0.5) * 1000:.0f}, p99 {quantile(from_post, 0.99) * 1000:.0f}"
    return [
        Measured(
            name="decision_to_turn_p99", ours=quantile(accepted, 0.99) * 1000, unit="ms",
            target=100, note=note,
        ),
        Measured(
            name="decision_to_turn_killed", ours=max(killed), unit="s", target=4,
            note="each, from the POST's first byte: " + ", ".join(f"{t:.1f} s" for t in killed),
        ),
    ]  # fmt: skip


async def _decided(
    bench: Bench,
    http: httpx.AsyncClient,
    tenant: TenantMade,
    campaign_id: str,
    *,
    kill: bool = False,
) -> tuple[float, float]:
    """How long after the answer, and after the request, the model was asked again."""
    work = Work(tenant=tenant, campaign_id=campaign_id, title=f"Ask {new_id()}")
    ask = Reply(tools=(ToolCall(name="request_approval", input=_QUESTION),))
    bench.stage.cast(work.title, ask, Reply(text="So be it."))
    await bench.start(work)
    approval_id = await _pending(bench, work)
    if kill:
        os.kill(await _holder(bench, work), signal.SIGKILL)
    begin = time.perf_counter()
    await _resolved(http, approval_id)
    accepted = time.perf_counter()
    asked = (await bench.stage.times(work.title, 2))[1]
    return asked - accepted, asked - begin


async def _resolved(http: httpx.AsyncClient, approval_id: str) -> None:
    """Decide, and send the same request again where the API asks for that."""
    headers = {"Idempotency-Key": approval_id}
    for _ in range(4):
        answer = await http.post(
            f"/dashboard/v1/approvals/{approval_id}/resolve",
            json={"resolution": "approved"},
            headers=headers,
        )
        if answer.status_code != 503:
            break
    assert answer.status_code == 200, answer.text


async def _pending(bench: Bench, work: Work) -> str:
    """The approval's id, once its workflow runs and everything is quiet again."""
    sql = text("select approval_id from agent_activity where id = :id and approval_id is not null")
    async with asyncio.timeout(30):
        return await _found(bench, work, sql)


async def _found(bench: Bench, work: Work, sql: TextClause) -> str:
    while True:
        async with bench.database.tenant(work.tenant.id) as db:
            found = (await db.execute(sql, {"id": work.activity_id})).scalar_one_or_none()
        if found is not None:
            await asyncio.sleep(0.3)
            await bench.temporal.get_workflow_handle(approval_workflow(found)).describe()
            return str(found)
        await asyncio.sleep(0.01)


async def _after_kills(
    bench: Bench, http: httpx.AsyncClient, tenant: TenantMade, campaign_id: str
) -> list[float]:
    """Two worker processes, of which the one that holds the workflow dies before the decision."""
    took = []
    second = _second_worker(bench)
    try:
        for _ in range(KILLS):
            await _polling(bench, second.process.pid)
            took.append((await _decided(bench, http, tenant, campaign_id, kill=True))[1])
            if not second.alive:
                second = _second_worker(bench)
    finally:
        second.stop()
    return took


def _second_worker(bench: Bench) -> Child:
    log = bench.settings.data_dir / "logs" / "worker-2.log"
    return spawn("worker-2", [sys.executable, "-m", "workers", "worker"], log, cwd=ROOT)


async def _polling(bench: Bench, second: int) -> None:
    """Wait until both worker processes ask for work, a restarted one included."""
    asked = DescribeTaskQueueRequest(
        namespace=bench.settings.temporal_namespace,
        task_queue=TaskQueue(name=policies.TASK_QUEUE),
        task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
    )
    async with asyncio.timeout(60):
        while True:
            wanted = {str(second), str(bench.stack.record.children["worker-1"].pid)}
            found = await bench.temporal.workflow_service.describe_task_queue(asked)
            if wanted <= {poller.identity.partition("@")[0] for poller in found.pollers}:
                await asyncio.sleep(2)
                return
            await asyncio.sleep(0.2)


async def _holder(bench: Bench, work: Work) -> int:
    """The process that did the activity's last workflow task."""
    handle = bench.temporal.get_workflow_handle(activity_workflow(work.activity_id))
    pid = 0
    async for event in handle.fetch_history_events():
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
            identity = event.workflow_task_completed_event_attributes.identity
            pid = int(identity.partition("@")[0])
    assert pid > 1, "nobody has worked on it"
    return pid
