"""Who decides first: many people at once, the same person twice, a person and the clock."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from activities.agents.reconciliation import ReconcilerSteps
from models.contracts.approvals import CloseApproval, ResolveApproval, ResolvedApproval
from models.contracts.maintenance import Sweep
from models.ids import new_id
from models.queries.agents import approvals_write
from models.rules.vocabulary import Resolution, WakeReason
from tests.workflows.studio import BLOG, Studio
from workflows.agents.approvals import ApprovalWorkflow
from workflows.visibility import approval_workflow


async def asked(studio: Studio) -> Any:
    """An approval that a post waits for."""
    campaign_id = await studio.submit((BLOG, 1))
    return await studio.pending_approval(campaign_id)


async def audited(studio: Studio, approval_id: str) -> list[str]:
    found = await studio.rows(
        "select action from audit_entry where entity_id = :id order by created_on", id=approval_id
    )
    return [row.action for row in found]


def is_conflict(error: BaseException) -> bool:
    """Refused by the workflow, or too late for it: the API says 409 to both."""
    if isinstance(error, RPCError):
        return error.status is RPCStatusCode.NOT_FOUND
    assert isinstance(error, WorkflowUpdateFailedError), error
    return isinstance(error.cause, ApplicationError) and error.cause.type == "CONFLICT"


async def test_of_twenty_decisions_at_once_one_counts_and_the_rest_are_conflicts(
    studio: Studio,
) -> None:
    approval = await asked(studio)
    answers = await asyncio.gather(
        *(
            studio.resolve(approval.id, Resolution.REJECTED, note=f"Note {number}.")
            for number in range(20)
        ),
        return_exceptions=True,
    )
    won = [answer for answer in answers if isinstance(answer, ResolvedApproval)]
    lost = [is_conflict(answer) for answer in answers if isinstance(answer, BaseException)]
    assert (len(won), lost) == (1, [True] * 19)
    assert await audited(studio, approval.id) == ["rejected"]


async def test_the_same_decision_sent_twice_is_one_with_one_answer(studio: Studio) -> None:
    approval = await asked(studio)
    handle = studio.temporal.get_workflow_handle(approval_workflow(approval.id))
    decision = ResolveApproval(id=new_id(), actor=studio.admin, resolution=Resolution.APPROVED)

    async def send() -> ResolvedApproval:
        return await handle.execute_update(ApprovalWorkflow.resolve, decision, id=decision.id)

    first, second = await asyncio.gather(send(), send())
    assert first == second
    await studio.activity(approval.campaign_id, "blog_post", "done")
    assert await send() == first
    assert await audited(studio, approval.id) == ["approved"]


@pytest.mark.parametrize("close_first", [True, False])
async def test_a_decision_and_a_close_at_once_leave_one_ending(
    studio: Studio, close_first: bool
) -> None:
    approval = await asked(studio)
    handle = studio.temporal.get_workflow_handle(approval_workflow(approval.id))
    closing = CloseApproval(wake_reason=WakeReason.CAMPAIGN_ARCHIVED)
    acts = [
        handle.signal(ApprovalWorkflow.close, closing),
        studio.resolve(approval.id),
    ]
    answers = await asyncio.gather(
        *(acts if close_first else reversed(acts)), return_exceptions=True
    )
    await handle.result()
    refused = [one for one in answers if isinstance(one, BaseException)]
    ended = (await studio.approvals(approval.campaign_id))[0].status
    assert ended == ("expired" if refused else "approved")
    assert await audited(studio, approval.id) == [ended]


async def test_a_decision_at_the_moment_of_expiry_leaves_one_ending(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    life = timedelta(seconds=2)
    monkeypatch.setattr("activities.agents.run_ends.EXPIRY", life)
    campaign_id = await studio.submit((BLOG, 1))
    approval = await studio.pending_approval(campaign_id)
    handle = studio.temporal.get_workflow_handle(approval_workflow(approval.id))
    (now,) = await studio.rows("select clock_timestamp() as at")
    await asyncio.sleep(max((approval.expires_at - now.at).total_seconds() - 0.06, 0))
    answers = await asyncio.gather(
        *(_decide_after(studio, approval.id, number * 0.01) for number in range(12)),
        return_exceptions=True,
    )
    await handle.result()
    won = [answer for answer in answers if isinstance(answer, ResolvedApproval)]
    (ended,) = await studio.approvals(campaign_id)
    assert ended.status == ("approved" if won else "expired")
    assert len(won) <= 1
    assert await audited(studio, approval.id) == [ended.status]
    post = await studio.until(
        "select * from agent_activity where campaign_id = :id and type = 'blog_post'"
        " and status in ('done', 'blocked')",
        id=campaign_id,
    )
    assert post.status == ("done" if won else "blocked")


async def _decide_after(studio: Studio, approval_id: str, seconds: float) -> ResolvedApproval:
    await asyncio.sleep(seconds)
    return await studio.resolve(approval_id)


async def test_who_decides_what_the_record_holds_already_meets_his_own_or_a_conflict(
    studio: Studio,
) -> None:
    approval = await asked(studio)
    handle = studio.temporal.get_workflow_handle(approval_workflow(approval.id))
    written = ResolveApproval(id=new_id(), actor=studio.admin, resolution=Resolution.APPROVED)
    both = asyncio.gather(
        studio.resolve(approval.id),
        handle.execute_update(ApprovalWorkflow.resolve, written, id=written.id),
        return_exceptions=True,
    )
    async with studio.db.tenant(studio.tenant_id) as db:
        await approvals_write.decide(db, approval.id, written, datetime.now(UTC))
        # Both are in when the workflow learns what a lost task of it wrote.
        await asyncio.sleep(0.5)
    late, own = await both
    assert isinstance(late, BaseException)
    assert is_conflict(late)
    assert isinstance(own, ResolvedApproval), own
    assert not own.found
    done = await studio.activity(approval.campaign_id, "blog_post", "done")
    assert done.wake_reason == "review_approved"


async def test_a_decision_whose_workflow_was_never_told_is_found_in_the_record(
    studio: Studio,
) -> None:
    approval = await asked(studio)
    decision = ResolveApproval(id=new_id(), actor=studio.admin, resolution=Resolution.APPROVED)
    async with studio.db.tenant(studio.tenant_id) as db:
        await approvals_write.decide(db, approval.id, decision, datetime.now(UTC))
    steps = ReconcilerSteps(studio.db, studio.temporal)
    await steps.reconcile(Sweep(at=datetime.now(UTC) + timedelta(minutes=1)))
    done = await studio.activity(approval.campaign_id, "blog_post", "done")
    assert done.wake_reason == "review_approved"
    assert (await studio.approvals(approval.campaign_id))[0].status == "approved"
