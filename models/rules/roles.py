"""The agent roles that are shipped, what each is given by default, and the tools there are.

A tenant overrides the defaults by the agents endpoints. Two tools are not in anybody's hands:
`submit_plan` and `submit_review` are given by the engine with the activity that needs them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType

READ_ACTIVITY_OUTPUT = "read_activity_output"
CREATE_SUBTASK = "create_subtask"
REQUEST_APPROVAL = "request_approval"
HAND_OVER = "hand_over"
WEB_FETCH = "web_fetch"
SUBMIT_PLAN = "submit_plan"
SUBMIT_REVIEW = "submit_review"

TOOLS: tuple[str, ...] = (
    READ_ACTIVITY_OUTPUT, CREATE_SUBTASK, REQUEST_APPROVAL, HAND_OVER, WEB_FETCH,
)  # fmt: skip
"""The tools that a role can be configured with, in the order in which a model is offered them."""

PLANNER = "activity_planner"
EDITOR = "editor"


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentRole:
    """A role's default configuration; `max_cost_usd` bounds an activity, None means no bound.

    `concurrency` is how many of its activities run at once in a tenant, `timeout_sec` the wall
    time of a run.
    """

    name: str
    title: str
    tool_names: tuple[str, ...]
    max_cost_usd: Decimal | None = Decimal(5)
    concurrency: int = 3
    timeout_sec: int = 600
    max_turns: int = 20


_ALL = (
    AgentRole(name=PLANNER, title="Activity Planner", tool_names=(WEB_FETCH,)),
    AgentRole(name="strategist", title="Strategist", tool_names=TOOLS),
    AgentRole(name="copywriter", title="Copywriter", tool_names=TOOLS),
    AgentRole(name="social_media_manager", title="Social Media Manager", tool_names=TOOLS),
    AgentRole(name="ads_specialist", title="Ads Specialist", tool_names=TOOLS),
    AgentRole(name="email_marketer", title="Email Marketer", tool_names=TOOLS),
    AgentRole(name="seo_specialist", title="SEO Specialist", tool_names=TOOLS),
    AgentRole(name="analyst", title="Analyst", tool_names=TOOLS),
    AgentRole(
        name=EDITOR,
        title="Editor",
        tool_names=(READ_ACTIVITY_OUTPUT, REQUEST_APPROVAL, HAND_OVER, WEB_FETCH),
    ),
)

ROLES: Mapping[str, AgentRole] = MappingProxyType({role.name: role for role in _ALL})
"""Every role by its name."""


def is_working_role(name: str) -> bool:
    """Tell whether work can be given to the role: the planner plans and does nothing else."""
    return name in ROLES and name != PLANNER
