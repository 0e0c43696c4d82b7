"""Records histories of real runs, to be replayed ever after by `test_replay.py`.

    .venv/bin/python -m pytest tests/histories/record.py

Run it when a workflow gains a behaviour that no history shows yet. Histories of what is deployed
are not recorded anew: a change of a workflow that they do not survive needs `workflow.patched`.
"""

import asyncio
import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from temporalio.client import Client, WorkflowHistory
from temporalio.testing import ActivityEnvironment

from activities.agents.reconciliation import ReconcilerSteps
from activities.ports import Usage
from models.contracts.agent_checks import CheckAgent
from models.contracts.approvals import CloseApproval
from models.contracts.maintenance import Sweep
from models.contracts.revenue import DISPATCH, RECALCULATION, Pace
from models.db.database import Database
from models.errors import Unavailable, UpstreamFailed
from models.ids import new_id
from models.rules.clients.qbrs import QbrPreparation
from models.rules.vocabulary import DeliverableType, Resolution, WakeReason
from models.settings import Settings
from tests.factories.clients import make_client
from tests.factories.results import store_metric
from tests.workflows.recalculation import Bookkeeper
from tests.workflows.scripted_llm import Gate, Reply, busy, refused, say, tool, use
from tests.workflows.studio import BLOG, REPORT, Calendar, Studio
from tests.workflows.writing import CONFIGURED, UNCONFIGURED, Writers
from workflows.agents.agent_checks import AgentCheckWorkflow
from workflows.agents.approvals import ApprovalWorkflow
from workflows.agents.maintenance import MaintenanceWorkflow
from workflows.people.revenue_recalculation import RevenueDispatchWorkflow
from workflows.visibility import (
    activity_workflow,
    ai_summary_workflow,
    approval_workflow,
    campaign_workflow,
    insight_workflow,
    qbr_prep_workflow,
)

HERE = Path(__file__).parent
REPORTING = "performance_report"
TRACE = re.compile(r'("stackTrace": )"(?:[^"\\]|\\.)+"')


async def save(temporal: Client, workflow_id: str, kind: str, scenario: str) -> None:
    """Write the history of the workflow's latest run."""
    history = await temporal.get_workflow_handle(workflow_id).fetch_history()
    keep(history, kind, scenario)


async def save_runs(temporal: Client, workflow_id: str, kind: str, scenario: str) -> None:
    """Write the history of each run of a workflow that continued as new, oldest first."""
    runs = [one async for one in temporal.list_workflows(f'WorkflowId="{workflow_id}"')]
    for number, one in enumerate(sorted(runs, key=lambda run: run.start_time), start=1):
        handle = temporal.get_workflow_handle(workflow_id, run_id=one.run_id)
        keep(await handle.fetch_history(), kind, f"{scenario}_{number}")


def keep(history: WorkflowHistory, kind: str, scenario: str) -> None:
    """Write a history down, without the traces of its failures: they name this machine's files."""
    folder = HERE / kind
    folder.mkdir(exist_ok=True)
    text = TRACE.sub(r'\1""', history.to_json())
    (folder / f"{scenario}.json").write_text(text + "\n")


async def test_approved(studio: Studio) -> None:
    campaign_id = await studio.submit((BLOG, 1))
    approval = await studio.pending_approval(campaign_id)
    await studio.resolve(approval.id)
    done = await studio.activity(campaign_id, "blog_post", "done")
    await save(studio.temporal, approval_workflow(approval.id), "approval", "approved")
    await save(studio.temporal, activity_workflow(done.id), "agent_activity", "approved")
    await save_runs(studio.temporal, campaign_workflow(campaign_id), "campaign", "planned")


async def test_sent_back_then_approved(studio: Studio) -> None:
    campaign_id = await studio.submit((BLOG, 1))
    first = await studio.pending_approval(campaign_id)
    await studio.resolve(first.id, Resolution.REVISION_REQUESTED, note="Shorter.")
    await studio.until("select 1 from approval where status = 'pending' and id <> :id", id=first.id)
    second = await studio.pending_approval(campaign_id)
    await studio.resolve(second.id)
    done = await studio.activity(campaign_id, "blog_post", "done")
    await save(studio.temporal, approval_workflow(first.id), "approval", "revision_requested")
    await save(studio.temporal, activity_workflow(done.id), "agent_activity", "sent_back")


async def test_failed_then_retried(studio: Studio) -> None:
    studio.llm.on(REPORTING, refused(), refused(), refused(), say("At last."))
    campaign_id = await studio.submit((REPORT, 1))
    failed = await studio.activity(campaign_id, REPORTING, "failed")
    await studio.try_again(failed.id)
    await studio.activity(campaign_id, REPORTING, "done")
    await save(studio.temporal, activity_workflow(failed.id), "agent_activity", "retried")


async def test_question_with_options(studio: Studio) -> None:
    ask = use(
        "request_approval", type="content_direction", riskLevel="low", title="Which?",
        options=["Leaves", "Cups"],
    )  # fmt: skip
    studio.llm.on(REPORTING, ask, say("Cups it is."))
    campaign_id = await studio.submit((REPORT, 1))
    approval = await studio.pending_approval(campaign_id)
    await studio.resolve(approval.id, selected_option="Cups")
    done = await studio.activity(campaign_id, REPORTING, "done")
    await save(studio.temporal, activity_workflow(done.id), "agent_activity", "asked")


async def test_subtasks(studio: Studio) -> None:
    part = {"title": "Leaves", "role": "analyst", "prompt": "Count."}
    studio.llm.on(REPORTING, Reply(tools=(tool("create_subtask", **part),)), say("Done."))
    campaign_id = await studio.submit((REPORT, 1))
    done = await studio.activity(campaign_id, REPORTING, "done")
    child = await studio.activity(campaign_id, "research", "done")
    await save(studio.temporal, activity_workflow(done.id), "agent_activity", "subtasks")
    await save(studio.temporal, activity_workflow(child.id), "agent_activity", "subtask")


async def test_handed_to_a_person(studio: Studio) -> None:
    studio.llm.on(REPORTING, use("hand_over", to="human", purpose="work", note="Yours."))
    campaign_id = await studio.submit((REPORT, 1))
    await studio.until(
        "select 1 from agent_activity where type = :kind and agent_role is null"
        " and status = 'in_progress'", kind=REPORTING,
    )  # fmt: skip
    handed = await studio.activity(campaign_id, REPORTING, "in_progress")
    await studio.complete(handed.id, "Sold 40 cups.")
    await studio.activity(campaign_id, REPORTING, "done")
    await save(studio.temporal, activity_workflow(handed.id), "agent_activity", "handed_over")


async def test_held_for_the_budget(studio: Studio) -> None:
    dear = Usage(output_tokens=26_000)
    look = Reply(tools=(tool("read_activity_output", activityId="?"),), usage=dear)
    studio.llm.on(REPORTING, look, say("Done."))
    campaign_id = await studio.submit((REPORT, 1), budget_cap_usd=Decimal("0.30"))
    held = await studio.held(campaign_id, REPORTING, "budget_exhausted")
    await studio.pending_approval(campaign_id)
    await studio.change(campaign_id, budget_cap_usd=Decimal(9))
    await studio.activity(campaign_id, REPORTING, "done")
    await save(studio.temporal, activity_workflow(held.id), "agent_activity", "budget")
    await save(studio.temporal, campaign_workflow(campaign_id), "campaign", "budget")


async def test_paused_resumed_and_archived(studio: Studio) -> None:
    gate = Gate()
    look = Reply(tools=(tool("read_activity_output", activityId="?"),), gate=gate)
    studio.llm.on(REPORTING, look, say("Done."))
    campaign_id = await studio.submit((REPORT, 1), (DeliverableType.BLOG_POST, 1))
    await gate.reached.wait()
    approval = await studio.pending_approval(campaign_id)
    await studio.pause(campaign_id)
    gate.open()
    held = await studio.held(campaign_id, REPORTING, "campaign_paused")
    await studio.resume(campaign_id)
    await studio.activity(campaign_id, REPORTING, "done")
    post = await studio.activity(campaign_id, "blog_post", "awaiting_approval")
    await studio.archive(campaign_id)
    await studio.held(campaign_id, "blog_post", "campaign_archived")
    await save(studio.temporal, activity_workflow(held.id), "agent_activity", "paused")
    await save(studio.temporal, activity_workflow(post.id), "agent_activity", "archived")
    await save(studio.temporal, approval_workflow(approval.id), "approval", "archived")
    await save(studio.temporal, campaign_workflow(campaign_id), "campaign", "archived")


async def test_closed_and_reopened(studio: Studio) -> None:
    campaign_id = await studio.submit((BLOG, 1))
    approval = await studio.pending_approval(campaign_id)
    old = studio.temporal.get_workflow_handle(approval_workflow(approval.id))
    expired = CloseApproval(wake_reason=WakeReason.APPROVAL_EXPIRED)
    await old.signal(ApprovalWorkflow.close, expired)
    blocked = await studio.held(campaign_id, "blog_post", "approval_expired")
    new_one = await studio.reopen(approval)
    await studio.activity(campaign_id, "blog_post", "awaiting_approval")
    await studio.resolve(new_one)
    await studio.activity(campaign_id, "blog_post", "done")
    await save(studio.temporal, approval_workflow(new_one), "approval", "reopened")
    await save(studio.temporal, activity_workflow(blocked.id), "agent_activity", "reopened")


async def test_reminded_and_expired(calendar: Calendar) -> None:
    campaign_id = await calendar.submit((BLOG, 1))
    approval = await calendar.pending_approval(campaign_id)
    async with calendar.passing(days=4):
        await calendar.held(campaign_id, "blog_post", "approval_expired")
    await save(calendar.temporal, approval_workflow(approval.id), "approval", "expired")


async def test_checked(studio: Studio) -> None:
    asked = CheckAgent(tenant_id=studio.tenant_id, role="copywriter")
    workflow_id = f"agent-check:{new_id()}"
    await studio.temporal.execute_workflow(
        AgentCheckWorkflow.run, asked, id=workflow_id, task_queue=studio.queue_name
    )
    await save(studio.temporal, workflow_id, "agent-check", "well")


async def test_maintained(studio: Studio) -> None:
    campaign_id = await studio.submit((BLOG, 1))
    await studio.pending_approval(campaign_id)
    handle = studio.temporal.get_workflow_handle(campaign_workflow(campaign_id))
    await handle.terminate("by hand")
    steps = ReconcilerSteps(studio.db, studio.temporal)
    later = Sweep(at=datetime.now(UTC) + timedelta(minutes=1))
    await ActivityEnvironment().run(steps.reconcile, later)
    workflow_id = f"maintenance-{new_id()}"
    await studio.temporal.execute_workflow(
        MaintenanceWorkflow.run, id=workflow_id, task_queue=studio.queue_name
    )
    await save(studio.temporal, workflow_id, "maintenance", "round")


@pytest.mark.parametrize(
    ("scenario", "replies"),
    [
        ("prepared", []),
        ("repeated", [busy(), Reply(text="no JSON")]),
        ("failed", [Reply(text="no JSON")] * 3),
    ],
)
async def test_texts_about_clients(
    db: Database, temporal: Client, scenario: str, replies: list[Reply]
) -> None:
    async with Writers.of_tenant(db, temporal) as writers:
        company_id = await make_client(db, writers.tenant)
        for ask, workflow_id, kind in (
            (writers.prepare, qbr_prep_workflow(company_id, "ai"), "qbr-prep"),
            (writers.sum_up, ai_summary_workflow(company_id), "ai-summary"),
        ):
            writers.llm.then(*replies)
            if scenario == "failed":
                with pytest.raises(UpstreamFailed):
                    await ask(company_id)
            else:
                await ask(company_id)
            await save(temporal, workflow_id, kind, scenario)


@pytest.mark.parametrize(
    ("scenario", "replies"),
    [
        ("written", []),
        ("repeated", [busy(), Reply(text="no JSON")]),
        ("failed", [Reply(text="no JSON")] * 3),
        ("nothing", None),
    ],
)
async def test_insights(
    db: Database, temporal: Client, scenario: str, replies: list[Reply] | None
) -> None:
    async with Writers.of_tenant(db, temporal) as writers:
        company_id = await make_client(db, writers.tenant)
        if replies is not None:
            await store_metric(db, writers.tenant, company_id, "spend", date(2025, 3, 1), [5, 7])
            writers.llm.then(*replies)
        await writers.comment(company_id)
        await save(temporal, insight_workflow(company_id, "month"), "insight", scenario)


@pytest.mark.parametrize(
    ("scenario", "replies", "settings"),
    [
        ("results", [], CONFIGURED),
        ("results_template", [Reply(text="no JSON")] * 6, CONFIGURED),
        ("results_unconfigured", [], UNCONFIGURED),
    ],
)
async def test_qbrs_from_results(
    db: Database, temporal: Client, scenario: str, replies: list[Reply], settings: Settings
) -> None:
    async with Writers.of_tenant(db, temporal, settings=settings) as writers:
        company_id = await make_client(db, writers.tenant)
        yesterday = datetime.now(UTC).date() - timedelta(days=1)
        await store_metric(db, writers.tenant, company_id, "spend", yesterday, [5])
        writers.llm.then(*replies)
        await writers.prepare(company_id, QbrPreparation.RESULTS)
        await save(temporal, qbr_prep_workflow(company_id, "results"), "qbr-prep", scenario)


async def test_a_current_summary(db: Database, temporal: Client) -> None:
    async with Writers.of_tenant(db, temporal) as writers:
        company_id = await make_client(db, writers.tenant)
        await writers.sum_up(company_id)
        await writers.sum_up(company_id)
        await save(temporal, ai_summary_workflow(company_id), "ai-summary", "current")


async def test_recalculated(temporal: Client) -> None:
    async with Bookkeeper.at_work(temporal) as keeper:
        await keeper.ask()
        await keeper.handle.result()
        await save(temporal, keeper.id, RECALCULATION, "all")


async def test_recalculated_by_scopes(temporal: Client) -> None:
    async with Bookkeeper.at_work(temporal) as keeper:
        keeper.ledger.hold()
        first = asyncio.create_task(keeper.ask("c001"))
        await keeper.ledger.reached.wait()
        await keeper.tell("c002", "c003")
        with pytest.raises(Unavailable):
            await keeper.ask("c002", "c003", patience=0.5)
        rest = asyncio.create_task(keeper.ask())
        await asyncio.sleep(0.3)
        keeper.ledger.go_on()
        await asyncio.gather(first, rest)
        await keeper.ask("c002", "c003")
        await keeper.handle.result()
        await save(temporal, keeper.id, RECALCULATION, "scopes")


async def test_recalculated_with_a_failed_import(temporal: Client) -> None:
    async with Bookkeeper.at_work(temporal, Pace(links=2)) as keeper:
        keeper.ledger.linked = ("c002", "c004", "c005")
        keeper.ledger.unreachable = ("c004",)
        await keeper.ask()
        await keeper.handle.result()
        await save(temporal, keeper.id, RECALCULATION, "failed_import")


async def test_recalculated_in_several_runs(temporal: Client) -> None:
    async with Bookkeeper.at_work(temporal, Pace(clients=5, batches=1, steps=2)) as keeper:
        keeper.ledger.hold()
        asked = [asyncio.create_task(keeper.ask()) for _ in range(2)]
        await keeper.ledger.reached.wait()
        await asyncio.sleep(0.3)
        keeper.ledger.go_on()
        await asyncio.gather(*asked)
        await keeper.handle.result()
        await save_runs(temporal, keeper.id, RECALCULATION, "continued")


async def test_dispatched(studio: Studio) -> None:
    workflow_id = f"{DISPATCH}-{new_id()}"
    await studio.temporal.execute_workflow(
        RevenueDispatchWorkflow.run, id=workflow_id, task_queue=studio.queue_name
    )
    await save(studio.temporal, workflow_id, DISPATCH, "month")
