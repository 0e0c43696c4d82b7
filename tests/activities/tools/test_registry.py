import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.rules.roles import ROLES, TOOLS
from models.rules.vocabulary import ActivityType
from tests.activities.tools.conftest import Desk

EVERY = [*TOOLS, "submit_plan", "submit_review"]


def names(desk: Desk, kind: ActivityType, configured: list[str], *, review: bool) -> list[str]:
    return [spec.name for spec in desk.toolbox.offered(kind, configured, review)]


async def test_an_activity_is_offered_what_its_role_is_configured_with(bare_desk: Desk):
    configured = ["web_fetch", "create_subtask", "submit_plan", "nonsense"]
    assert names(bare_desk, ActivityType.BLOG_POST, configured, review=False) == [
        "create_subtask", "web_fetch",
    ]  # fmt: skip


async def test_a_planner_always_gets_its_plan_and_nothing_that_ends_otherwise(bare_desk: Desk):
    kind = ActivityType.CAMPAIGN_PLANNING
    assert names(bare_desk, kind, [], review=False) == ["submit_plan"]
    assert names(bare_desk, kind, EVERY, review=False) == [
        "submit_plan", "read_activity_output", "web_fetch",
    ]  # fmt: skip


async def test_a_reviewer_always_gets_its_verdict_and_can_read_the_draft(bare_desk: Desk):
    kind = ActivityType.REVIEW
    assert names(bare_desk, kind, [], review=True) == ["submit_review", "read_activity_output"]
    assert names(bare_desk, kind, EVERY, review=True) == [
        "submit_review", "read_activity_output", "web_fetch",
    ]  # fmt: skip
    assert "submit_review" not in names(bare_desk, kind, EVERY, review=False)


@pytest.mark.parametrize("kind", ActivityType)
@pytest.mark.parametrize("review", [True, False])
async def test_offering_what_was_offered_changes_nothing(bare_desk: Desk, kind, review):
    for role in ROLES.values():
        once = names(bare_desk, kind, list(role.tool_names), review=review)
        assert names(bare_desk, kind, once, review=review) == once


async def test_every_tool_is_described_in_json_schema(bare_desk: Desk):
    for kind, review in ((ActivityType.CAMPAIGN_PLANNING, False), (ActivityType.REVIEW, True),
                         (ActivityType.BLOG_POST, False)):  # fmt: skip
        for spec in bare_desk.toolbox.offered(kind, EVERY, review):
            assert json.loads(json.dumps(spec.input_schema))["type"] == "object"
            assert spec.input_schema["additionalProperties"] is False
            assert "$defs" not in spec.input_schema


async def test_an_unknown_tool_is_answered_with_the_known_ones(bare_desk: Desk):
    answered = await bare_desk.toolbox.call(
        "sing\ud800", bare_desk.context, {}, offered=["web_fetch", "hand_over"]
    )
    assert answered.is_error
    assert "you have web_fetch, hand_over." in answered.output
    answered.output.encode()


async def test_a_tool_that_was_not_offered_is_unknown(bare_desk: Desk):
    answered = await bare_desk.toolbox.call(
        "create_subtask", bare_desk.context, {}, offered=["web_fetch"]
    )
    assert "There is no tool 'create_subtask'" in answered.output


async def test_input_that_was_no_json_is_said_to_be_none(bare_desk: Desk):
    problems = await bare_desk.problems("hand_over", {"_malformed": '{"to": '})
    assert problems == ["The input was no JSON object; send one that follows the schema."]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats()
    | st.text(st.characters(), max_size=20),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
fields = st.sampled_from(
    ["activityId", "offset", "title", "role", "prompt", "type", "riskLevel", "options", "to",
     "purpose", "note", "agrees", "feedback", "activities"]
)  # fmt: skip


@pytest.mark.parametrize("name", [name for name in EVERY if name != "web_fetch"])
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None
)
@given(st.dictionaries(fields | st.text(max_size=10), json_values, max_size=5))
async def test_whatever_a_model_sends_is_answered(desk: Desk, name, sent):
    answered = await desk.call(name, sent)
    json.loads(answered.output)
    answered.output.encode()
