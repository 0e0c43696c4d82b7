"""The tool by which an agent asks a person for a decision."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from activities.tools.ports import ToolAnswer, ToolContext, ToolInput, answer, read, spec
from models.contracts.agent_activities import Ending
from models.rules.roles import REQUEST_APPROVAL

# What policy asks for by itself, the budget, is not an agent's to ask.
_Type = Literal[
    "content_review", "content_direction", "brand_direction", "strategy_change", "channel_action"
]
_Option = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"\S")]


class _Input(ToolInput):
    type: _Type
    risk_level: Literal["low", "medium", "high"]
    title: Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"\S")] = Field(
        description="The question, in one line."
    )
    description: Annotated[str, StringConstraints(max_length=10_000)] | None = Field(
        None, description="All that a person must know to decide without asking back."
    )
    options: list[_Option] | None = Field(
        None, min_length=2, max_length=8, description="The answers to choose from, all different."
    )

    @model_validator(mode="after")
    def _differ(self) -> Self:
        if self.options and len({option.strip() for option in self.options}) < len(self.options):
            raise ValueError("the options must all be different")
        return self


class RequestApproval:
    """Ends the run in a question; the run's end makes the approval, from the call as it stands."""

    spec = spec(
        REQUEST_APPROVAL,
        "Ask a person for a decision. The run ends; you go on when they have decided. With options "
        "the person approves one of them. A draft that you write as text in the same message is "
        "kept and shown with the question.",
        _Input,
    )

    async def call(self, context: ToolContext, input: Mapping[str, Any]) -> ToolAnswer:
        """Check the question and say what happens next."""
        read(_Input, input)
        said = "The question is asked. Your run ends here; you will be told the decision."
        return answer({"message": said}, Ending.APPROVAL)
