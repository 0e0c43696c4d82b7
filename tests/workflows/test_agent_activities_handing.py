"""Work that is given to others: subtasks, reviews, other roles, people."""

from typing import Any

import pytest
from temporalio.client import WorkflowUpdateFailedError

from tests.workflows.scripted_llm import Gate, Reply, refused, say, tool, use
from tests.workflows.studio import REPORT, Studio

REPORTING = "performance_report"


def subtask(title: str, role: str = "analyst") -> dict[str, Any]:
    return {"title": title, "role": role, "prompt": "Count it."}


async def test_a_parent_goes_on_with_what_its_subtasks_found(studio: Studio) -> None:
    two = tuple(tool("create_subtask", **subtask(title)) for title in ("Leaves", "Cups"))
    studio.llm.on(REPORTING, Reply(tools=two), say("Done."))
    studio.llm.on("Leaves", say("Forty leaves."))
    studio.llm.on("Cups", say("Two cups."))
    campaign_id = await studio.submit((REPORT, 1))
    done = await studio.activity(campaign_id, REPORTING, "done")
    heard = studio.llm.of(REPORTING)[1].said_last
    assert done.wake_reason == "subtasks_done"
    assert "Forty leaves." in heard
    assert "Two cups." in heard


async def test_subtasks_are_activities_of_their_own(studio: Studio) -> None:
    gate = Gate()
    studio.llm.on(REPORTING, use("create_subtask", **subtask("Leaves")))
    studio.llm.on("Leaves", say("Forty.", gate=gate))
    campaign_id = await studio.submit((REPORT, 1))
    await gate.reached.wait()
    parent = await studio.activity(campaign_id, REPORTING, "awaiting_subtask")
    child = await studio.activity(campaign_id, "research", "in_progress")
    gate.open()
    assert (child.parent_id, child.wake_reason, child.agent_role) == (
        parent.id,
        "planned",
        "analyst",
    )
    await studio.activity(campaign_id, REPORTING, "done")


async def test_a_failed_subtask_wakes_its_parent(studio: Studio) -> None:
    studio.llm.on(REPORTING, use("create_subtask", **subtask("Leaves")), say("Without leaves."))
    studio.llm.always("Leaves", refused())
    campaign_id = await studio.submit((REPORT, 1))
    done = await studio.activity(campaign_id, REPORTING, "done")
    assert done.wake_reason == "subtask_failed"
    assert "A subtask failed" in studio.llm.of(REPORTING)[1].said_last


async def test_what_old_subtasks_say_late_does_not_end_the_wait_for_new_ones(
    studio: Studio,
) -> None:
    slow, new = Gate(), Gate()
    two = tuple(tool("create_subtask", **subtask(title)) for title in ("Broken", "Slow"))
    studio.llm.on(REPORTING, Reply(tools=two), use("create_subtask", **subtask("New")), say("End."))
    studio.llm.always("Broken", refused())
    studio.llm.on("Slow", say("Late.", gate=slow))
    studio.llm.on("New", say("Found.", gate=new))
    campaign_id = await studio.submit((REPORT, 1))
    await new.reached.wait()
    slow.open()
    await studio.until("select 1 from agent_activity where title = 'Slow' and status = 'done'")
    await studio.activity(campaign_id, REPORTING, "awaiting_subtask")
    assert len(studio.llm.of(REPORTING)) == 2
    new.open()
    done = await studio.activity(campaign_id, REPORTING, "done")
    assert done.wake_reason == "subtasks_done"


async def test_work_can_be_handed_to_another_role(studio: Studio) -> None:
    hand = use("hand_over", "A first draft.", to="analyst", purpose="work", note="Needs numbers.")
    studio.llm.on("copywriter", hand)
    campaign_id = await studio.submit((REPORT, 1))
    done = await studio.activity(campaign_id, REPORTING, "done")
    first, second = await studio.runs(done.id)
    assert (done.agent_role, done.wake_reason) == ("analyst", "handed_over")
    assert (first.agent_role, second.agent_role) == ("copywriter", "analyst")
    assert second.thread != first.thread


async def test_a_new_owner_reads_the_note_and_what_was_written_so_far(studio: Studio) -> None:
    hand = use("hand_over", "A first draft.", to="analyst", purpose="work", note="Needs numbers.")
    studio.llm.on("copywriter", hand)
    campaign_id = await studio.submit((REPORT, 1))
    await studio.activity(campaign_id, REPORTING, "done")
    (heard,) = studio.llm.of("analyst")
    assert "Needs numbers." in heard.transcript
    assert "A first draft." in heard.transcript


async def test_a_person_is_told_of_work_and_hands_it_in(studio: Studio) -> None:
    studio.llm.on(REPORTING, use("hand_over", to="human", purpose="work", note="Yours."))
    campaign_id = await studio.submit((REPORT, 1))
    mine = await handed_to(studio, studio.admin.id)
    (told,) = await studio.rows(
        "select * from notification where principal_id = :me", me=studio.admin.id
    )
    assert told.payload["activityId"] == mine
    await studio.complete(mine, "Sold 40 cups.")
    done = await studio.activity(campaign_id, REPORTING, "done")
    assert (done.agent_role, await studio.output(done.id)) == (None, "Sold 40 cups.")


async def handed_to(studio: Studio, person_id: str) -> str:
    """Wait until a person has an activity in hand; its id."""
    row = await studio.until(
        "select id from agent_activity where assignee_id = :id and status = 'in_progress'",
        id=person_id,
    )
    return str(row.id)


async def test_a_persons_work_is_announced_without_a_role_and_is_no_run(studio: Studio) -> None:
    studio.llm.on(REPORTING, use("hand_over", to="human", purpose="work", note="Yours."))
    await studio.submit((REPORT, 1))
    mine = await handed_to(studio, studio.admin.id)
    await studio.complete(mine, "Sold 40 cups.")
    started = await studio.events("activity_started", about=mine)
    assert [payload["agentRole"] for _, payload in started] == ["copywriter", None]
    assert len(await studio.runs(mine)) == 1
    assert (await studio.kinds(mine))[-1] == "activity_completed"


async def test_only_its_assignee_or_an_admin_completes_a_persons_work(studio: Studio) -> None:
    ben, eve = await studio.hire("Ben"), await studio.hire("Eve")
    hand = use("hand_over", to=f"human:{ben.id}", purpose="work", note="Yours.")
    studio.llm.on(REPORTING, hand)
    await studio.submit((REPORT, 1))
    bens = await handed_to(studio, ben.id)
    with pytest.raises(WorkflowUpdateFailedError) as error:
        await studio.complete(bens, "Mine!", by=eve)
    assert getattr(error.value.cause, "type", None) == "FORBIDDEN"
    await studio.complete(bens, "For him.", by=studio.admin, is_admin=True)
    assert (await studio.one(bens)).status == "done"


async def test_an_agents_work_is_not_completed_by_people(studio: Studio) -> None:
    gate = Gate()
    studio.llm.on(REPORTING, say("Done.", gate=gate))
    campaign_id = await studio.submit((REPORT, 1))
    await gate.reached.wait()
    report = await studio.activity(campaign_id, REPORTING, "in_progress")
    with pytest.raises(WorkflowUpdateFailedError) as error:
        await studio.complete(report.id, "Mine!")
    gate.open()
    assert getattr(error.value.cause, "type", None) == "UNPROCESSABLE"
    await studio.activity(campaign_id, REPORTING, "done")


async def test_a_persons_work_is_not_handed_in_during_a_pause(studio: Studio) -> None:
    studio.llm.on(REPORTING, use("hand_over", to="human", purpose="work", note="Yours."))
    campaign_id = await studio.submit((REPORT, 1))
    mine = await handed_to(studio, studio.admin.id)
    await studio.pause(campaign_id)
    with pytest.raises(WorkflowUpdateFailedError) as error:
        await studio.complete(mine, "Too early.")
    assert getattr(error.value.cause, "type", None) == "UNPROCESSABLE"


REVIEW: dict[str, Any] = {"to": "editor", "purpose": "review", "note": "Is it true?"}


async def test_a_draft_waits_for_the_colleague_who_reviews_it(studio: Studio) -> None:
    gate = Gate()
    studio.llm.on("copywriter", use("hand_over", "My draft.", **REVIEW), say("Final."))
    studio.llm.on("review", use("submit_review", gate=gate, agrees=True, feedback="Fine."))
    campaign_id = await studio.submit((REPORT, 1))
    await gate.reached.wait()
    waiting = await studio.activity(campaign_id, REPORTING, "awaiting_review")
    (heard,) = studio.llm.of("review")
    gate.open()
    assert await studio.output(waiting.id) == "My draft."
    assert "My draft." in heard.transcript
    done = await studio.activity(campaign_id, REPORTING, "done")
    assert done.wake_reason == "review_approved"
    assert await studio.output(done.id) == "Final."


async def test_a_colleague_who_disagrees_says_what_has_to_change(studio: Studio) -> None:
    studio.llm.on("copywriter", use("hand_over", "My draft.", **REVIEW), say("Better."))
    studio.llm.on("review", use("submit_review", agrees=False, feedback="Cups, not mugs."))
    campaign_id = await studio.submit((REPORT, 1))
    done = await studio.activity(campaign_id, REPORTING, "done")
    assert done.wake_reason == "review_feedback"
    assert "Cups, not mugs." in studio.llm.of("copywriter")[1].said_last


async def test_a_reviewer_that_only_talks_is_told_to_hand_its_verdict_in(studio: Studio) -> None:
    studio.llm.on("copywriter", use("hand_over", "My draft.", **REVIEW))
    studio.llm.on("review", say("Looks good to me."))
    campaign_id = await studio.submit((REPORT, 1))
    await studio.activity(campaign_id, REPORTING, "done")
    assert "submit_review" in studio.llm.of("review")[1].said_last


async def test_a_review_that_fails_leaves_the_author_to_go_on(studio: Studio) -> None:
    studio.llm.on("copywriter", use("hand_over", "My draft.", **REVIEW))
    studio.llm.always("review", refused())
    campaign_id = await studio.submit((REPORT, 1))
    done = await studio.activity(campaign_id, REPORTING, "done")
    assert done.wake_reason == "subtask_failed"
