"""Approvals that nobody resolves in time: reminders, expiry, and the ways out of it."""

from datetime import timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowUpdateFailedError
from temporalio.service import RPCError

from activities.agents import run_ends
from tests.workflows.studio import BLOG, REPORT, Calendar, Studio
from workflows.visibility import activity_workflow, approval_workflow

POST = "blog_post"


@pytest.fixture
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let approvals expire within moments."""
    monkeypatch.setattr(run_ends, "EXPIRY", timedelta(seconds=0.5))


def in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the approvals that are asked from now on expire in three days again."""
    monkeypatch.setattr(run_ends, "EXPIRY", timedelta(hours=72))


async def expired(studio: Studio) -> tuple[str, Any]:
    """A campaign whose post is held by an expired approval; the campaign's id and the approval."""
    campaign_id = await studio.submit((BLOG, 1))
    await studio.held(campaign_id, POST, "approval_expired")
    (approval,) = await studio.approvals(campaign_id)
    return campaign_id, approval


async def test_people_are_reminded_a_day_and_six_hours_before(calendar: Calendar) -> None:
    campaign_id = await calendar.submit((BLOG, 1))
    approval = await calendar.pending_approval(campaign_id)
    await calendar.activity(campaign_id, POST, "awaiting_approval")
    await calendar.continued(campaign_id)
    async with calendar.passing(days=4):
        await calendar.held(campaign_id, POST, "approval_expired")
    reminders = await calendar.events("approval_expiring", about=approval.id)
    assert [payload["hoursLeft"] for _, payload in reminders] == [24, 6]


async def test_an_approval_stays_open_for_three_days(studio: Studio) -> None:
    campaign_id = await studio.submit((BLOG, 1))
    approval = await studio.pending_approval(campaign_id)
    assert approval.expires_at - approval.created_on == timedelta(hours=72)


@pytest.mark.usefixtures("_soon")
async def test_what_nobody_resolves_expires_and_blocks_its_activity(studio: Studio) -> None:
    _, approval = await expired(studio)
    assert (approval.status, approval.resolution, approval.resolved_at) == ("expired", None, None)
    words = "Ended: expired, approval_expired"
    await studio.shows(approval_workflow(approval.id), "expired", words)


@pytest.mark.usefixtures("_soon")
async def test_an_expired_approval_takes_no_decision(studio: Studio) -> None:
    _, approval = await expired(studio)
    with pytest.raises((RPCError, WorkflowUpdateFailedError)):
        await studio.resolve(approval.id)
    await studio.approval_is(approval.id, "expired")


@pytest.mark.usefixtures("_soon")
async def test_a_reopened_approval_is_waited_for_and_can_be_approved(studio: Studio) -> None:
    campaign_id, approval = await expired(studio)
    again_id = await studio.reopen(approval)
    again = await studio.approval_is(again_id, "pending")
    post = await studio.activity(campaign_id, POST, "awaiting_approval")
    assert (again.title, again.content_hash) == (approval.title, approval.content_hash)
    words = "The blog_post: awaiting_approval"
    await studio.shows(activity_workflow(post.id), "awaiting_approval", words)
    await studio.resolve(again_id)
    done = await studio.activity(campaign_id, POST, "done")
    assert done.wake_reason == "review_approved"
    assert len(studio.llm.of(POST)) == 1


@pytest.mark.usefixtures("_soon")
async def test_a_reopened_approval_announces_itself(studio: Studio) -> None:
    _, approval = await expired(studio)
    again_id = await studio.reopen(approval, hours=1)
    assert await studio.kinds(again_id) == ["approval_created"]
    again = await studio.approval_is(again_id, "pending")
    assert again.expires_at - again.created_on == timedelta(hours=1)


@pytest.mark.usefixtures("_soon")
async def test_an_approval_is_reopened_once(studio: Studio) -> None:
    _, approval = await expired(studio)
    await studio.reopen(approval)
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await studio.reopen(approval)
    assert getattr(refused.value.cause, "type", None) == "CONFLICT"


async def test_a_pending_approval_is_not_reopened(studio: Studio) -> None:
    campaign_id = await studio.submit((BLOG, 1))
    approval = await studio.pending_approval(campaign_id)
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await studio.reopen(approval)
    assert getattr(refused.value.cause, "type", None) == "CONFLICT"


@pytest.mark.usefixtures("_soon")
async def test_nothing_of_an_archived_campaign_is_reopened(studio: Studio) -> None:
    campaign_id, approval = await expired(studio)
    await studio.archive(campaign_id)
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await studio.reopen(approval)
    assert getattr(refused.value.cause, "type", None) == "UNPROCESSABLE"


@pytest.mark.usefixtures("_soon")
async def test_a_mention_wakes_the_agent_which_asks_anew(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign_id, approval = await expired(studio)
    in_time(monkeypatch)
    (held,) = await studio.rows("select id from agent_activity where status = 'blocked'")
    await studio.call(held.id, "copywriter", "please make it shorter")
    again = await studio.pending_approval(campaign_id)
    post = await studio.activity(campaign_id, POST, "awaiting_approval")
    assert again.id != approval.id
    assert post.wake_reason == "comment_mention"
    assert "please make it shorter" in studio.llm.of(POST)[1].said_last


@pytest.mark.usefixtures("_soon")
async def test_a_mention_during_a_pause_counts_when_it_is_over(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign_id, _ = await expired(studio)
    in_time(monkeypatch)
    (held,) = await studio.rows("select id from agent_activity where status = 'blocked'")
    await studio.pause(campaign_id)
    await studio.call(held.id, "copywriter", "shorter")
    await studio.held(campaign_id, POST, "campaign_paused")
    await studio.resume(campaign_id)
    post = await studio.activity(campaign_id, POST, "awaiting_approval")
    assert post.wake_reason == "comment_mention"


async def test_an_approval_expires_during_a_pause_all_the_same(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_ends, "EXPIRY", timedelta(seconds=2))
    campaign_id = await studio.submit((BLOG, 1))
    await studio.pending_approval(campaign_id)
    await studio.pause(campaign_id)
    await studio.held(campaign_id, POST, "approval_expired")
    await studio.resume(campaign_id)
    assert len(studio.llm.of(POST)) == 1


async def test_a_mention_does_not_disturb_what_waits_for_a_decision(studio: Studio) -> None:
    campaign_id = await studio.submit((BLOG, 1))
    approval = await studio.pending_approval(campaign_id)
    post = await studio.activity(campaign_id, POST, "awaiting_approval")
    await studio.call(post.id, "copywriter", "hurry")
    await studio.resolve(approval.id)
    done = await studio.activity(campaign_id, POST, "done")
    assert done.wake_reason == "review_approved"


@pytest.mark.usefixtures("_soon")
async def test_an_expired_approval_leaves_the_rest_of_the_campaign_alone(studio: Studio) -> None:
    campaign_id = await studio.submit((BLOG, 1), (REPORT, 1))
    await studio.held(campaign_id, POST, "approval_expired")
    await studio.activity(campaign_id, "performance_report", "done")
