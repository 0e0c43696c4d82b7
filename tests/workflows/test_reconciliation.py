"""What an operator does by hand in Temporal never leaves the record lying."""

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta

import pytest
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.service import RPCError
from temporalio.testing import ActivityEnvironment

from activities.agents.reconciliation import ReconcilerSteps
from models.contracts.maintenance import Reconciled, Sweep
from models.rules.vocabulary import DeliverableType
from tests.workflows.harness import Engine
from workflows.visibility import activity_workflow, approval_workflow, campaign_workflow


async def reconcile(engine: Engine) -> Reconciled:
    """One round, as if everything had stood still for a minute."""
    steps = ReconcilerSteps(engine.db, engine.temporal)
    at = datetime.now(UTC) + timedelta(minutes=1)
    return await ActivityEnvironment().run(steps.reconcile, Sweep(at=at))


async def terminate(engine: Engine, workflow_id: str) -> None:
    for _ in range(100):
        with contextlib.suppress(RPCError):
            await engine.temporal.get_workflow_handle(workflow_id).terminate("by hand")
            break
        # A record is there a moment before its workflow is.
        await asyncio.sleep(0.05)
    running = f'WorkflowId = "{workflow_id}" AND ExecutionStatus = "Running"'
    # Temporal's lists, which the reconciler begins with, know a moment later.
    while (await engine.temporal.count_workflows(running)).count:
        await asyncio.sleep(0.05)


@pytest.fixture
async def waiting(engine: Engine) -> tuple[str, str, str]:
    """A campaign whose blog post waits for approval: (campaign, activity, approval)."""
    campaign_id = await engine.submit((DeliverableType.BLOG_POST, 1))
    approval = await engine.pending_approval(campaign_id)
    post = await engine.activity(campaign_id, "blog_post", "awaiting_approval")
    return campaign_id, post.id, approval.id


async def test_nothing_is_corrected_while_all_is_well(
    engine: Engine, waiting: tuple[str, str, str]
) -> None:
    found = await reconcile(engine)
    assert (found.activities, found.approvals, found.restart) == (0, 0, ())


async def test_an_activity_whose_workflow_was_terminated_shows_as_failed(
    engine: Engine, waiting: tuple[str, str, str]
) -> None:
    campaign_id, activity_id, _ = waiting
    await terminate(engine, activity_workflow(activity_id))
    assert (await reconcile(engine)).activities == 1
    failed = await engine.activity(campaign_id, "blog_post", "failed")
    assert (failed.last_error, "terminated" in failed.last_error_message) == ("cancelled", True)


async def test_a_correction_is_in_the_audit_log_and_told_to_the_admins(
    engine: Engine, waiting: tuple[str, str, str]
) -> None:
    await terminate(engine, activity_workflow(waiting[1]))
    await reconcile(engine)
    said = await engine.rows(
        "select a.changes, n.subject from audit_entry a, notification n"
        " where a.action = 'reconciled' and a.entity_id = :id and n.kind = 'reconciled'",
        id=waiting[1],
    )
    assert said[0].changes == {"workflow": "terminated", "status": "failed"}


async def test_a_retry_drives_a_terminated_activity_again(
    engine: Engine, waiting: tuple[str, str, str]
) -> None:
    campaign_id, activity_id, _ = waiting
    await terminate(engine, activity_workflow(activity_id))
    await reconcile(engine)
    await engine.retry(campaign_id, activity_id)
    await engine.activity(campaign_id, "blog_post", "awaiting_approval")


async def test_an_approval_whose_workflow_was_terminated_expires(
    engine: Engine, waiting: tuple[str, str, str]
) -> None:
    campaign_id, _, approval_id = waiting
    await terminate(engine, approval_workflow(approval_id))
    assert (await reconcile(engine)).approvals == 1
    blocked = await engine.activity(campaign_id, "blog_post", "blocked")
    assert blocked.wake_reason == "approval_expired"


async def test_a_campaign_whose_workflow_was_terminated_pauses_and_is_started_again(
    engine: Engine, waiting: tuple[str, str, str]
) -> None:
    campaign_id = waiting[0]
    await terminate(engine, campaign_workflow(campaign_id))
    found = await reconcile(engine)
    assert [orphan.campaign_id for orphan in found.restart] == [campaign_id]
    assert await engine.rows("select 1 from campaign where status = 'paused'")


async def test_a_workflow_that_was_reset_writes_its_state_again(
    engine: Engine, waiting: tuple[str, str, str]
) -> None:
    """The record says done, the workflow was set back to before its approval."""
    campaign_id, activity_id, approval_id = waiting
    handle = engine.temporal.get_workflow_handle(activity_workflow(activity_id))
    described = await handle.describe()
    completed = [
        event.event_id
        async for event in handle.fetch_history_events()
        if event.HasField("workflow_task_completed_event_attributes")
    ]
    await engine.resolve(approval_id)
    await engine.activity(campaign_id, "blog_post", "done")
    await engine.temporal.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=engine.temporal.namespace,
            workflow_execution=WorkflowExecution(
                workflow_id=activity_workflow(activity_id), run_id=described.run_id
            ),
            reason="by hand",
            workflow_task_finish_event_id=completed[-1],
            request_id=activity_id,
        )
    )
    # Temporal gives the reset run the signals that the old one had: the approval counts again.
    again = engine.temporal.get_workflow_handle(activity_workflow(activity_id))
    assert await again.result() == "done"
    assert await engine.activity(campaign_id, "blog_post", "done")
