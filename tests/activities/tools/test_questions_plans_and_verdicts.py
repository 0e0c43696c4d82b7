import json
from typing import Any

import pytest
from sqlalchemy import select, update

from models.rules.plans import from_json
from models.rules.vocabulary import ActivityType, DeliverableType
from models.tables.agent_activities import AgentActivity
from models.tables.campaigns import Campaign, Deliverable
from tests.activities.tools.conftest import Desk
from tests.factories.agents import make_activity, make_campaign

QUESTION = {
    "type": "content_direction", "riskLevel": "low", "title": "Green or black?",
    "options": ["Green", "Black"],
}  # fmt: skip
PLANNING = {"activity_type": ActivityType.CAMPAIGN_PLANNING, "role": "activity_planner"}


async def test_a_question_ends_the_run_and_writes_nothing(bare_desk: Desk):
    answered = await bare_desk.call("request_approval", QUESTION)
    assert (answered.is_error, answered.ending) == (False, "approval")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"type": "budget_authorization"}, "type: Input should be 'content_review'"),
        ({"riskLevel": None}, "riskLevel: Input should be 'low'"),
        ({"title": ""}, "title: String should have at least 1"),
        ({"title": "\x00?"}, "title: has characters that are no text"),
        ({"options": ["One"]}, "options: List should have at least 2"),
        ({"options": [f"o{n}" for n in range(9)]}, "options: List should have at most 8"),
        ({"options": ["A", "A "]}, "input: the options must all be different"),
        ({"options": ["A", " "]}, "options.1: String should match"),
        ({"options": ["A", "x" * 201]}, "options.1: String should have at most 200"),
        ({"options": "A, B"}, "options: Input should be a valid list"),
        ({"description": "x" * 10_001}, "description: String should have at most 10000"),
    ],
)
async def test_a_question_that_cannot_be_asked_is_refused(bare_desk: Desk, changes, words):
    problems = await bare_desk.problems("request_approval", {**QUESTION, **changes})
    assert len(problems) == 1
    assert problems[0].startswith(words)


def blog(deliverable_id: str, quantity: int = 2) -> dict[str, Any]:
    return {
        "key": "blog", "title": "Post", "type": "blog_post", "role": "copywriter",
        "deliverableId": deliverable_id, "quantity": quantity, "prompt": "Write.",
    }  # fmt: skip


async def draft_of(desk: Desk) -> tuple[str, str]:
    ordered = [(DeliverableType.BLOG_POST, 2)]
    campaign_id = await make_campaign(desk.database, desk.tenant, ordered=ordered)
    async with desk.database.tenant(desk.tenant.id) as db:
        found = await db.execute(
            select(Deliverable.id).where(Deliverable.campaign_id == campaign_id)
        )
        return campaign_id, found.scalar_one()


async def stored_plan(desk: Desk, campaign_id: str) -> Any:
    async with desk.database.tenant(desk.tenant.id) as db:
        found = await db.execute(select(Campaign.plan).where(Campaign.id == campaign_id))
        return found.scalar_one()


async def test_a_sound_plan_is_stored_with_the_draft(desk: Desk):
    campaign_id, deliverable_id = await draft_of(desk)
    plan = {"activities": [blog(deliverable_id)]}
    answered = await desk.call("submit_plan", plan, campaign_id=campaign_id, **PLANNING)
    assert (answered.is_error, answered.ending) == (False, "plan")
    assert json.loads(answered.output)["activities"] == 2
    (item,) = from_json(await stored_plan(desk, campaign_id)).items
    assert (item.key, item.quantity, item.deliverable_id) == ("blog", 2, deliverable_id)


async def test_an_invalid_plan_goes_back_with_every_error(desk: Desk):
    campaign_id, deliverable_id = await draft_of(desk)
    plan = {"activities": [blog(deliverable_id, quantity=1) | {"role": "boss"}]}
    problems = await desk.problems("submit_plan", plan, campaign_id=campaign_id, **PLANNING)
    assert len(problems) == 2
    assert await stored_plan(desk, campaign_id) is None


async def test_a_plan_stands_once_the_campaign_runs(desk: Desk):
    campaign_id, deliverable_id = await draft_of(desk)
    plan = {"activities": [blog(deliverable_id)]}
    other = {"activities": [blog(deliverable_id) | {"title": "Other"}]}
    facts = {"campaign_id": campaign_id, **PLANNING}
    first = await desk.say("submit_plan", plan, **facts)
    await desk.say("submit_plan", other, **facts)
    assert await desk.say("submit_plan", plan, **facts) == first
    async with desk.database.tenant(desk.tenant.id) as db:
        await db.execute(update(Campaign).where(Campaign.id == campaign_id).values(status="active"))
    assert await desk.say("submit_plan", plan, **facts) == first
    assert await desk.problems("submit_plan", other, **facts) == [
        "The campaign is no draft any more; its plan stands."
    ]


async def test_only_a_planner_plans(bare_desk: Desk):
    assert "Only the activity that plans" in (await bare_desk.problems("submit_plan", {}))[0]


async def test_a_verdict_is_stored_with_the_review(desk: Desk):
    review = await make_activity(
        desk.database, desk.tenant, desk.context.campaign_id,
        role="editor", type="review", reviews_id=desk.context.activity_id,
    )  # fmt: skip
    verdict = {"agrees": False, "feedback": "Shorter."}
    answered = await desk.call("submit_review", verdict, activity_id=review)
    assert (answered.is_error, answered.ending) == (False, "verdict")
    async with desk.database.tenant(desk.tenant.id) as db:
        found = await db.execute(select(AgentActivity.verdict).where(AgentActivity.id == review))
        assert found.scalar_one() == verdict


async def test_who_reviews_nothing_has_no_verdict(desk: Desk):
    assert await desk.problems("submit_review", {"agrees": True, "feedback": ""}) == [
        "This activity reviews nothing: hand in your work as text."
    ]


@pytest.mark.parametrize(
    "verdict",
    [
        {"agrees": "false", "feedback": "No."},
        {"agrees": 1, "feedback": "Yes."},
        {"agrees": False, "feedback": " "},
        {"agrees": True},
        {"feedback": "No."},
        {"agrees": True, "feedback": "\x00"},
    ],
)
async def test_a_verdict_is_clear_or_refused(bare_desk: Desk, verdict):
    assert len(await bare_desk.problems("submit_review", verdict)) == 1
