"""The tool by which a reviewing agent says what it thinks of a colleague's draft."""

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import Field, StrictBool, StringConstraints, model_validator

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
from models.queries.agents import tools
from models.rules.roles import SUBMIT_REVIEW


class _Input(ToolInput):
    # Strict, because the run's end reads the call as it stands: "false" would be true there.
    agrees: StrictBool = Field(description="True when you would sign it as it is.")
    feedback: Annotated[str, StringConstraints(max_length=20_000)] = Field(
        description="What has to change, point by point; may be a line of praise when you agree."
    )

    @model_validator(mode="after")
    def _explain(self) -> Self:
        if not self.agrees and not self.feedback.strip():
            raise ValueError("feedback must say what has to change")
        return self


class SubmitReview:
    """Stores the verdict on the reviewing activity."""

    spec = spec(
        SUBMIT_REVIEW,
        "Hand in your verdict on the draft that you review. Your run ends with it.",
        _Input,
    )

    def __init__(self, database: Database) -> None:
        self._database = database

    async def call(self, context: ToolContext, input: Mapping[str, Any]) -> ToolAnswer:
        """Store the verdict; the run's end brings it to the author."""
        asked = read(_Input, input)
        async with self._database.tenant(context.tenant_id) as db:
            if not await tools.store_verdict(
                db, context.activity_id, agrees=asked.agrees, feedback=asked.feedback
            ):
                raise ToolRefused("This activity reviews nothing: hand in your work as text.")
        return answer({"message": "The verdict is stored. Your run ends here."}, Ending.VERDICT)
