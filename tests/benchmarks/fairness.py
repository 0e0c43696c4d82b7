"""A tenant with 2,000 waiting activities beside one with a single one."""

import asyncio
import statistics

from sqlalchemy import insert, text

from models.ids import new_id
from models.queries.tenants import agent_id
from models.tables.agent_activities import AgentActivity
from tests.benchmarks.harness import ROLE, Bench, Measured, Work, in_ms
from tests.factories.agents import TenantMade, make_campaign
from workers.wire_script import Reply

WAITING = 2000
SAMPLES = 15


async def run(bench: Bench) -> list[Measured]:
    """The wait is from assigned to the first call of the model."""
    bench.stage.default = Reply(text="Done, after a second.", stall=1.0)
    small = await bench.tenant()
    campaign_id = await bench.campaign(small)
    await _waits(bench, small, campaign_id, 3)
    idle = await _waits(bench, small, campaign_id, SAMPLES)
    big = await bench.tenant()
    await _crowd(bench, big)
    arriving = await _waits(bench, small, campaign_id, 5)
    await _handed_out(bench, big)
    beside = await _waits(bench, small, campaign_id, SAMPLES)
    left = await _open(bench, big)
    assert left > WAITING / 2, "the crowd was gone before the end"
    bench.stage.default = Reply(text="Done.", stall=600)
    return [
        in_ms(
            Measured(
                name="fairness_wait",
                ours=statistics.median(beside),
                bare=statistics.median(idle),
                unit="s",
                target=2,
                note=f"beside {left} activities of another tenant; bare is the idle system; "
                f"while the other's arrive {statistics.median(arriving) * 1000:.0f} ms",
            )
        )
    ]


async def _waits(bench: Bench, tenant: TenantMade, campaign_id: str, count: int) -> list[float]:
    waits = []
    for _ in range(count):
        work = Work(tenant=tenant, campaign_id=campaign_id, title=f"Alone {new_id()}")
        bench.stage.cast(work.title, Reply(text="Done."))
        await bench.start(work)
        waits.append((await bench.stage.times(work.title, 1))[0] - work.began)
        await asyncio.sleep(0.2)
    return waits


async def _crowd(bench: Bench, tenant: TenantMade) -> None:
    """An active campaign whose 2,000 activities are ready, handed out as its workflow does."""
    campaign_id = await make_campaign(bench.database, tenant, status="active", plan=[], ordered=())
    rows = [
        {
            "id": new_id(), "tenant_id": tenant.id, "campaign_id": campaign_id, "title": "Crowd",
            "type": "research", "status": "created", "agent_role": ROLE,
            "assignee_id": agent_id(tenant.id, ROLE), "input_prompt": "Look it up.",
        }
        for _ in range(WAITING)
    ]  # fmt: skip
    async with bench.database.tenant(tenant.id) as db:
        await db.execute(insert(AgentActivity), rows)
    await bench.look_after(tenant, campaign_id)
    while await _open(bench, tenant, "created") == WAITING:
        await asyncio.sleep(0.1)


async def _handed_out(bench: Bench, tenant: TenantMade) -> None:
    """Wait until the campaign has as many activities at its agents as it may."""
    before = -1
    async with asyncio.timeout(120):
        while before != (now := await _open(bench, tenant, "created")):
            before = now
            await asyncio.sleep(2)


async def _open(bench: Bench, tenant: TenantMade, status: str | None = None) -> int:
    sql = text(
        "select count(*) from agent_activity where status <> 'done'"
        " and (status = :status or cast(:status as text) is null)"
    )
    async with bench.database.tenant(tenant.id) as db:
        return int((await db.execute(sql, {"status": status})).scalar_one())
