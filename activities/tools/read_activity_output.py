"""The tool by which an agent reads what another activity of its campaign made."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from activities.tools.ports import (
    ToolAnswer,
    ToolContext,
    ToolInput,
    ToolRefused,
    answer,
    read,
    spec,
)
from models.db.database import Database
from models.ids import is_id
from models.queries.agents import tools
from models.rules.roles import READ_ACTIVITY_OUTPUT

PAGE = 20_000


class _Input(ToolInput):
    activity_id: str = Field(description="The id of an activity of this campaign.")
    offset: int = Field(
        0, ge=0, le=10_000_000, description="From which character on; nextOffset of the last page."
    )


class ReadActivityOutput:
    """Reads the newest output, a page at a time."""

    spec = spec(
        READ_ACTIVITY_OUTPUT,
        "Read the newest output of another activity of this campaign, 20,000 characters at a time.",
        _Input,
    )

    def __init__(self, database: Database) -> None:
        self._database = database

    async def call(self, context: ToolContext, input: Mapping[str, Any]) -> ToolAnswer:
        """Answer a page, with the offset of the next one where there is more."""
        asked = read(_Input, input)
        if not is_id(asked.activity_id):
            raise ToolRefused("activityId: there is no such activity in this campaign.")
        async with self._database.tenant(context.tenant_id) as db:
            found = await tools.output_page(
                db, context.campaign_id, asked.activity_id, offset=asked.offset, length=PAGE
            )
        if found is None:
            raise ToolRefused("activityId: there is no such activity in this campaign.")
        if found.text is None:
            raise ToolRefused(f"The activity has no output yet; it is {found.status}.")
        end = asked.offset + len(found.text)
        return answer(
            {
                "activityId": asked.activity_id,
                "title": found.title,
                "type": found.type,
                "status": found.status,
                "format": found.format,
                "text": found.text,
                "totalCharacters": found.total,
                "nextOffset": end if end < found.total else None,
            }
        )
