"""A campaign's plan: which activities a brief becomes, and what waits for what.

The plan is written for one period. `models.rules.plan_reading` makes it from what a model wrote.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from models.errors import Unprocessable
from models.rules.roles import PLANNER, ROLES
from models.rules.vocabulary import ActivityType, DeliverableType, RiskLevel

MAX_ITEMS = 100
MAX_TITLE = 200
MAX_PROMPT = 8000
MAX_KEY = 64
MAX_ORDERED = 1000
"""Copies of one item that a deliverable can ask for."""
MAX_FREE = 10
"""Copies of one item that no deliverable asked for."""
MAX_WAITS = 100_000
"""How many times an activity may wait for another, over all copies."""

FREE_TYPES: tuple[ActivityType, ...] = (ActivityType.RESEARCH, ActivityType.REVIEW)
"""What a plan may add to the deliverables."""
PLANNED_TYPES: tuple[ActivityType, ...] = (
    *(ActivityType(ordered.value) for ordered in DeliverableType), *FREE_TYPES,
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderedDeliverable:
    """What a campaign orders: `quantity` a period."""

    id: str
    type: DeliverableType
    quantity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanItem:
    """One line of a plan; `quantity` copies of it are made in each period."""

    key: str
    title: str
    type: ActivityType
    role: str
    prompt: str
    deliverable_id: str | None = None
    quantity: int = 1
    depends_on: tuple[str, ...] = ()
    risk: RiskLevel = RiskLevel.LOW


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Items in the order in which the planner wrote them."""

    items: tuple[PlanItem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedActivity:
    """One activity to be made: copy `copy` (from 1) of `copies` of an item.

    `needs` names the activities for which it waits, as (key, copy).
    """

    key: str
    copy: int
    copies: int
    title: str
    type: ActivityType
    role: str
    prompt: str
    deliverable_id: str | None
    risk: RiskLevel
    needs: tuple[tuple[str, int], ...]


class InvalidPlan(Unprocessable):
    """A plan that cannot be carried out; `errors` has everything that is wrong with it."""

    def __init__(self, errors: Sequence[str]) -> None:
        super().__init__("The plan cannot be carried out: " + " ".join(errors))
        self.errors = tuple(errors)


def expand(plan: Plan) -> tuple[PlannedActivity, ...]:
    """Make one entry for each copy, in the plan's order.

    Items of equal quantities wait copy by copy (the third post for the third draft); otherwise
    each copy waits for all copies of the other item.
    """
    quantities = {item.key: item.quantity for item in plan.items}
    return tuple(
        PlannedActivity(
            key=item.key,
            copy=copy,
            copies=item.quantity,
            title=item.title if item.quantity == 1 else f"{item.title} ({copy} of {item.quantity})",
            type=item.type,
            role=item.role,
            prompt=item.prompt,
            deliverable_id=item.deliverable_id,
            risk=item.risk,
            needs=tuple(_needs(item, copy, quantities)),
        )
        for item in plan.items
        for copy in range(1, item.quantity + 1)
    )


def _needs(item: PlanItem, copy: int, quantities: Mapping[str, int]) -> Iterable[tuple[str, int]]:
    for key in item.depends_on:
        if quantities[key] == item.quantity:
            yield key, copy
        else:
            yield from ((key, other) for other in range(1, quantities[key] + 1))


def waits(item: PlanItem, quantities: Mapping[str, int]) -> int:
    """Count what the copies of an item wait for, without making them."""
    each = (quantities[key] for key in item.depends_on)
    return sum(n if n == item.quantity else n * item.quantity for n in each)


def to_json(plan: Plan) -> list[dict[str, Any]]:
    """Write the plan as it is stored, in the words of the tool's input."""
    return [
        {
            "key": item.key,
            "title": item.title,
            "type": item.type.value,
            "role": item.role,
            "deliverableId": item.deliverable_id,
            "quantity": item.quantity,
            "dependsOn": list(item.depends_on),
            "prompt": item.prompt,
            "risk": item.risk.value,
        }
        for item in plan.items
    ]


def from_json(stored: Sequence[Mapping[str, Any]]) -> Plan:
    """Read a plan that `to_json` wrote; it was checked then."""
    return Plan(
        items=tuple(
            PlanItem(
                key=item["key"],
                title=item["title"],
                type=ActivityType(item["type"]),
                role=item["role"],
                prompt=item["prompt"],
                deliverable_id=item["deliverableId"],
                quantity=item["quantity"],
                depends_on=tuple(item["dependsOn"]),
                risk=RiskLevel(item["risk"]),
            )
            for item in stored
        )
    )


KEY_PATTERN = rf"^[A-Za-z0-9][A-Za-z0-9_.-]{{0,{MAX_KEY - 1}}}$"

PLAN_SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["activities"],
    "properties": {
        "activities": {
            "type": "array",
            "minItems": 1,
            "maxItems": MAX_ITEMS,
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["key", "title", "type", "role", "prompt"],
                "properties": {
                    "key": {
                        "type": "string",
                        "pattern": KEY_PATTERN,
                        "description": "A short name, used once, by which others depend on it.",
                    },
                    "title": {"type": "string", "minLength": 1, "maxLength": MAX_TITLE},
                    "type": {"type": "string", "enum": [kind.value for kind in PLANNED_TYPES]},
                    "role": {"type": "string", "enum": [name for name in ROLES if name != PLANNER]},
                    "deliverableId": {
                        "type": ["string", "null"],
                        "description": (
                            "The deliverable that it fulfils; null for research and review that "
                            "prepare or check the rest."
                        ),
                    },
                    "quantity": {
                        "type": "integer",
                        "minimum": 1,
                        "maximum": MAX_ORDERED,
                        "description": (
                            "How many copies to make in each period. The quantities of all "
                            "activities of one deliverable add up to the deliverable's quantity."
                        ),
                    },
                    "dependsOn": {
                        "type": "array",
                        "items": {"type": "string"},
                        "description": "Keys of the activities whose output it needs.",
                    },
                    "prompt": {
                        "type": "string",
                        "minLength": 1,
                        "maxLength": MAX_PROMPT,
                        "description": "Everything the agent must know beside the brief.",
                    },
                    "risk": {"type": "string", "enum": [level.value for level in RiskLevel]},
                },
            },
        }
    },
}  # fmt: skip
"""The input of `submit_plan`, as a model is told it."""
