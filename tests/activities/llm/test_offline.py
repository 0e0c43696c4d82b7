import time

import pytest

from activities.llm.offline import OfflineLlm
from activities.llm.offline_facts import audience
from activities.ports import (
    Message,
    StopReason,
    TextDelta,
    ToolResult,
    ToolSpec,
    ToolUse,
    TurnRequest,
    Usage,
)
from tests.activities.llm.turns import said, turn

BRIEF = """Bring in inquiries for our heat-pump service. Written for homeowners in Bavaria.
We install within six weeks. Subsidies pay up to 70 percent.
Tone: calm and honest."""
BLOGS = "01JD0000000000000000000001"
ADS = "01JD0000000000000000000002"
REPORT = "01JD0000000000000000000003"
DELIVERABLES = [
    {"id": REPORT, "type": "performance_report", "quantity": 1},
    {"id": BLOGS, "type": "blog_post", "quantity": 4},
    {"id": ADS, "type": "ad_copy", "quantity": 2},
]
TYPES = [
    "blog_post",
    "social_post",
    "gbp_post",
    "ad_copy",
    "email_newsletter",
    "backlink",
    "website_audit",
    "performance_report",
    "campaign_planning",
    "research",
    "review",
]


def tools(*names):
    return tuple(ToolSpec(name=name, description="", input_schema={}) for name in names)


GO = (said("Go"),)


def make_request(*tool_names, messages=GO, **facts):
    return TurnRequest(
        model="offline",
        system="",
        messages=messages,
        tools=tools(*tool_names),
        max_output_tokens=1000,
        facts={
            "role": "copywriter",
            "activity_type": "blog_post",
            "title": "Heat pumps without worry",
            "campaign_name": "Warm Winter",
            "brief": BRIEF,
            "deliverables": DELIVERABLES,
            "inputs": [],
            "feedback": [],
            "decision": None,
            "review_of": None,
            **facts,
        },
    )


async def answer(*tool_names, **facts):
    return (await turn(OfflineLlm(0), make_request(*tool_names, **facts)))[-1]


async def text_of(**facts):
    return (await answer(**facts)).blocks[0].text


async def plan():
    call = (await answer("submit_plan", activity_type="campaign_planning")).blocks[1]
    return call.input["activities"]


@pytest.mark.parametrize("activity_type", TYPES)
async def test_every_type_has_a_draft_that_says_no_model_wrote_it(activity_type):
    last = (await text_of(activity_type=activity_type)).splitlines()[-1]
    assert last == "*No language model was configured: this is the offline writer's draft.*"


@pytest.mark.parametrize("activity_type", TYPES)
async def test_every_draft_is_markdown_about_the_brief(activity_type):
    text = await text_of(activity_type=activity_type, review_of="Heat pumps without worry")
    assert text.startswith("# ")
    assert "heat pump" in text.lower()
    assert "{%" not in text


@pytest.mark.parametrize(
    ("activity_type", "parts"),
    [
        ("blog_post", ["Meta description", "## ", "1. "]),
        ("social_post", ["#heatpumps", "👉"]),
        ("ad_copy", ["### Headlines", "### Descriptions", "Call to action"]),
        ("email_newsletter", ["**Subject:**", "**Preview:**", "{{unsubscribe}}"]),
        ("website_audit", ["- [ ]", "## Priorities"]),
        ("performance_report", ["## Figures", "not connected"]),
        ("research", ["## Audience", "Homeowners in Bavaria", "## Angles", "## Keywords"]),
    ],
)
async def test_a_draft_has_the_parts_of_its_type(activity_type, parts):
    text = await text_of(activity_type=activity_type)
    assert [part for part in parts if part not in text] == []


@pytest.mark.parametrize(
    ("brief", "who"),
    [
        ("Audience: young families; calm tone.", "young families"),
        ("More leads for our shop, aimed at small bakeries.", "small bakeries"),
        ("A course for adults who come late to music.", "adults who come late to music"),
        ("Sell more.", "the readers the brief describes"),
    ],
)
def test_the_audience_is_read_out_of_the_brief(brief, who):
    assert audience(brief) == who


async def test_ad_copy_keeps_to_the_platforms_limits():
    text = await text_of(activity_type="ad_copy", brief="An extraordinarily long word. " * 9)
    headlines, descriptions = text.split("### Descriptions")
    lines = [line[3:] for line in headlines.splitlines() if line[:1].isdigit()]
    assert max(map(len, lines)) <= 30
    assert max(len(line[3:]) for line in descriptions.splitlines() if line[:1].isdigit()) <= 90


async def test_each_piece_of_a_quantity_is_written():
    text = await text_of(activity_type="social_post", quantity=3)
    assert [f"## Post {n}" in text for n in (1, 2, 3, 4)] == [True, True, True, False]


async def test_feedback_shows_in_what_changed():
    text = await text_of(feedback=["Say more about noise", "Shorter, please"])
    changed = text.split("## What changed")[1]
    assert "Say more about noise" in changed
    assert "Shorter, please" in changed


async def test_a_draft_builds_on_what_it_depends_on_and_follows_the_decision():
    research = {"title": "Research", "text": "# Notes\n\n- Homeowners fear noise."}
    text = await text_of(inputs=[research], decision="Lead with subsidies")
    assert "Homeowners fear noise" in text
    assert "## Decision followed\n\nLead with subsidies" in text


async def test_passages_of_the_knowledge_base_are_named_as_sources():
    assert "- Price list 2026" in await text_of(
        passages=[{"title": "Price list 2026", "text": "From 18,000 euros."}]
    )


async def test_a_type_nobody_foresaw_still_gets_a_draft():
    assert (await text_of(activity_type="podcast")).startswith("# Heat pumps without worry")


async def test_a_turn_without_any_facts_still_gets_a_draft():
    request = TurnRequest(
        model="offline", system="", messages=(), tools=(), max_output_tokens=10, facts={}
    )
    assert (await turn(OfflineLlm(0), request))[-1].stop_reason is StopReason.END


@pytest.mark.parametrize("activity_type", TYPES)
async def test_the_same_request_gets_the_same_answer(activity_type):
    first, second = [await text_of(activity_type=activity_type) for _ in range(2)]
    assert first == second


async def test_the_words_streamed_are_the_text():
    *deltas, end = await turn(OfflineLlm(0), make_request())
    assert all(isinstance(delta, TextDelta) for delta in deltas)
    assert "".join(delta.text for delta in deltas) == end.blocks[0].text
    assert max(len(delta.text.split()) for delta in deltas) == 1


async def test_it_costs_nothing():
    assert (await answer()).usage == Usage()


async def test_the_pace_is_words_a_second():
    request = make_request("submit_plan", activity_type="campaign_planning")
    started = time.perf_counter()
    parts = await turn(OfflineLlm(200), request)
    assert time.perf_counter() - started >= (len(parts) - 1) / 200


async def test_the_plan_begins_with_research_on_which_all_depends():
    first, *others = await plan()
    assert (first["type"], first["role"], first["deliverableId"]) == (
        "research",
        "strategist",
        None,
    )
    assert all("research" in item["dependsOn"] for item in others)


async def test_the_plan_covers_each_deliverable_with_its_quantity_and_role():
    assert {item["deliverableId"]: (item["quantity"], item["role"]) for item in await plan()} == {
        None: (1, "strategist"),
        BLOGS: (4, "copywriter"),
        ADS: (2, "ads_specialist"),
        REPORT: (1, "analyst"),
    }


async def test_a_report_waits_for_all_other_work():
    items = {item["key"]: item for item in await plan()}
    assert set(items["performance_report_1"]["dependsOn"]) == items.keys() - {
        "performance_report_1"
    }


async def test_a_plan_has_unique_keys_even_with_a_type_twice():
    twice = [{"id": f"01JD{n:022}", "type": "blog_post", "quantity": 1} for n in range(3)]
    call = (await answer("submit_plan", deliverables=twice)).blocks[1]
    keys = [item["key"] for item in call.input["activities"]]
    assert len(set(keys)) == len(keys) == 4


async def test_a_plan_has_exactly_the_members_the_tool_takes():
    members = {
        "key", "title", "type", "role", "deliverableId", "quantity", "dependsOn", "prompt", "risk",
    }  # fmt: skip
    assert {frozenset(item) for item in await plan()} == {frozenset(members)}


async def test_a_plan_is_announced_and_ends_in_a_tool_call():
    end = await answer("submit_plan")
    assert end.stop_reason is StopReason.TOOL_USE
    assert "plan" in end.blocks[0].text


async def test_a_plan_that_was_handed_in_is_not_handed_in_again():
    use = ToolUse(id="p", name="submit_plan", input={})
    result = ToolResult(tool_use_id="p", output="refused", is_error=True)
    messages = (
        said("Go"),
        Message(role="assistant", blocks=(use,)),
        Message(role="user", blocks=(result,)),
    )
    assert (await answer("submit_plan", messages=messages)).stop_reason is StopReason.END


async def test_a_review_agrees_and_says_a_person_should_check():
    call = (await answer("submit_review", review_of="Our blog post")).blocks[1]
    assert call.input["agrees"] is True
    assert "Our blog post" in call.input["feedback"]


async def ask(*tool_names, **facts):
    asking = {"activity_type": "research", "brief": f"{BRIEF}\noffline: ask", **facts}
    return await answer(*(tool_names or ("request_approval",)), **asking)


async def test_a_brief_can_make_the_research_ask_first():
    call = (await ask()).blocks[1]
    assert call.name == "request_approval"
    assert (call.input["type"], call.input["riskLevel"]) == ("content_direction", "medium")
    assert len(set(call.input["options"])) == 2


@pytest.mark.parametrize(
    "facts",
    [
        {"decision": "Lead with subsidies"},
        {"activity_type": "blog_post"},
        {"brief": BRIEF},
        {"messages": (Message(role="user", blocks=(ToolResult(tool_use_id="a", output="B"),)),)},
    ],
    ids=["decided", "other type", "not in the brief", "answered"],
)
async def test_it_asks_only_where_a_question_is_open(facts):
    assert (await ask(**facts)).stop_reason is StopReason.END


async def test_it_asks_only_with_the_tool_for_it():
    assert (await ask("search_knowledge")).stop_reason is StopReason.END


async def test_the_line_that_makes_it_ask_is_in_no_draft():
    assert "offline: ask" not in await text_of(brief=f"{BRIEF}\noffline: ask")


async def test_its_check_passes_and_says_what_it_is():
    (check,) = await OfflineLlm(0).check("offline")
    assert (check.name, check.ok) == ("model_reachable", True)
    assert "offline writer" in str(check.detail)
