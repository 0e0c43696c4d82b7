"""One tool call as one step; an answered call is never made again."""

import json
from typing import Any

from temporalio import activity

from activities.agents.heartbeats import heartbeats
from activities.agents.transcripts import clean
from activities.tools.ports import ToolContext
from activities.tools.registry import Toolbox
from models.contracts.agent_activities import CallTool, Ending, ToolOutcome
from models.db.database import Database
from models.queries.agents import runs_write, stream
from models.rules.vocabulary import ActivityType

STREAMED_CHARACTERS = 20_000
"""How much of a result viewers are streamed; the agent gets all of it."""


class ToolSteps:
    """Makes the calls that models ask for."""

    def __init__(self, database: Database, toolbox: Toolbox) -> None:
        self._database = database
        self._toolbox = toolbox

    @activity.defn(name="agent_activity.tool")
    async def call(self, call: CallTool) -> ToolOutcome:
        """Make one call; what is wrong with it goes back to the model, not up as an error."""
        async with self._database.tenant(call.tenant_id) as db:
            asked = await runs_write.tool_call(db, call.run_id, call.call_id)
        if asked.output is not None:
            return _outcome(asked.name, asked.ending, is_error=asked.is_error)
        context = ToolContext(
            tenant_id=call.tenant_id,
            campaign_id=call.campaign_id,
            activity_id=call.activity_id,
            run_id=call.run_id,
            call_id=call.call_id,
            role=asked.agent_role,
            activity_type=ActivityType(asked.activity_type),
            at=call.at,
        )
        async with heartbeats():
            answer = await self._toolbox.call(
                asked.name, context, asked.input, offered=tuple(asked.config["tools"])
            )
        async with self._database.tenant(call.tenant_id) as db:
            first = await runs_write.answer_tool_call(
                db,
                call.run_id,
                call.call_id,
                output=clean(answer.output),
                is_error=answer.is_error,
                ending=answer.ending,
                at=call.at,
            )
            if first:
                await stream.append(
                    db,
                    tenant_id=call.tenant_id,
                    activity_id=call.activity_id,
                    run_id=call.run_id,
                    turn=asked.turn,
                    attempt=None,
                    entries=[("tool_result", {"name": asked.name, "output": wire(answer.output)})],
                )
        return _outcome(asked.name, answer.ending, is_error=answer.is_error)


def _outcome(name: str, ending: str | None, *, is_error: bool) -> ToolOutcome:
    return ToolOutcome(
        name=name, ending=Ending(ending) if ending else Ending.NONE, is_error=is_error
    )


def wire(output: str) -> dict[str, Any]:
    """A result as viewers get it: an object, or `{value}` where it is none."""
    output = clean(output)
    if len(output) > STREAMED_CHARACTERS:
        return {"value": output[:STREAMED_CHARACTERS], "truncated": True}
    try:
        value = json.loads(output)
    except ValueError:
        value = output
    return value if isinstance(value, dict) else {"value": value}
