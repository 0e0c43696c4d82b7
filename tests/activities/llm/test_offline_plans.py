"""The offline plan is one that the engine takes, whatever the brief is like."""

from activities.llm.offline_plan import Deliverable, plan_activities
from models.rules.plan_reading import parse_plan
from models.rules.plans import OrderedDeliverable
from models.rules.roles import ROLES
from models.rules.vocabulary import DeliverableType

_ID = "01J00000000000000000000000"


def test_a_brief_of_emoji_and_a_long_name_still_make_a_valid_plan() -> None:
    ordered = Deliverable(id=_ID, type="blog_post", quantity=3)
    raw = plan_activities([ordered], about="n" * 200, brief="🎉" * 20_000)
    known = OrderedDeliverable(id=_ID, type=DeliverableType.BLOG_POST, quantity=3)
    plan = parse_plan({"activities": raw}, [known], ROLES)
    assert sum(item.quantity for item in plan.items if item.deliverable_id) == 3
