"""The tool by which an agent gives its work to somebody else, or has its draft reviewed."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints
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
from models.rules.plans import MAX_PROMPT, MAX_TITLE
from models.rules.roles import HAND_OVER, PLANNER, READ_ACTIVITY_OUTPUT, ROLES, is_working_role
from models.rules.vocabulary import ActivityType, CampaignStatus, PrincipalType

MAX_REVIEWS = 5
HUMAN = "human"
_PERSON = "human:"
_ROLES = ", ".join(name for name in ROLES if name != PLANNER)


class _Input(ToolInput):
    to: Annotated[str, StringConstraints(min_length=1, max_length=200)] = Field(
        description=f'A role ({_ROLES}), "human" for the person who made the campaign, or '
        '"human:<user id>".'
    )
    purpose: Literal["work", "review"]
    note: Annotated[str, StringConstraints(min_length=1, max_length=MAX_PROMPT, pattern=r"\S")]


class HandOver:
    """Ends the run: the work goes to another principal, or waits for a colleague's review."""

    spec = spec(
        HAND_OVER,
        'With purpose "review" a colleague of another role reviews your draft: write the whole '
        "draft as text in the same message, it is stored as your output; the run ends, and goes on "
        'with what they found. With purpose "work" the whole task goes to another role or to a '
        "person, with your note and whatever you write in the same message.",
        _Input,
    )

    def __init__(self, database: Database) -> None:
        self._database = database

    async def call(self, context: ToolContext, input: Mapping[str, Any]) -> ToolAnswer:
        """Check who is meant; a review is made here, a hand-over by the run's end."""
        asked = read(_Input, input)
        if asked.purpose == "review":
            return await self._review(context, asked)
        async with self._database.tenant(context.tenant_id) as db:
            await _check_target(db, context, asked.to)
        said = f"The work is handed over to {asked.to}. Your run ends here."
        return answer({"to": asked.to, "message": said}, Ending.HAND_OVER)

    async def _review(self, context: ToolContext, asked: _Input) -> ToolAnswer:
        if not is_working_role(asked.to):
            raise ToolRefused(f"to: a review is done by a role: one of {_ROLES}.")
        review_id = derived_id("review", context.run_id, context.call_id)
        async with self._database.tenant(context.tenant_id) as db:
            own = await tools.lock(db, context.activity_id)
            if not await tools.exists(db, review_id):
                await _check_target(db, context, asked.to)
                if own.campaign_status == CampaignStatus.ARCHIVED:
                    raise ToolRefused("The campaign is archived: nothing new is begun.")
                if await tools.count_children(db, context.activity_id, reviews=True) >= MAX_REVIEWS:
                    raise ToolRefused(f"It was reviewed {MAX_REVIEWS} times: hand the work in now.")
                await tools.make_activity(db, _review_of(context, asked, own.title, review_id))
        said = "The review is asked for. Your run ends here; you will be told what they found."
        return answer({"activityId": review_id, "to": asked.to, "message": said}, Ending.REVIEW)


def _review_of(context: ToolContext, asked: _Input, title: str, review_id: str) -> NewActivity:
    heading = f"Review: {title}"
    return NewActivity(
        id=review_id,
        tenant_id=context.tenant_id,
        campaign_id=context.campaign_id,
        parent_id=context.activity_id,
        reviews_id=context.activity_id,
        title=heading if len(heading) <= MAX_TITLE else f"{heading[: MAX_TITLE - 1]}…",
        type=ActivityType.REVIEW,
        role=asked.to,
        assignee_id=agent_id(context.tenant_id, asked.to),
        prompt=(
            f"{asked.note}\n\nThe draft is the output of activity {context.activity_id}; "
            f"{READ_ACTIVITY_OUTPUT} shows the whole of it."
        ),
    )


async def _check_target(db: AsyncConnection, context: ToolContext, to: str) -> None:
    if to == context.role:
        raise ToolRefused(f"to: you are the {to} yourself.")
    if is_working_role(to):
        if not await tools.is_active(db, agent_id(context.tenant_id, to), PrincipalType.AGENT):
            raise ToolRefused(f"to: the {to} is not at work in this team.")
    elif to == HUMAN:
        own = await tools.lock(db, context.activity_id)
        if not await tools.is_active(db, own.created_by, PrincipalType.HUMAN):
            raise ToolRefused("to: the person who made the campaign is no longer in the team.")
    elif not to.startswith(_PERSON):
        raise ToolRefused(f'to: must be one of {_ROLES}, "human", or "human:<user id>".')
    elif not await tools.is_active(db, to.removeprefix(_PERSON), PrincipalType.HUMAN):
        raise ToolRefused(f'to: there is no such person in the team; "{HUMAN}" names one.')
