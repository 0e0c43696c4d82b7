"""Messages that come early, late, twice, or to the wrong address change nothing."""

import asyncio
import contextlib
from typing import Any

from temporalio.service import RPCError

from models.contracts.agent_activities import ActivityEnded
from models.contracts.approvals import ApprovalSettled
from models.ids import new_id
from models.queries.agents import proof
from models.rules.vocabulary import ActivityStatus, WakeReason
from tests.workflows.scripted_llm import Gate, say
from tests.workflows.studio import BLOG, REPORT, Studio
from workers.prove_checks import judge
from workflows.visibility import activity_workflow

REPORTING = "performance_report"


async def sound(studio: Studio) -> list[str]:
    """What is wrong with the tenant's record."""
    async with studio.db.tenant(studio.tenant_id) as db:
        return judge(await proof.read(db), None, ()).all()


async def tell(studio: Studio, activity_id: str, signal: str, *message: Any) -> None:
    handle = studio.temporal.get_workflow_handle(activity_workflow(activity_id))
    await handle.signal(signal, args=message)


async def test_the_end_of_another_approval_wakes_nobody(studio: Studio) -> None:
    campaign_id = await studio.submit((BLOG, 1))
    approval = await studio.pending_approval(campaign_id)
    post = await studio.activity(campaign_id, "blog_post", "awaiting_approval")
    stranger = ApprovalSettled(approval_id=new_id(), wake_reason=WakeReason.REVIEW_FEEDBACK)
    await tell(studio, post.id, "approval_settled", stranger)
    await asyncio.sleep(0.3)
    assert (await studio.one(post.id)).status == "awaiting_approval"
    await studio.resolve(approval.id)
    await studio.activity(campaign_id, "blog_post", "done")
    assert (len(await studio.runs(post.id)), await sound(studio)) == (1, [])


async def test_the_end_of_an_approval_that_is_told_twice_counts_once(studio: Studio) -> None:
    campaign_id = await studio.submit((BLOG, 1))
    approval = await studio.pending_approval(campaign_id)
    post = await studio.activity(campaign_id, "blog_post", "awaiting_approval")
    settled = ApprovalSettled(approval_id=approval.id, wake_reason=WakeReason.REVIEW_APPROVED)
    await studio.resolve(approval.id)
    for _ in range(3):
        with contextlib.suppress(RPCError):  # It may be done already.
            await tell(studio, post.id, "approval_settled", settled)
    await studio.activity(campaign_id, "blog_post", "done")
    assert await studio.kinds(post.id) == [
        "activity_started",
        "activity_started",
        "activity_completed",
    ]


async def test_a_place_that_nobody_waits_for_is_not_taken(studio: Studio) -> None:
    gate = Gate()
    studio.llm.on(REPORTING, say("Numbers.", gate=gate))
    campaign_id = await studio.submit((REPORT, 1))
    report = await studio.activity(campaign_id, REPORTING, "in_progress")
    await gate.reached.wait()
    for _ in range(3):
        await tell(studio, report.id, "slot_granted")
    gate.open()
    await studio.activity(campaign_id, REPORTING, "done")
    assert (len(await studio.runs(report.id)), await sound(studio)) == (1, [])
    assert await studio.rows("select 1 from agent_slot") == []


async def test_the_end_of_a_subtask_that_nobody_has_is_passed_over(studio: Studio) -> None:
    campaign_id = await studio.submit((BLOG, 1))
    approval = await studio.pending_approval(campaign_id)
    post = await studio.activity(campaign_id, "blog_post", "awaiting_approval")
    for status in (ActivityStatus.DONE, ActivityStatus.FAILED, ActivityStatus.DONE):
        ended = ActivityEnded(activity_id=new_id(), status=status)
        await tell(studio, post.id, "subtask_ended", ended)
    await studio.resolve(approval.id)
    await studio.activity(campaign_id, "blog_post", "done")
    assert (len(await studio.runs(post.id)), await sound(studio)) == (1, [])


async def test_a_campaign_hears_of_activities_that_it_does_not_have(studio: Studio) -> None:
    campaign_id = await studio.submit((REPORT, 1))
    stranger = ActivityEnded(activity_id=new_id(), status=ActivityStatus.DONE)
    for _ in range(3):
        await studio.campaign(campaign_id).signal("activity_ended", stranger)
    await studio.activity(campaign_id, REPORTING, "done")
    assert await sound(studio) == []


async def test_pausing_and_resuming_without_rest_loses_and_doubles_nothing(
    studio: Studio,
) -> None:
    campaign_id = await studio.submit((REPORT, 6))
    await studio.campaign_is(campaign_id, "active")
    for number in range(12):
        await (studio.pause if number % 2 == 0 else studio.resume)(campaign_id)
        await asyncio.sleep(number % 3 * 0.02)
    await studio.until(
        "select 1 from agent_activity where campaign_id = :id and type = :kind"
        " and status = 'done' offset 5",
        id=campaign_id,
        kind=REPORTING,
        patience=40,
    )
    assert await sound(studio) == []
