"""The tool by which an agent gives a separate piece of work to a colleague."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, Field, StringConstraints
from sqlalchemy.ext.asyncio import AsyncConnection

from activities.tools.ports import (
    ToolAnswer,
    ToolContext,
    ToolInput,
    ToolRefused,
    answer,
    read,
    spec,
)
from models.contracts.agent_activities import Ending
from models.db.database import Database
from models.ids import derived_id
from models.queries.agents import tools
from models.queries.agents.tools import NewActivity
from models.queries.tenants import agent_id
from models.rules.plans import MAX_PROMPT, MAX_TITLE, PLANNED_TYPES
from models.rules.roles import CREATE_SUBTASK, PLANNER, ROLES
from models.rules.vocabulary import ActivityType, CampaignStatus, PrincipalType

MAX_DEPTH = 2
"""A subtask may have subtasks, and these may not."""
MAX_SUBTASKS = 10

_ROLES = [name for name in ROLES if name != PLANNER]
_TYPES = [kind.value for kind in PLANNED_TYPES]


def _known_role(name: str) -> str:
    if name not in _ROLES:
        raise ValueError(f"must be one of {', '.join(_ROLES)}")
    return name


def _known_type(name: str) -> str:
    if name not in _TYPES:
        raise ValueError(f"must be one of {', '.join(_TYPES)}")
    return name


class _Input(ToolInput):
    title: Annotated[str, StringConstraints(min_length=1, max_length=MAX_TITLE, pattern=r"\S")]
    role: Annotated[str, AfterValidator(_known_role)] = Field(json_schema_extra={"enum": [*_ROLES]})
    prompt: Annotated[
        str, StringConstraints(min_length=1, max_length=MAX_PROMPT, pattern=r"\S")
    ] = Field(description="Everything the colleague must know; they see the brief and this.")
    type: Annotated[str, AfterValidator(_known_type)] = Field(
        ActivityType.RESEARCH.value, json_schema_extra={"enum": [*_TYPES]}
    )


class CreateSubtask:
    """Makes an activity below this one; its output comes back when the run goes on."""

    spec = spec(
        CREATE_SUBTASK,
        "Give a separate piece of work to a colleague. Your run ends after this message; it goes "
        "on with the outputs when all your subtasks are done. Ask for several at once by several "
        f"calls in one message; at most {MAX_SUBTASKS} in all.",
        _Input,
    )

    def __init__(self, database: Database) -> None:
        self._database = database

    async def call(self, context: ToolContext, input: Mapping[str, Any]) -> ToolAnswer:
        """Insert the subtask; its id comes from the call, so that a repeat makes no second one."""
        asked = read(_Input, input)
        new = NewActivity(
            id=derived_id("subtask", context.run_id, context.call_id),
            tenant_id=context.tenant_id,
            campaign_id=context.campaign_id,
            parent_id=context.activity_id,
            reviews_id=None,
            title=" ".join(asked.title.split()),
            type=ActivityType(asked.type),
            role=asked.role,
            assignee_id=agent_id(context.tenant_id, asked.role),
            prompt=asked.prompt,
        )
        async with self._database.tenant(context.tenant_id) as db:
            parent = await tools.lock(db, context.activity_id)
            if not await tools.exists(db, new.id):
                if parent.campaign_status == CampaignStatus.ARCHIVED:
                    raise ToolRefused("The campaign is archived: nothing new is begun.")
                await _check_limits(db, new)
                await tools.make_activity(db, new)
        said = "The subtask is made. Your run ends here; you go on when all subtasks are done."
        return answer({"activityId": new.id, "role": new.role, "message": said}, Ending.SUBTASKS)


async def _check_limits(db: AsyncConnection, new: NewActivity) -> None:
    if await tools.depth(db, new.parent_id) >= MAX_DEPTH:
        raise ToolRefused("This is a subtask of a subtask already: do the work yourself.")
    if await tools.count_children(db, new.parent_id, reviews=False) >= MAX_SUBTASKS:
        raise ToolRefused(f"There are {MAX_SUBTASKS} subtasks already, and no more are allowed.")
    if not await tools.is_active(db, new.assignee_id, PrincipalType.AGENT):
        raise ToolRefused(f"role: the {new.role} is not at work in this team.")
