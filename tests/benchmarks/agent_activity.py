"""An agent's activity of three turns against a Temporal workflow of the same shape that idles."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from itertools import cycle, islice

from sqlalchemy import insert
from temporalio import activity, workflow

from activities.ports import (
    Check,
    StopReason,
    StreamPart,
    Text,
    ToolUse,
    TurnEnd,
    TurnRequest,
    Usage,
)
from models.contracts.agent_activities import CarryOutActivity
from models.ids import new_id
from models.rules.vocabulary import ActivityStatus, ActivityType, WakeReason
from models.tables.agent_runs import AgentConfig
from tests.benchmarks.harness import Bench, Measured, compare, in_ms, timed, timed_together
from tests.factories.agents import TenantMade, make_activity, make_campaign, make_output
from workers.billing import build_stripe
from workers.container import Container
from workers.memory import keep_what_is_loaded
from workers.registry import Queue, agents_queue
from workers.worker import build_worker
from workflows import policies
from workflows.agents.agent_activities import AgentActivityWorkflow
from workflows.visibility import activity_workflow, attributes, campaign_workflow

TURNS = 3
AT_ONCE = 50
ROLES = ("strategist", "analyst", "copywriter", "seo_specialist", "editor")
QUEUE = "bench-agents"
BARE_QUEUE = "bench-bare"


class ScriptedLlm:
    """Asks for one tool in each turn but the last, without taking any time."""

    name = "claude"

    async def stream_turn(self, request: TurnRequest) -> AsyncIterator[StreamPart]:
        asked = sum(message.role == "assistant" for message in request.messages)
        usage = Usage(input_tokens=900, output_tokens=120)
        if asked < TURNS - 1:
            source = request.system.rpartition("source:")[2][:26]
            call = ToolUse(id="c", name="read_activity_output", input={"activityId": source})
            yield TurnEnd(blocks=(call,), stop_reason=StopReason.TOOL_USE, usage=usage)
        else:
            words = Text(text="What was found out, in a few words.")
            yield TurnEnd(blocks=(words,), stop_reason=StopReason.END, usage=usage)

    async def check(self, model: str) -> Sequence[Check]:
        return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BareOrder:
    """As many words as the real order has."""

    tenant_id: str
    campaign_id: str
    activity_id: str


class BareSteps:
    """Steps that do nothing."""

    @activity.defn(name="bare.record")
    async def record(self, order: BareOrder) -> BareOrder:
        return order

    @activity.defn(name="bare.turn")
    async def turn(self, order: BareOrder) -> BareOrder:
        return order


@workflow.defn(name="bare")
class BareWorkflow:
    """The commands of an activity of three turns: two local steps, five remote ones, a signal."""

    @workflow.run
    async def run(self, order: BareOrder) -> str:
        await workflow.execute_local_activity_method(BareSteps.record, order, **policies.RECORD)
        for number in range(2 * TURNS - 1):
            step = policies.with_summary(policies.TOOL, f"step {number}")
            await workflow.execute_activity_method(BareSteps.turn, order, **step)
        await workflow.execute_local_activity_method(BareSteps.record, order, **policies.RECORD)
        campaign = workflow.get_external_workflow_handle(campaign_workflow(order.campaign_id))
        await campaign.signal("activity_ended", order)
        return "done"


@workflow.defn(name="bare-campaign")
class BareCampaign:
    """Takes the signals of both."""

    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: False)

    @workflow.signal
    def activity_ended(self, ended: dict[str, str | None]) -> None:
        """One more has ended."""

    @workflow.query
    def status(self) -> str:
        """What the reconciler would hear."""
        return "active"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an activity is made: a tenant's role, and a campaign that takes its signals."""

    tenant: TenantMade
    role: str
    campaign_id: str
    source_id: str


async def run(bench: Bench) -> list[Measured]:
    """Serially, then fifty at once."""
    container = Container(
        settings=bench.settings, db=bench.database, temporal=bench.temporal,
        llms={"claude": ScriptedLlm()}, stripe=build_stripe(bench.settings),
    )  # fmt: skip
    bare = Queue(name=BARE_QUEUE, workflows=[BareWorkflow, BareCampaign], steps=[BareSteps()])
    async with AsyncExitStack() as running:
        await running.enter_async_context(
            build_worker(bench.temporal, agents_queue(container), task_queue=QUEUE)
        )
        await running.enter_async_context(build_worker(bench.temporal, bare))
        places = [await _place(bench, role) for role in ROLES]
        keep_what_is_loaded()
        return [await _serial(bench, places), await _at_once(bench, places)]


async def _serial(bench: Bench, places: list[Place]) -> Measured:
    ours, bare = await compare(
        lambda: _one(bench, places[0]), lambda: timed(_bare(bench, places[0])), rounds=20, warm=4
    )
    return in_ms(Measured(name="agent_activity_serial", ours=ours, bare=bare, unit="s", target=1.5))


async def _at_once(bench: Bench, places: list[Place]) -> Measured:
    spread = list(islice(cycle(places), AT_ONCE))

    async def ours() -> float:
        made = [(place, await _activity(bench, place)) for place in spread]
        return await timed_together([_carried_out(bench, *one) for one in made])

    async def bare() -> float:
        return await timed_together([_bare(bench, place) for place in spread])

    mine, theirs = await compare(ours, bare, rounds=2)
    return in_ms(
        Measured(name="agent_activity_at_50", ours=mine, bare=theirs, unit="s", target=2.0)
    )


async def _place(bench: Bench, role: str) -> Place:
    tenant = await bench.tenant()
    campaign_id = await make_campaign(bench.database, tenant, status="active")
    source_id = await make_activity(bench.database, tenant, campaign_id, status="done")
    output_id = await make_output(bench.database, tenant, source_id, "Tea is a leaf. " * 40)
    async with bench.database.tenant(tenant.id) as db:
        await db.exec_driver_sql(
            "update agent_activity set output_id = %s where id = %s", (output_id, source_id)
        )
        await db.execute(
            insert(AgentConfig).values(
                tenant_id=tenant.id, role=role, customised=True, concurrency=10,
                tool_names=["read_activity_output"], prompt_template=f"source:{source_id}",
            )
        )  # fmt: skip
    await bench.temporal.start_workflow(
        BareCampaign.run,
        id=campaign_workflow(campaign_id),
        task_queue=BARE_QUEUE,
        search_attributes=attributes(
            tenant_id=tenant.id, campaign_id=campaign_id, kind="campaign", status="active"
        ),
    )
    return Place(tenant=tenant, role=role, campaign_id=campaign_id, source_id=source_id)


async def _activity(bench: Bench, place: Place) -> str:
    return await make_activity(
        bench.database, place.tenant, place.campaign_id, role=place.role,
        type=ActivityType.RESEARCH, status=ActivityStatus.ASSIGNED,
    )  # fmt: skip


async def _one(bench: Bench, place: Place) -> float:
    activity_id = await _activity(bench, place)
    return await timed(_carried_out(bench, place, activity_id))


async def _carried_out(bench: Bench, place: Place, activity_id: str) -> None:
    ended = await bench.temporal.execute_workflow(
        AgentActivityWorkflow.run,
        CarryOutActivity(
            tenant_id=place.tenant.id,
            campaign_id=place.campaign_id,
            activity_id=activity_id,
            title="Look it up",
            role=place.role,
            wake_reason=WakeReason.PLANNED,
        ),
        id=activity_workflow(activity_id),
        task_queue=QUEUE,
        search_attributes=_attributes(place),
    )
    assert ended == ActivityStatus.DONE, ended


async def _bare(bench: Bench, place: Place) -> None:
    order = BareOrder(
        tenant_id=place.tenant.id, campaign_id=place.campaign_id, activity_id=new_id()
    )
    await bench.temporal.execute_workflow(
        BareWorkflow.run,
        order,
        id=f"bare:{order.activity_id}",
        task_queue=BARE_QUEUE,
        search_attributes=_attributes(place),
    )


def _attributes(place: Place):
    return attributes(
        tenant_id=place.tenant.id, campaign_id=place.campaign_id, kind="activity", status="assigned"
    )
