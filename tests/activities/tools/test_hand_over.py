import json
from typing import Any

import pytest
from sqlalchemy import select, update

from models.ids import new_id
from models.queries.tenants import agent_id
from models.tables.agent_activities import AgentActivity
from models.tables.people import Principal
from tests.activities.tools.conftest import Desk
from tests.factories.agents import make_tenant

NAME = "hand_over"
REVIEW = {"to": "editor", "purpose": "review", "note": "Is the tone right?"}


async def reviews(desk: Desk) -> list[Any]:
    async with desk.database.tenant(desk.tenant.id) as db:
        found = await db.execute(
            select(AgentActivity.__table__).where(AgentActivity.reviews_id.is_not(None))
        )
        return list(found)


async def test_a_review_is_an_activity_of_the_reviewer(desk: Desk):
    answered = await desk.call(NAME, REVIEW)
    (made,) = await reviews(desk)
    assert answered.ending == "review"
    assert json.loads(answered.output)["activityId"] == made.id
    assert (made.title, made.type, made.status, made.agent_role) == (
        "Review: Write a post", "review", "created", "editor",
    )  # fmt: skip
    assert made.parent_id == made.reviews_id == desk.context.activity_id
    assert made.assignee_id == agent_id(desk.tenant.id, "editor")
    assert made.input_prompt.startswith("Is the tone right?\n\n")
    assert desk.context.activity_id in made.input_prompt


async def test_a_repeated_call_asks_for_no_second_review(desk: Desk):
    first = await desk.call(NAME, REVIEW, call_id="call-1")
    assert await desk.call(NAME, REVIEW, call_id="call-1") == first
    assert len(await reviews(desk)) == 1


async def test_reviews_come_to_an_end(desk: Desk):
    for _ in range(5):
        await desk.say(NAME, REVIEW)
    assert await desk.problems(NAME, REVIEW) == ["It was reviewed 5 times: hand the work in now."]


async def test_work_goes_to_a_role_or_a_person_by_the_runs_end(desk: Desk):
    for to in ("strategist", "human", f"human:{desk.tenant.member_id}"):
        answered = await desk.call(NAME, {"to": to, "purpose": "work", "note": "Yours."})
        assert (answered.is_error, answered.ending) == (False, "hand_over")
    assert await reviews(desk) == []


async def test_only_people_at_work_in_the_team_are_handed_anything(desk: Desk):
    stranger = await make_tenant(desk.database)
    async with desk.database.tenant(desk.tenant.id) as db:
        await db.execute(
            update(Principal).where(Principal.type == "human").values(status="inactive")
        )
    foreign = (
        stranger.admin_id,
        new_id(),
        desk.tenant.member_id,
        "",
        agent_id(desk.tenant.id, "editor"),
    )
    for person in foreign:
        work = {"to": f"human:{person}", "purpose": "work", "note": "Yours."}
        assert await desk.problems(NAME, work) == [
            'to: there is no such person in the team; "human" names one.'
        ]
    assert await desk.problems(NAME, {"to": "human", "purpose": "work", "note": "Yours."}) == [
        "to: the person who made the campaign is no longer in the team."
    ]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"to": "copywriter"}, "to: you are the copywriter yourself."),
        ({"to": "copywriter", "purpose": "work"}, "to: you are the copywriter yourself."),
        ({"to": "human"}, "to: a review is done by a role"),
        ({"to": "activity_planner"}, "to: a review is done by a role"),
        ({"to": "activity_planner", "purpose": "work"}, "to: must be one of strategist"),
        ({"to": "boss", "purpose": "work"}, "to: must be one of strategist"),
        ({"purpose": "fun"}, "purpose: Input should be 'work' or 'review'"),
        ({"note": ""}, "note: String should have at least 1"),
        ({"note": "\x00"}, "note: has characters that are no text"),
        ({"why": 1}, "why: Extra inputs"),
    ],
)
async def test_what_is_wrong_with_the_input_is_named(desk: Desk, changes, words):
    problems = await desk.problems(NAME, {**REVIEW, **changes})
    assert len(problems) == 1
    assert problems[0].startswith(words)
    assert await reviews(desk) == []
