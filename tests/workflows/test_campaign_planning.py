"""From a brief to a plan: the planner's run decides whether a draft turns active."""

from dataclasses import replace

from models.rules.vocabulary import Resolution
from tests.workflows.scripted_llm import Asked, Gate, Reply, plan, say, use
from tests.workflows.studio import BLOG, REPORT, Studio
from workflows.visibility import campaign_workflow

PLANNER = "campaign_planning"


def broken(asked: Asked) -> Reply:
    """A plan that makes one of two ordered reports, and waits for what there is not."""
    return plan({"type": "performance_report", "quantity": 1, "dependsOn": ["nothing"]})(asked)


async def test_a_draft_turns_active_when_its_plan_is_stored(studio: Studio) -> None:
    gate = Gate()
    studio.llm.on(PLANNER, lambda asked: replace(plan({"type": REPORT})(asked), gate=gate))
    campaign_id = await studio.submit((REPORT, 1))
    await gate.reached.wait()
    await studio.campaign_is(campaign_id, "draft")
    gate.open()
    await studio.campaign_is(campaign_id, "active")


async def test_planning_is_the_planners_own_finished_activity(studio: Studio) -> None:
    campaign_id = await studio.submit((REPORT, 1))
    planner = await studio.activity(campaign_id, PLANNER, "done")
    assert (planner.agent_role, planner.wake_reason) == ("activity_planner", "planned")
    assert await studio.kinds(planner.id) == ["activity_started", "activity_completed"]


async def test_the_plan_is_the_planners_output_in_words(studio: Studio) -> None:
    campaign_id = await studio.submit((REPORT, 1))
    planner = await studio.activity(campaign_id, PLANNER, "done")
    assert "The performance_report" in await studio.output(planner.id)


async def test_a_plan_that_cannot_be_carried_out_is_sent_back_and_mended(studio: Studio) -> None:
    studio.llm.on(PLANNER, broken)
    campaign_id = await studio.submit((REPORT, 2))
    await studio.campaign_is(campaign_id, "active")
    _, mended = studio.llm.of(PLANNER)
    (answer,) = mended.answers
    assert answer.is_error
    assert "nothing" in answer.output


async def test_a_plan_that_is_no_plan_at_all_is_sent_back(studio: Studio) -> None:
    studio.llm.on(PLANNER, use("submit_plan", nonsense=True), use("submit_plan", activities=[7]))
    campaign_id = await studio.submit((REPORT, 1))
    await studio.campaign_is(campaign_id, "active")
    planner = await studio.activity(campaign_id, PLANNER, "done")
    assert [run.status for run in await studio.runs(planner.id)] == ["completed"]


async def test_three_bad_plans_fail_the_run_and_three_runs_the_planner(studio: Studio) -> None:
    studio.llm.always(PLANNER, broken)
    campaign_id = await studio.submit((REPORT, 2))
    planner = await studio.activity(campaign_id, PLANNER, "failed")
    runs = await studio.runs(planner.id)
    assert [(run.status, run.error) for run in runs] == [("failed", "model_error")] * 3
    assert len(studio.llm.of(PLANNER)) == 9
    await studio.campaign_is(campaign_id, "draft")


async def test_a_failed_planner_says_so_once_with_its_retries(studio: Studio) -> None:
    studio.llm.always(PLANNER, broken)
    campaign_id = await studio.submit((REPORT, 2))
    planner = await studio.activity(campaign_id, PLANNER, "failed")
    failed = await studio.events("activity_failed")
    assert failed == [
        (
            "activity_failed",
            {"activityId": planner.id, "error": "model_error", "retryCount": 2},
        )
    ]


async def test_retrying_a_failed_planner_plans_again(studio: Studio) -> None:
    studio.llm.on(PLANNER, *[broken] * 9)
    campaign_id = await studio.submit((REPORT, 2))
    planner = await studio.activity(campaign_id, PLANNER, "failed")
    run_id = await studio.try_again(planner.id)
    await studio.campaign_is(campaign_id, "active")
    assert (await studio.runs(planner.id))[-1].id == run_id


async def test_a_planner_that_only_talks_is_told_to_hand_the_plan_in(studio: Studio) -> None:
    studio.llm.on(PLANNER, say("I would plan one report."))
    campaign_id = await studio.submit((REPORT, 1))
    await studio.campaign_is(campaign_id, "active")
    assert "submit_plan" in studio.llm.of(PLANNER)[1].said_last


async def test_a_brief_is_read_by_the_planner_and_by_every_agent(studio: Studio) -> None:
    campaign_id = await studio.submit((BLOG, 1), brief="Sell oolong to night owls.")
    await studio.pending_approval(campaign_id)
    assert all("oolong" in asked.transcript for asked in studio.llm.asked)
    assert len(studio.llm.asked) == 2


async def test_operators_see_where_a_campaign_stands(studio: Studio) -> None:
    campaign_id = await studio.submit((BLOG, 1), name="Oolong")
    await studio.pending_approval(campaign_id)
    await studio.shows(campaign_workflow(campaign_id), "active", "Oolong: active")


async def test_a_new_name_is_what_operators_see(studio: Studio) -> None:
    campaign_id = await studio.submit((BLOG, 1), name="Oolong")
    await studio.campaign_is(campaign_id, "active")
    await studio.change(campaign_id, name="Sencha")
    await studio.shows(campaign_workflow(campaign_id), "active", "Sencha: active")


async def test_a_changed_brief_is_what_agents_read_from_their_next_run_on(studio: Studio) -> None:
    campaign_id = await studio.submit((BLOG, 1), brief="Sell oolong.")
    approval = await studio.pending_approval(campaign_id)
    await studio.change(campaign_id, brief="Sell sencha.")
    await studio.resolve(approval.id, Resolution.REJECTED, note="See the new brief.")
    await studio.until("select 1 from approval where status = 'pending'")
    assert "Sell sencha." in studio.llm.of("blog_post")[1].said_last
    assert len(studio.llm.of(PLANNER)) == 1
