"""500 viewers of one run: how long a word takes from the model to everybody's eyes."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Sequence

import orjson

from activities.ports import Check, StopReason, StreamPart, Text, TextDelta, TurnEnd, Usage
from activities.ports import TurnRequest as Request
from models.contracts.agent_activities import CarryOutActivity
from models.ids import new_id
from models.rules.vocabulary import ActivityType, WakeReason
from tests.benchmarks.harness import ROLE, Bench, Measured
from tests.factories.agents import make_activity
from workers.billing import build_stripe
from workers.container import Container
from workers.embedded import ROOT
from workers.registry import agents_queue
from workers.worker import build_worker
from workflows.agents.agent_activities import AgentActivityWorkflow
from workflows.visibility import activity_workflow

VIEWERS = 500
DELTAS = 160
PAUSE_S = 0.05
QUEUE = "bench-viewers"


class TickingLlm:
    """Says what time it is, twenty times a second, once it is told to begin."""

    name = "claude"

    def __init__(self) -> None:
        self.begin = asyncio.Event()
        self.said: list[str] = []

    async def stream_turn(self, request: Request) -> AsyncIterator[StreamPart]:
        await self.begin.wait()
        for _ in range(DELTAS):
            await asyncio.sleep(PAUSE_S)
            self.said.append(f"{time.perf_counter():.6f}")
            yield TextDelta(text=f"{self.said[-1]} ")
        blocks = (Text(text=" ".join(self.said)),)
        yield TurnEnd(blocks=blocks, stop_reason=StopReason.END, usage=Usage(output_tokens=9))

    async def check(self, model: str) -> Sequence[Check]:
        return ()


async def run(bench: Bench) -> list[Measured]:
    """A worker of ours streams the clock; another process watches through the stack's API."""
    llm = TickingLlm()
    container = Container(
        settings=bench.settings, db=bench.database, temporal=bench.temporal, llms={"claude": llm},
        stripe=build_stripe(bench.settings),
    )  # fmt: skip
    async with build_worker(bench.temporal, agents_queue(container), task_queue=QUEUE):
        report = await _watched(bench, llm)
    missing = report["different"] + (report["words"] != llm.said)
    note = f"p50 {report['p50'] * 1000:.0f} ms, {report['deltas']} deltas each, "
    note += f"{missing} viewers with gaps, {report['unordered']} out of order"
    p95 = report["p95"] * 1000
    wrong = missing + report["unordered"]
    return [
        Measured(name="viewers_p95", ours=p95, unit="ms", target=150, note=note),
        Measured(name="viewers_wrong", ours=wrong, unit="viewers", target=0),
    ]


async def _watched(bench: Bench, llm: TickingLlm):
    tenant = await bench.tenant()
    campaign_id = await bench.campaign(tenant)
    activity_id = await make_activity(
        bench.database, tenant, campaign_id, role=ROLE, type=ActivityType.RESEARCH,
        status="assigned", title=f"Tell the time {new_id()}",
    )  # fmt: skip
    order = CarryOutActivity(
        tenant_id=tenant.id, campaign_id=campaign_id, activity_id=activity_id, role=ROLE,
        wake_reason=WakeReason.PLANNED,
    )  # fmt: skip
    token = bench.headers(tenant)["Authorization"].removeprefix("Bearer ")
    path = f"/dashboard/v1/activities/{activity_id}/stream"
    watching = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.benchmarks.viewing", str(bench.record.api_port), path, token,
        str(VIEWERS), cwd=ROOT, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    working = bench.temporal.execute_workflow(
        AgentActivityWorkflow.run, order, id=activity_workflow(activity_id), task_queue=QUEUE
    )
    running = asyncio.create_task(working)
    # Until all have joined; who joins later is served too, but from the log.
    await asyncio.sleep(6)
    llm.begin.set()
    await running
    out, _ = await asyncio.wait_for(watching.communicate(), 60)
    return orjson.loads(out)
