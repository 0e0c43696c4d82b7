"""The pipeline of an active campaign: what waits for what, what goes wrong, what is left."""

import asyncio

from tests.workflows.scripted_llm import Gate, plan, refused, say
from tests.workflows.studio import BLOG, REPORT, Studio
from workflows.visibility import activity_workflow

PLANNER = "campaign_planning"
FIND = {"key": "find", "type": "research", "title": "Find out", "role": "strategist"}


async def test_what_depends_on_nothing_starts_as_planned(studio: Studio) -> None:
    campaign_id = await studio.submit((REPORT, 1))
    done = await studio.activity(campaign_id, "performance_report", "done")
    assert done.wake_reason == "planned"


async def test_what_depends_on_something_waits_until_that_is_done(studio: Studio) -> None:
    gate = Gate()
    studio.llm.on(PLANNER, plan(FIND, {"type": REPORT, "dependsOn": ["find"]}))
    studio.llm.on("Find out", say("Tea sells at night.", gate=gate))
    campaign_id = await studio.submit((REPORT, 1))
    await gate.reached.wait()
    waiting = await studio.activity(campaign_id, "performance_report", "created")
    assert waiting.wake_reason is None
    gate.open()
    done = await studio.activity(campaign_id, "performance_report", "done")
    assert done.wake_reason == "dependency_done"
    assert "Tea sells at night." in studio.llm.of("performance_report")[0].transcript


async def test_a_quantity_is_made_in_so_many_numbered_copies(studio: Studio) -> None:
    campaign_id = await studio.submit((REPORT, 3))
    await studio.until(
        "select 1 from agent_activity where type = 'performance_report' and status = 'done'"
        " offset 2"
    )
    titles = await studio.rows(
        "select title from agent_activity where campaign_id = :id"
        " and type = 'performance_report' order by 1",
        id=campaign_id,
    )
    assert [row.title for row in titles] == [
        f"The performance_report ({copy} of 3)" for copy in (1, 2, 3)
    ]


async def test_copies_of_equal_quantity_wait_for_each_other_one_by_one(studio: Studio) -> None:
    gate = Gate()
    studio.llm.on(PLANNER, plan({**FIND, "quantity": 2}, {"type": REPORT, "dependsOn": ["find"]}))
    studio.llm.on("Find out (2 of 2)", say("Late.", gate=gate))
    campaign_id = await studio.submit((REPORT, 2))
    done = await studio.activity(campaign_id, "performance_report", "done")
    assert done.title == "The performance_report (1 of 2)"
    await studio.activity(campaign_id, "performance_report", "created")
    gate.open()


async def test_what_depends_on_a_failed_activity_stays_created(studio: Studio) -> None:
    studio.llm.on(PLANNER, plan(FIND, {"type": REPORT, "dependsOn": ["find"]}))
    studio.llm.always("Find out", refused())
    campaign_id = await studio.submit((REPORT, 1))
    await studio.activity(campaign_id, "research", "failed")
    await asyncio.sleep(0.5)
    waiting = await studio.activity(campaign_id, "performance_report", "created")
    assert await studio.kinds(waiting.id) == []


async def test_retrying_what_failed_lets_the_pipeline_go_on(studio: Studio) -> None:
    studio.llm.on(PLANNER, plan(FIND, {"type": REPORT, "dependsOn": ["find"]}))
    studio.llm.on("Find out", *[refused()] * 3)
    campaign_id = await studio.submit((REPORT, 1))
    failed = await studio.activity(campaign_id, "research", "failed")
    await studio.try_again(failed.id)
    await studio.activity(campaign_id, "performance_report", "done")
    assert (await studio.one(failed.id)).wake_reason == "manual_retry"


async def test_a_failed_activity_does_not_hold_up_the_others(studio: Studio) -> None:
    studio.llm.always("blog_post", refused())
    campaign_id = await studio.submit((BLOG, 1), (REPORT, 1))
    await studio.activity(campaign_id, "blog_post", "failed")
    await studio.activity(campaign_id, "performance_report", "done")
    await studio.campaign_is(campaign_id, "active")


async def test_an_activity_shows_its_state_and_words_to_operators(studio: Studio) -> None:
    campaign_id = await studio.submit((BLOG, 1))
    await studio.pending_approval(campaign_id)
    post = await studio.activity(campaign_id, "blog_post", "awaiting_approval")
    words = "The blog_post: awaiting_approval"
    await studio.shows(activity_workflow(post.id), "awaiting_approval", words)
