import asyncio
from typing import Any

import pytest
from sqlalchemy import select, update

from models.queries.tenants import agent_id
from models.tables.agent_activities import AgentActivity
from models.tables.campaigns import Campaign
from models.tables.people import Principal
from tests.activities.tools.conftest import Desk
from tests.factories.agents import make_activity

NAME = "create_subtask"
TASK = {"title": "Find\nfigures", "role": "analyst", "prompt": "How many drink tea?"}


async def subtasks(desk: Desk) -> list[Any]:
    async with desk.database.tenant(desk.tenant.id) as db:
        found = await db.execute(
            select(AgentActivity.__table__).where(
                AgentActivity.parent_id == desk.context.activity_id
            )
        )
        return list(found)


async def test_a_subtask_is_an_activity_of_a_colleague(desk: Desk):
    answered = await desk.call(NAME, TASK)
    (made,) = await subtasks(desk)
    assert answered.ending == "subtasks"
    assert f'"activityId": "{made.id}"' in answered.output
    assert (made.title, made.type, made.status, made.agent_role, made.assignee_id) == (
        "Find figures", "research", "created", "analyst", agent_id(desk.tenant.id, "analyst"),
    )  # fmt: skip
    assert (made.campaign_id, made.deliverable_id) == (desk.context.campaign_id, None)
    assert (made.reviews_id, made.risk, made.input_prompt) == (None, "low", TASK["prompt"])


async def test_a_repeated_call_makes_no_second_one(desk: Desk):
    first = await desk.call(NAME, TASK, call_id="call-1")
    assert await desk.call(NAME, TASK, call_id="call-1") == first
    assert len(await subtasks(desk)) == 1


async def test_ten_subtasks_are_enough_even_when_asked_for_at_once(desk: Desk):
    answers = await asyncio.gather(*(desk.call(NAME, TASK, call_id=f"c{n}") for n in range(12)))
    assert sum(answered.is_error for answered in answers) == 2
    assert len(await subtasks(desk)) == 10
    repeated = [await desk.call(NAME, TASK, call_id=f"c{n}") for n in range(12)]
    assert repeated == answers


async def test_subtasks_of_subtasks_have_none(desk: Desk):
    at = desk.context.activity_id
    for _ in range(2):
        at = (await desk.say(NAME, TASK, activity_id=at))["activityId"]
    assert await desk.problems(NAME, TASK, activity_id=at) == [
        "This is a subtask of a subtask already: do the work yourself."
    ]


async def test_nothing_is_begun_in_an_archived_campaign(desk: Desk):
    made = await desk.say(NAME, TASK, call_id="before")
    async with desk.database.tenant(desk.tenant.id) as db:
        await db.execute(
            update(Campaign)
            .where(Campaign.id == desk.context.campaign_id)
            .values(status="archived")
        )
    assert "archived" in (await desk.problems(NAME, TASK))[0]
    assert await desk.say(NAME, TASK, call_id="before") == made


async def test_an_agent_that_is_not_at_work_gets_none(desk: Desk):
    async with desk.database.tenant(desk.tenant.id) as db:
        await db.execute(
            update(Principal)
            .where(Principal.id == agent_id(desk.tenant.id, "analyst"))
            .values(status="inactive")
        )
    assert await desk.problems(NAME, TASK) == ["role: the analyst is not at work in this team."]


async def test_reviews_do_not_count_as_subtasks(desk: Desk):
    for _ in range(10):
        await make_activity(
            desk.database, desk.tenant, desk.context.campaign_id,
            parent_id=desk.context.activity_id, reviews_id=desk.context.activity_id,
        )  # fmt: skip
    assert not (await desk.call(NAME, TASK)).is_error


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"role": "activity_planner"}, "role: must be one of strategist"),
        ({"role": "boss"}, "role: must be one of strategist"),
        ({"type": "campaign_planning"}, "type: must be one of blog_post"),
        ({"title": " "}, "title: String should match"),
        ({"title": "x" * 201}, "title: String should have at most 200"),
        ({"prompt": "x" * 8001}, "prompt: String should have at most 8000"),
        ({"prompt": "a\x00"}, "prompt: has characters that are no text"),
        ({"prompt": "a\ud800"}, "prompt:"),
        ({"prompt": None}, "prompt: Input should be a valid string"),
        ({"parentId": "x"}, "parentId: Extra inputs"),
    ],
)
async def test_what_is_wrong_with_the_input_is_named(bare_desk: Desk, changes, words):
    problems = await bare_desk.problems(NAME, {**TASK, **changes})
    assert len(problems) == 1
    assert problems[0].startswith(words)
