"""Pausing holds what runs at its next turn, resuming goes on where it stood."""

from models.rules.vocabulary import Resolution
from tests.workflows.scripted_llm import Gate, plan, say, use
from tests.workflows.studio import BLOG, REPORT, Studio
from workflows.visibility import activity_workflow, campaign_workflow

REPORTING = "performance_report"


async def paused_in_a_turn(studio: Studio) -> tuple[str, str]:
    """A campaign that was paused during the first of two turns; ids of it and of its report."""
    gate = Gate()
    studio.llm.on(REPORTING, use("read_activity_output", gate=gate, activityId="?"), say("Done."))
    campaign_id = await studio.submit((REPORT, 1))
    await gate.reached.wait()
    await studio.pause(campaign_id)
    gate.open()
    held = await studio.held(campaign_id, REPORTING, "campaign_paused")
    return campaign_id, held.id


async def test_a_pause_holds_a_run_at_its_next_turn(studio: Studio) -> None:
    _, report_id = await paused_in_a_turn(studio)
    (run,) = await studio.runs(report_id)
    assert run.status == "running"
    assert len(studio.llm.of(REPORTING)) == 1


async def test_a_resumed_run_goes_on_and_pays_no_turn_twice(studio: Studio) -> None:
    campaign_id, report_id = await paused_in_a_turn(studio)
    await studio.resume(campaign_id)
    done = await studio.activity(campaign_id, REPORTING, "done")
    assert done.wake_reason == "campaign_resumed"
    (run,) = await studio.runs(report_id)
    turns = await studio.rows(
        "select number, status from llm_turn where run_id = :id order by number", id=run.id
    )
    assert [(turn.number, turn.status) for turn in turns] == [(1, "settled"), (2, "settled")]


async def test_a_woken_activity_is_announced_as_started_again(studio: Studio) -> None:
    campaign_id, report_id = await paused_in_a_turn(studio)
    await studio.resume(campaign_id)
    await studio.activity(campaign_id, REPORTING, "done")
    assert await studio.kinds(report_id) == [
        "activity_started",
        "activity_started",
        "activity_completed",
    ]


async def test_a_pause_gives_the_agents_place_to_nobody_it_holds(studio: Studio) -> None:
    await paused_in_a_turn(studio)
    assert await studio.rows("select * from agent_slot") == []


async def test_operators_see_what_a_pause_holds(studio: Studio) -> None:
    campaign_id, report_id = await paused_in_a_turn(studio)
    words = "The performance_report: blocked, because of campaign_paused"
    await studio.shows(activity_workflow(report_id), "blocked", words)
    name = "Tea for coffee drinkers: paused"
    await studio.shows(campaign_workflow(campaign_id), "paused", name)


async def test_a_pause_holds_what_waits_for_its_agent(studio: Studio) -> None:
    await studio.configure("copywriter", concurrency=1)
    gate = Gate()
    studio.llm.on(REPORTING, say("First.", gate=gate))
    campaign_id = await studio.submit((REPORT, 2))
    await gate.reached.wait()
    await studio.activity(campaign_id, REPORTING, "assigned")
    await studio.pause(campaign_id)
    await studio.held(campaign_id, REPORTING, "campaign_paused")
    gate.open()
    await studio.activity(campaign_id, REPORTING, "done")
    await studio.resume(campaign_id)
    await studio.until(
        "select 1 from agent_activity where type = :kind and status = 'done' offset 1",
        kind=REPORTING,
    )


async def test_a_pause_holds_what_a_person_has_in_hand(studio: Studio) -> None:
    studio.llm.on(REPORTING, use("hand_over", to="human", purpose="work", note="Yours."))
    campaign_id = await studio.submit((REPORT, 1))
    mine = await studio.activity(campaign_id, REPORTING, "in_progress")
    mine = await studio.until(
        "select * from agent_activity where id = :id and assignee_id = :me",
        id=mine.id,
        me=studio.admin.id,
    )
    await studio.activity(campaign_id, REPORTING, "in_progress")
    await studio.pause(campaign_id)
    await studio.held(campaign_id, REPORTING, "campaign_paused")
    await studio.resume(campaign_id)
    resumed = await studio.activity(campaign_id, REPORTING, "in_progress")
    assert resumed.wake_reason == "campaign_resumed"


async def test_nothing_new_starts_in_a_paused_campaign(studio: Studio) -> None:
    gate = Gate()
    find = {"key": "find", "type": "research", "title": "Find out", "role": "strategist"}
    studio.llm.on("campaign_planning", plan(find, {"type": REPORT, "dependsOn": ["find"]}))
    studio.llm.on("Find out", say("Found.", gate=gate))
    campaign_id = await studio.submit((REPORT, 1))
    await gate.reached.wait()
    await studio.pause(campaign_id)
    gate.open()
    await studio.activity(campaign_id, "research", "done")
    await studio.activity(campaign_id, REPORTING, "created")
    await studio.resume(campaign_id)
    done = await studio.activity(campaign_id, REPORTING, "done")
    assert done.wake_reason == "dependency_done"


async def test_an_approval_given_during_a_pause_counts_when_it_is_over(studio: Studio) -> None:
    campaign_id = await studio.submit((BLOG, 1))
    approval = await studio.pending_approval(campaign_id)
    await studio.activity(campaign_id, "blog_post", "awaiting_approval")
    await studio.pause(campaign_id)
    resolved = await studio.resolve(approval.id)
    assert resolved.re_enqueued == 1
    await studio.held(campaign_id, "blog_post", "campaign_paused")
    await studio.resume(campaign_id)
    done = await studio.activity(campaign_id, "blog_post", "done")
    assert done.wake_reason == "review_approved"
    assert len(studio.llm.of("blog_post")) == 1


async def test_feedback_given_during_a_pause_is_taken_in_when_it_is_over(studio: Studio) -> None:
    campaign_id = await studio.submit((BLOG, 1))
    approval = await studio.pending_approval(campaign_id)
    await studio.pause(campaign_id)
    await studio.resolve(approval.id, Resolution.REVISION_REQUESTED, note="Too long.")
    await studio.held(campaign_id, "blog_post", "campaign_paused")
    assert len(studio.llm.of("blog_post")) == 1
    await studio.resume(campaign_id)
    again = await studio.activity(campaign_id, "blog_post", "awaiting_approval")
    assert again.wake_reason == "review_feedback"
    assert "Too long." in studio.llm.of("blog_post")[1].said_last


async def test_an_approval_stays_open_during_a_pause(studio: Studio) -> None:
    campaign_id = await studio.submit((BLOG, 1))
    approval = await studio.pending_approval(campaign_id)
    await studio.activity(campaign_id, "blog_post", "awaiting_approval")
    await studio.pause(campaign_id)
    await studio.resume(campaign_id)
    await studio.approval_is(approval.id, "pending")
    await studio.activity(campaign_id, "blog_post", "awaiting_approval")


async def test_pausing_twice_changes_nothing(studio: Studio) -> None:
    campaign_id, _ = await paused_in_a_turn(studio)
    await studio.pause(campaign_id)
    audited = await studio.rows(
        "select changes from audit_entry where entity_id = :id and action = 'updated'",
        id=campaign_id,
    )
    assert len(audited) == 1
