"""What an admin decides, what the agent hears of it, and what happens to the activity."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import text
from temporalio.client import WorkflowUpdateFailedError

from models.rules.vocabulary import Resolution
from tests.workflows.scripted_llm import say, use
from tests.workflows.studio import BLOG, REPORT, Studio
from workflows.visibility import approval_workflow

POST = "blog_post"
REPORTING = "performance_report"


async def asked(studio: Studio) -> tuple[str, Any]:
    """A campaign whose post waits for its approval; the campaign's id and the approval."""
    campaign_id = await studio.submit((BLOG, 1))
    approval = await studio.pending_approval(campaign_id)
    await studio.activity(campaign_id, POST, "awaiting_approval")
    return campaign_id, approval


def code_of(refused: pytest.ExceptionInfo[WorkflowUpdateFailedError]) -> Any:
    return getattr(refused.value.cause, "type", None)


async def test_content_asks_for_a_review_with_the_hash_of_exactly_that_content(
    studio: Studio,
) -> None:
    _, approval = await asked(studio)
    (output,) = await studio.rows(
        "select o.content_hash from output o join agent_activity a on a.output_id = o.id"
        " where a.type = :kind",
        kind=POST,
    )
    assert approval.content_hash == output.content_hash
    assert (approval.type, approval.risk_level) == ("content_review", "low")
    assert await studio.kinds(approval.id) == ["approval_created"]


async def test_approved_content_is_done_without_another_run(studio: Studio) -> None:
    campaign_id, approval = await asked(studio)
    resolved = await studio.resolve(approval.id, note="Lovely.")
    done = await studio.activity(campaign_id, POST, "done")
    assert (resolved.re_enqueued, done.wake_reason) == (1, "review_approved")
    assert len(await studio.runs(done.id)) == 1


async def test_the_decision_is_recorded_and_audited(studio: Studio) -> None:
    _, approval = await asked(studio)
    await studio.resolve(approval.id, note="Lovely.")
    row = await studio.approval_is(approval.id, "approved")
    assert (row.resolution, row.resolved_by, row.resolution_note) == (
        "approved",
        studio.admin.id,
        "Lovely.",
    )
    (entry,) = await studio.rows(
        "select * from audit_entry where entity_id = :id and action = 'approved'", id=approval.id
    )
    assert entry.changes["contentHash"] == approval.content_hash


@pytest.mark.parametrize("resolution", [Resolution.REJECTED, Resolution.REVISION_REQUESTED])
async def test_feedback_reaches_the_next_run_whose_output_asks_anew(
    studio: Studio, resolution: Resolution
) -> None:
    campaign_id, approval = await asked(studio)
    resolved = await studio.resolve(approval.id, resolution, note="Too long.")
    again = await studio.pending_approval(campaign_id)
    post = await studio.activity(campaign_id, POST, "awaiting_approval")
    assert (resolved.re_enqueued, post.wake_reason) == (1, "review_feedback")
    assert "Too long." in studio.llm.of(POST)[1].said_last
    assert again.content_hash != approval.content_hash
    first = await studio.approval_is(approval.id, "rejected")
    assert first.resolution == resolution


async def test_a_revised_post_can_be_approved(studio: Studio) -> None:
    campaign_id, approval = await asked(studio)
    await studio.resolve(approval.id, Resolution.REVISION_REQUESTED, note="Shorter.")
    await studio.resolve((await studio.pending_approval(campaign_id)).id)
    done = await studio.activity(campaign_id, POST, "done")
    assert await studio.output(done.id) == "The blog_post, version 2."
    assert await studio.kinds(done.id) == [
        "activity_started",
        "activity_started",
        "activity_started",
        "activity_completed",
    ]


async def test_the_transcript_goes_on_after_feedback(studio: Studio) -> None:
    campaign_id, approval = await asked(studio)
    await studio.resolve(approval.id, Resolution.REJECTED, note="No.")
    await studio.pending_approval(campaign_id)
    assert "The blog_post, version 1." in studio.llm.of(POST)[1].transcript


async def test_of_two_decisions_the_first_counts(studio: Studio) -> None:
    _, approval = await asked(studio)
    both = await asyncio.gather(
        studio.resolve(approval.id),
        studio.resolve(approval.id, Resolution.REJECTED, note="No."),
        return_exceptions=True,
    )
    refused = [one for one in both if isinstance(one, WorkflowUpdateFailedError)]
    assert [getattr(one.cause, "type", None) for one in refused] == ["CONFLICT"]


async def test_a_choice_that_nobody_offered_is_refused(studio: Studio) -> None:
    campaign_id, approval = await asked(studio)
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await studio.resolve(approval.id, selected_option="Blue")
    assert code_of(refused) == "UNPROCESSABLE"
    await studio.activity(campaign_id, POST, "awaiting_approval")


async def asked_to_choose(studio: Studio) -> tuple[str, Any]:
    """A report whose agent asks which colour to take."""
    question: dict[str, Any] = {
        "type": "content_direction",
        "riskLevel": "medium",
        "title": "Which colour?",
        "options": ["Blue", "Green"],
    }
    studio.llm.on(REPORTING, use("request_approval", **question), say("Painted."))
    campaign_id = await studio.submit((REPORT, 1))
    approval = await studio.pending_approval(campaign_id)
    await studio.activity(campaign_id, REPORTING, "awaiting_approval")
    return campaign_id, approval


async def test_an_agents_question_carries_its_type_risk_and_options(studio: Studio) -> None:
    _, approval = await asked_to_choose(studio)
    assert (approval.title, approval.type, approval.risk_level, approval.options) == (
        "Which colour?",
        "content_direction",
        "medium",
        ["Blue", "Green"],
    )


@pytest.mark.parametrize("option", [None, "Red"])
async def test_one_of_the_options_must_be_chosen(studio: Studio, option: str | None) -> None:
    _, approval = await asked_to_choose(studio)
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await studio.resolve(approval.id, selected_option=option)
    assert code_of(refused) == "UNPROCESSABLE"


async def test_the_choice_reaches_the_agent_which_goes_on(studio: Studio) -> None:
    campaign_id, approval = await asked_to_choose(studio)
    await studio.resolve(approval.id, selected_option="Green")
    done = await studio.activity(campaign_id, REPORTING, "done")
    heard = studio.llm.of(REPORTING)[1]
    assert "Green" in heard.said_last
    assert "Which colour?" in heard.said_last
    assert (done.wake_reason, await studio.output(done.id)) == ("review_approved", "Painted.")
    assert [run.status for run in await studio.runs(done.id)] == ["completed", "completed"]


async def test_a_rejected_question_needs_no_option(studio: Studio) -> None:
    campaign_id, approval = await asked_to_choose(studio)
    await studio.resolve(approval.id, Resolution.REJECTED, note="Ask the client.")
    done = await studio.activity(campaign_id, REPORTING, "done")
    assert done.wake_reason == "review_feedback"
    assert "Ask the client." in studio.llm.of(REPORTING)[1].said_last


async def test_a_choice_between_versions_of_content_is_carried_out_by_the_agent(
    studio: Studio,
) -> None:
    question: dict[str, Any] = {
        "type": "content_review",
        "riskLevel": "low",
        "title": "Which headline?",
        "options": ["Short", "Long"],
    }
    studio.llm.on(POST, use("request_approval", "Two drafts.", **question), say("The long one."))
    campaign_id = await studio.submit((BLOG, 1))
    await studio.resolve((await studio.pending_approval(campaign_id)).id, selected_option="Long")
    await studio.pending_approval(campaign_id)
    assert "Long" in studio.llm.of(POST)[1].said_last


async def test_content_that_changed_after_the_question_is_not_approved(studio: Studio) -> None:
    campaign_id, approval = await asked(studio)
    async with studio.db.tenant(studio.tenant_id) as db:
        await db.execute(text("update output set text = 'Other', content_hash = 'other'"))
    await studio.resolve(approval.id)
    again = await studio.pending_approval(campaign_id)
    await studio.activity(campaign_id, POST, "awaiting_approval")
    assert (await studio.one((await linked(studio, again))[0])).completed_at is None


async def linked(studio: Studio, approval: Any) -> list[str]:
    """The activities that an approval decides about."""
    found = await studio.rows(
        "select activity_id from approval_activity where approval_id = :id", id=approval.id
    )
    return [row.activity_id for row in found]


async def test_operators_see_how_an_approval_ended(studio: Studio) -> None:
    _, approval = await asked(studio)
    waits = "Waits for a decision on: Approve: The blog_post"
    await studio.shows(approval_workflow(approval.id), "pending", waits)
    await studio.resolve(approval.id)
    seen = await studio.temporal.get_workflow_handle(approval_workflow(approval.id)).describe()
    assert str(seen.search_attributes["State"][0]) == "approved"
