"""What a tool is, what it is told of the call, and how it answers."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator
from pydantic.alias_generators import to_camel

from activities.ports import ToolSpec
from models.contracts.agent_activities import Ending
from models.rules.text import is_storable
from models.rules.vocabulary import ActivityType


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolContext:
    """Whose call it is; `call_id` is the same when a step runs again after a crash."""

    tenant_id: str
    campaign_id: str
    activity_id: str
    run_id: str
    call_id: str
    role: str
    activity_type: ActivityType
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolAnswer:
    """What the model is answered (JSON text), and what the call does to the run."""

    output: str
    is_error: bool = False
    ending: Ending = Ending.NONE


class Tool(Protocol):
    """Something that agents may call. A repeated call with the same id does nothing twice."""

    @property
    def spec(self) -> ToolSpec:
        """The tool as the model sees it."""
        ...

    async def call(self, context: ToolContext, input: Mapping[str, Any]) -> ToolAnswer:
        """Carry out the call.

        Raises:
            ToolRefused: for what the model can mend; anything else is an accident, and retried.
        """
        ...


class ToolRefused(Exception):
    """The call cannot be carried out as it is; `problems` say why, in words to act on."""

    def __init__(self, *problems: str) -> None:
        super().__init__(" ".join(problems))
        self.problems = problems


class ToolInput(BaseModel):
    """What a model may send: camelCase, and no field that the tool does not know."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel, frozen=True)

    @field_validator("*")
    @classmethod
    def _check_storable(cls, value: Any) -> Any:
        texts = value if isinstance(value, list) else [value]
        if not all(is_storable(text) for text in texts if isinstance(text, str)):
            raise ValueError("has characters that are no text, such as null bytes")
        return value


I = TypeVar("I", bound=ToolInput)  # noqa: E741 - I for input


def read(kind: type[I], input: Mapping[str, Any]) -> I:
    """Read a call's input; everything that is wrong with it is named."""
    try:
        return kind.model_validate(input)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        problems = [f"{_place(one['loc'])}: {_said(one['msg'])}." for one in found]
        raise ToolRefused(*problems) from error


def _place(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location)[:100] or "input"


def _said(message: str) -> str:
    return message.removeprefix("Value error, ")


def spec(name: str, description: str, kind: type[ToolInput]) -> ToolSpec:
    """Describe a tool whose input is `kind`."""
    schema = kind.model_json_schema(by_alias=True)
    schema.pop("title", None)
    for described in schema.get("properties", {}).values():
        described.pop("title", None)
    return ToolSpec(name=name, description=description, input_schema=schema)


def answer(content: Mapping[str, Any], ending: Ending = Ending.NONE) -> ToolAnswer:
    """Answer a call that was carried out."""
    return ToolAnswer(output=json.dumps(content, ensure_ascii=False), ending=ending)


def refusal(*problems: str) -> ToolAnswer:
    """Answer a call that was not."""
    output = json.dumps({"error": " ".join(problems), "problems": list(problems)})
    return ToolAnswer(output=output, is_error=True)
