"""The tools that agents may call, and which of them an activity is offered."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from activities.llm.tool_inputs import MALFORMED
from activities.ports import ToolSpec
from activities.tools.create_subtask import CreateSubtask
from activities.tools.hand_over import HandOver
from activities.tools.ports import Tool, ToolAnswer, ToolContext, ToolRefused, refusal
from activities.tools.read_activity_output import ReadActivityOutput
from activities.tools.request_approval import RequestApproval
from activities.tools.submit_plan import SubmitPlan
from activities.tools.submit_review import SubmitReview
from activities.tools.web_fetch import WebFetch
from models.db.database import Database
from models.rules.roles import (
    READ_ACTIVITY_OUTPUT,
    SUBMIT_PLAN,
    SUBMIT_REVIEW,
    TOOLS,
    WEB_FETCH,
)
from models.rules.vocabulary import ActivityType

_READING = (READ_ACTIVITY_OUTPUT, WEB_FETCH)
"""What planners and reviewers may be configured with: they end in a plan or a verdict alone."""


class Toolbox:
    """The tools by name."""

    def __init__(self, tools: Sequence[Tool]) -> None:
        self._tools = {tool.spec.name: tool for tool in tools}

    def offered(
        self, activity_type: ActivityType, configured_names: Collection[str], is_review_of: bool
    ) -> tuple[ToolSpec, ...]:
        """Pick what an activity's model is told of, always in the same order.

        A planner is given `submit_plan`, the reviewer of a draft `submit_review` and the means to
        read it; neither can be configured away. Names that are unknown are left out.
        """
        names = [name for name in TOOLS if name in configured_names]
        if activity_type is ActivityType.CAMPAIGN_PLANNING:
            names = [SUBMIT_PLAN, *(name for name in names if name in _READING)]
        elif is_review_of:
            wanted = {READ_ACTIVITY_OUTPUT, *names}
            names = [SUBMIT_REVIEW, *(name for name in _READING if name in wanted)]
        return tuple(self._tools[name].spec for name in names if name in self._tools)

    async def call(
        self,
        name: str,
        context: ToolContext,
        input: Mapping[str, Any],
        *,
        offered: Collection[str] | None = None,
    ) -> ToolAnswer:
        """Make a call; one that the model can mend is answered with what is wrong.

        `offered` are the names that this run was told of; without it every tool may be called.
        Exceptions are accidents: the step is tried again.
        """
        known = sorted(self._tools) if offered is None else list(offered)
        tool = self._tools.get(name)
        if tool is None or name not in known:
            return refusal(f"There is no tool {name[:100]!a}; you have {', '.join(known)}.")
        if MALFORMED in input:
            return refusal("The input was no JSON object; send one that follows the schema.")
        try:
            return await tool.call(context, input)
        except ToolRefused as refused:
            return refusal(*refused.problems)


def build(database: Database, web_fetch: WebFetch | None = None) -> Toolbox:
    """Make the toolbox of a deployment."""
    return Toolbox(
        [
            ReadActivityOutput(database),
            CreateSubtask(database),
            RequestApproval(),
            HandOver(database),
            web_fetch or WebFetch(),
            SubmitPlan(database),
            SubmitReview(database),
        ]
    )
