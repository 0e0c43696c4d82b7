import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.rules.plan_reading import parse_plan
from models.rules.plans import (
    PLAN_SCHEMA,
    InvalidPlan,
    OrderedDeliverable,
    Plan,
    expand,
    from_json,
    to_json,
)
from models.rules.roles import ROLES
from models.rules.vocabulary import ActivityType, DeliverableType, RiskLevel

BLOGS = OrderedDeliverable(id="D1", type=DeliverableType.BLOG_POST, quantity=4)
POSTS = OrderedDeliverable(id="D2", type=DeliverableType.SOCIAL_POST, quantity=8)


def entry(name: str, /, **overrides: Any) -> dict[str, Any]:
    return {
        "key": name, "title": f"Make {name}", "type": "blog_post", "role": "copywriter",
        "deliverableId": "D1", "quantity": 4, "prompt": "Write it.", **overrides,
    }  # fmt: skip


RESEARCH = {
    "key": "research", "title": "Look around", "type": "research", "role": "strategist",
    "prompt": "Find out.",
}  # fmt: skip


def parse(*entries: object, deliverables: tuple[OrderedDeliverable, ...] = (BLOGS,)) -> Plan:
    return parse_plan({"activities": list(entries)}, deliverables, ROLES)


def errors_of(raw: object, *deliverables: OrderedDeliverable) -> tuple[str, ...]:
    with pytest.raises(InvalidPlan) as caught:
        parse_plan(raw, deliverables or (BLOGS,), ROLES)
    return caught.value.errors


def test_a_sound_plan_is_read_with_its_defaults():
    plan = parse(RESEARCH, entry("blog", dependsOn=["research"]))
    research, blog = plan.items
    assert (research.quantity, research.depends_on, research.risk) == (1, (), RiskLevel.LOW)
    assert research.deliverable_id is None
    assert (blog.type, blog.quantity, blog.depends_on) == (ActivityType.BLOG_POST, 4, ("research",))


def test_models_are_forgiven_nulls_blanks_and_round_floats():
    plan = parse(
        {**RESEARCH, "deliverableId": "", "quantity": None, "dependsOn": None, "risk": None},
        entry("blog", quantity=4.0, title="  Two\n lines "),
    )
    assert plan.items[1].title == "Two lines"
    assert plan.items[1].quantity == 4


def test_a_deliverable_may_be_made_by_several_activities():
    plan = parse(entry("a", quantity=1), entry("b", quantity=3, role="seo_specialist"))
    assert [item.quantity for item in plan.items] == [1, 3]


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ({"key": None}, "needs a key"),
        ({"key": "a b"}, "needs a key"),
        ({"key": "ab\n"}, "needs a key"),
        ({"key": "x" * 65}, "needs a key"),
        ({"title": " "}, "needs a title"),
        ({"title": 7}, "needs a title"),
        ({"title": "x" * 201}, "has a title of 201 characters; at most 200"),
        ({"prompt": ""}, "needs a prompt"),
        ({"prompt": "x" * 8001}, "at most 8000"),
        ({"prompt": "a\x00b"}, "null bytes"),
        ({"title": "a\ud800b"}, "no text"),
        ({"type": "publishing"}, 'has the type "publishing"; it must be one of blog_post'),
        ({"type": "campaign_planning"}, "has the type"),
        ({"type": "social_post"}, "is a social_post, but deliverable D1 orders blog_post"),
        ({"role": "boss"}, 'has the role "boss"; it must be one of strategist'),
        ({"role": "activity_planner"}, "has the role"),
        ({"role": ["copywriter"]}, "has the role a list"),
        ({"deliverableId": "D9"}, 'unknown deliverableId "D9"; the campaign has D1'),
        ({"deliverableId": {"id": "D1"}}, "unknown deliverableId an object"),
        ({"deliverableId": None}, "needs the deliverableId"),
        ({"quantity": 0}, "has the quantity 0"),
        ({"quantity": True}, "has the quantity true"),
        ({"quantity": 1.5}, "has the quantity 1.5"),
        ({"quantity": "4"}, 'has the quantity "4"'),
        ({"quantity": float("nan")}, "has the quantity NaN"),
        ({"quantity": 10**5000}, "has the quantity a huge number"),
        ({"quantity": 3}, "orders 4 x blog_post a period, but the plan makes 3"),
        ({"dependsOn": "research"}, "must have a list"),
        ({"dependsOn": [1]}, "must have a list"),
        ({"dependsOn": ["nowhere"]}, "depends on unknown keys: nowhere"),
        ({"dependsOn": ["blog"]}, "blog needs blog"),
        ({"risk": "none"}, 'has the risk "none"'),
        ({"depends_on": []}, "has unknown fields: depends_on. The fields are key, title"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_in_words_to_act_on(overrides, words):
    errors = errors_of({"activities": [entry("blog", **overrides)]})
    assert any(words in error for error in errors), errors
    " ".join(errors).encode()


@pytest.mark.parametrize("raw", [None, [], "plan", 7, {}, {"activities": []}, {"activities": {}}])
def test_garbage_is_told_what_is_expected(raw):
    assert errors_of(raw) == (
        'The input must be {"activities": [...]} with at least one activity.',
    )


def test_every_error_is_named_at_once():
    errors = errors_of(
        {"activities": [entry("a", role="x", title=""), "no object", entry("b", quantity=9),
                        entry("b", quantity=1, dependsOn=["c"])]},
        BLOGS, POSTS,
    )  # fmt: skip
    assert len(errors) == 7
    assert [error.split()[0] for error in errors] == [
        "activities[0]", "activities[0]", "activities[1]", "Each", "b", "Deliverable",
        "Deliverable",
    ]  # fmt: skip


def test_research_of_no_deliverable_stays_small():
    assert "from 1 to 10" in errors_of({"activities": [{**RESEARCH, "quantity": 11}]})[0]


def test_a_deliverable_without_any_activity_is_missed():
    assert errors_of({"activities": [RESEARCH]}) == (
        "Deliverable D1 orders 4 x blog_post a period, but the plan makes 0: the quantities of "
        "its activities must add up to 4.",
    )


def test_a_circle_is_named():
    errors = errors_of({"activities": [
        entry("a", quantity=2, dependsOn=["b"]),
        entry("b", quantity=1, dependsOn=["c"]),
        entry("c", quantity=1, dependsOn=["a"]),
    ]})  # fmt: skip
    assert errors == (
        "These activities wait for each other in a circle: a needs b needs c needs a.",
    )


def test_more_than_a_hundred_activities_are_too_many():
    errors = errors_of({"activities": [entry(f"k{n}", quantity=1) for n in range(101)]})
    assert errors[0] == "There are 101 activities; at most 100 are allowed."


def test_dependencies_between_copies_stay_countable():
    many = [
        OrderedDeliverable(id="D1", type=DeliverableType.BLOG_POST, quantity=999),
        OrderedDeliverable(id="D2", type=DeliverableType.SOCIAL_POST, quantity=1000),
    ]
    post = {"type": "social_post", "deliverableId": "D2", "quantity": 1000}
    errors = errors_of(
        {"activities": [entry("blog", quantity=999), entry("post", **post, dependsOn=["blog"])]},
        *many,
    )
    assert errors == (
        "There are too many dependencies between copies, most of them of post: let it depend on "
        "activities of the same quantity or of quantity 1.",
    )


def test_copies_are_numbered_and_paired_where_quantities_are_equal():
    plan = parse(
        RESEARCH,
        entry("outline", dependsOn=["research"], quantity=2),
        entry("blog", dependsOn=["outline"], quantity=2),
        {**RESEARCH, "key": "check", "type": "review", "dependsOn": ["blog"]},
    )
    assert [(one.key, one.copy, one.title, one.needs) for one in expand(plan)] == [
        ("research", 1, "Look around", ()),
        ("outline", 1, "Make outline (1 of 2)", (("research", 1),)),
        ("outline", 2, "Make outline (2 of 2)", (("research", 1),)),
        ("blog", 1, "Make blog (1 of 2)", (("outline", 1),)),
        ("blog", 2, "Make blog (2 of 2)", (("outline", 2),)),
        ("check", 1, "Look around", (("blog", 1), ("blog", 2))),
    ]


def test_the_schema_is_json_and_asks_for_the_same_fields():
    item = json.loads(json.dumps(PLAN_SCHEMA))["properties"]["activities"]["items"]
    assert set(item["properties"]) == set(to_json(parse(entry("a")))[0])
    assert "activity_planner" not in item["properties"]["role"]["enum"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)
almost_entries = st.fixed_dictionaries(
    {},
    optional={
        name: st.one_of(json_values, st.sampled_from([
            "a", "b", "c", "blog_post", "research", "copywriter", "D1", "low", 1, 2, 4,
            ["a"], ["b", "c"],
        ]))
        for name in ("key", "title", "type", "role", "deliverableId", "quantity", "dependsOn",
                     "prompt", "risk")
    },
)  # fmt: skip


@given(json_values | st.fixed_dictionaries({"activities": st.lists(almost_entries | json_values)}))
def test_any_json_is_either_a_plan_or_a_list_of_errors(raw):
    try:
        plan = parse_plan(raw, [BLOGS], ROLES)
    except InvalidPlan as invalid:
        said = " ".join(invalid.errors).encode()
    else:
        said = b"sound"
        check(plan)
    assert said


@st.composite
def sound_plans(draw):
    """Plans whose items depend on earlier ones, written down in any order."""
    entries: list[dict[str, Any]] = []
    totals: dict[DeliverableType, int] = {}
    for number in range(draw(st.integers(1, 8))):
        kind = draw(st.sampled_from([*DeliverableType, None]))
        quantity = draw(st.integers(1, 5))
        if kind:
            totals[kind] = totals.get(kind, 0) + quantity
        earlier = [one["key"] for one in entries]
        needs = draw(st.lists(st.sampled_from(earlier), max_size=3)) if earlier else []
        entries.append({
            "key": f"k{number}", "title": "T", "type": kind or "review", "role": "editor",
            "prompt": "P", "quantity": quantity, "dependsOn": needs,
            "deliverableId": kind and f"d-{kind}",
        })  # fmt: skip
    ordered = [
        OrderedDeliverable(id=f"d-{kind}", type=kind, quantity=total)
        for kind, total in totals.items()
    ]
    return draw(st.permutations(entries)), ordered


def check(plan: Plan) -> None:
    """Assert what must hold of every plan: it ends, refers to itself alone, and is storable."""
    assert from_json(json.loads(json.dumps(to_json(plan)))) == plan
    waiting = {(one.key, one.copy): set(one.needs) for one in expand(plan)}
    assert len(waiting) == sum(item.quantity for item in plan.items)
    done: set[tuple[str, int]] = set()
    while waiting:
        ready = {place for place, needs in waiting.items() if needs <= done}
        assert ready, "nothing can start"
        done |= ready
        for place in ready:
            del waiting[place]


@given(sound_plans())
def test_sound_plans_are_taken_and_make_what_was_ordered(case):
    entries, ordered = case
    plan = parse_plan({"activities": entries}, ordered, ROLES)
    check(plan)
    made = [one.deliverable_id for one in expand(plan)]
    assert all(made.count(one.id) == one.quantity for one in ordered)
