"""Archiving puts a campaign away in every state, and nothing of it wakes later."""

import asyncio
from typing import Any

import pytest

from tests.workflows.scripted_llm import Gate, refused, say, use
from tests.workflows.studio import BLOG, REPORT, Studio
from workflows.visibility import activity_workflow, approval_workflow, campaign_workflow

REPORTING = "performance_report"


async def ended(studio: Studio, workflow_id: str) -> Any:
    """Wait until a workflow has ended; answers what it says."""
    return await asyncio.wait_for(
        studio.temporal.get_workflow_handle(workflow_id).result(), timeout=15
    )


async def test_archiving_a_draft_blocks_its_planner(studio: Studio) -> None:
    gate = Gate()
    studio.llm.on("campaign_planning", say("Let me think.", gate=gate))
    campaign_id = await studio.submit((REPORT, 1))
    await gate.reached.wait()
    await studio.archive(campaign_id)
    gate.open()
    planner = await studio.held(campaign_id, "campaign_planning", "campaign_archived")
    assert await ended(studio, campaign_workflow(campaign_id)) == "archived"
    assert await ended(studio, activity_workflow(planner.id)) == "blocked"


async def test_a_run_under_way_is_cancelled_at_its_next_turn(studio: Studio) -> None:
    gate = Gate()
    studio.llm.on(REPORTING, use("read_activity_output", gate=gate, activityId="?"))
    campaign_id = await studio.submit((REPORT, 1))
    await gate.reached.wait()
    await studio.archive(campaign_id)
    gate.open()
    held = await studio.held(campaign_id, REPORTING, "campaign_archived")
    (run,) = await studio.runs(held.id)
    assert (run.status, run.error) == ("failed", "cancelled")
    assert await studio.rows("select * from agent_slot") == []


async def test_a_draft_that_is_finished_after_archiving_asks_nobody(studio: Studio) -> None:
    gate = Gate()
    studio.llm.on("blog_post", say("A post.", gate=gate))
    campaign_id = await studio.submit((BLOG, 1))
    await gate.reached.wait()
    await studio.archive(campaign_id)
    gate.open()
    held = await studio.held(campaign_id, "blog_post", "campaign_archived")
    assert await studio.output(held.id) == "A post."
    assert await studio.approvals(campaign_id) == []


async def test_subtasks_that_are_asked_for_after_archiving_are_not_begun(studio: Studio) -> None:
    gate = Gate()
    ask = use("create_subtask", gate=gate, title="Count", role="analyst", prompt="Count it.")
    studio.llm.on(REPORTING, ask)
    campaign_id = await studio.submit((REPORT, 1))
    await gate.reached.wait()
    await studio.archive(campaign_id)
    gate.open()
    held = await studio.held(campaign_id, REPORTING, "campaign_archived")
    await ended(studio, activity_workflow(held.id))
    assert studio.llm.of("Count") == []


async def test_pending_approvals_expire_and_their_activities_are_blocked(studio: Studio) -> None:
    campaign_id = await studio.submit((BLOG, 1))
    approval = await studio.pending_approval(campaign_id)
    post = await studio.activity(campaign_id, "blog_post", "awaiting_approval")
    await studio.archive(campaign_id)
    await studio.held(campaign_id, "blog_post", "campaign_archived")
    expired = await studio.approval_is(approval.id, "expired")
    assert (expired.resolution, expired.resolved_by) == (None, None)
    assert await ended(studio, approval_workflow(approval.id)) == "settled"
    assert await ended(studio, activity_workflow(post.id)) == "blocked"


async def test_a_paused_campaign_can_be_archived(studio: Studio) -> None:
    gate = Gate()
    studio.llm.on(REPORTING, use("read_activity_output", gate=gate, activityId="?"))
    campaign_id = await studio.submit((REPORT, 1))
    await gate.reached.wait()
    await studio.pause(campaign_id)
    gate.open()
    held = await studio.held(campaign_id, REPORTING, "campaign_paused")
    await studio.archive(campaign_id)
    assert await ended(studio, activity_workflow(held.id)) == "blocked"
    (run,) = await studio.runs(held.id)
    assert (run.status, run.error) == ("failed", "cancelled")


async def test_a_failed_activity_stays_failed(studio: Studio) -> None:
    studio.llm.always(REPORTING, refused())
    campaign_id = await studio.submit((REPORT, 1))
    failed = await studio.activity(campaign_id, REPORTING, "failed")
    await studio.archive(campaign_id)
    assert await ended(studio, activity_workflow(failed.id)) == "failed"


async def test_what_a_person_has_in_hand_is_blocked(studio: Studio) -> None:
    studio.llm.on(REPORTING, use("hand_over", to="human", purpose="work", note="Yours."))
    campaign_id = await studio.submit((REPORT, 1))
    await studio.until(
        "select 1 from agent_activity where assignee_id = :me and status = 'in_progress'",
        me=studio.admin.id,
    )
    await studio.archive(campaign_id)
    await studio.held(campaign_id, REPORTING, "campaign_archived")


async def test_what_waits_for_its_agent_is_blocked_and_leaves_the_queue(studio: Studio) -> None:
    await studio.configure("copywriter", concurrency=1)
    gate = Gate()
    studio.llm.on(REPORTING, say("First.", gate=gate))
    campaign_id = await studio.submit((REPORT, 2))
    await gate.reached.wait()
    await studio.until("select 1 from agent_slot offset 1")
    await studio.archive(campaign_id)
    held = await studio.held(campaign_id, REPORTING, "campaign_archived")
    gate.open()
    await studio.activity(campaign_id, REPORTING, "done")
    assert len(studio.llm.of(REPORTING)) == 1
    assert (await studio.one(held.id)).status == "blocked"


@pytest.mark.parametrize("status", ["draft", "active"])
async def test_archiving_twice_at_once_is_no_error(studio: Studio, status: str) -> None:
    gate = Gate()
    studio.llm.on("campaign_planning" if status == "draft" else REPORTING, say(".", gate=gate))
    campaign_id = await studio.submit((REPORT, 1))
    await gate.reached.wait()
    await asyncio.gather(studio.archive(campaign_id), studio.archive(campaign_id))
    gate.open()
    assert await ended(studio, campaign_workflow(campaign_id)) == "archived"
    audited = await studio.rows("select 1 from audit_entry where action = 'archived'")
    assert len(audited) == 1
