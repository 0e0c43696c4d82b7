"""What bodies are made of: patches that tell absence from null, days, moments, amounts."""

import re
from datetime import MAXYEAR, MINYEAR, date, datetime
from typing import Annotated, Any, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    WithJsonSchema,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import PydanticCustomError, core_schema

from api.http.wire import Camel, Money, Number, Second, Snake

T = TypeVar("T")
_BEGINS_WITH_A_DAY = re.compile(r"^\d{4}-\d{2}-\d{2}", re.ASCII)
_DAY = re.compile(r"^\d{4}-\d{2}-\d{2}$", re.ASCII)


class _NotNull:
    """Takes null out of a nullable type, in validation and in the schema; the default stays."""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.no_info_before_validator_function(_refuse_null, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        written = handler(schema)
        branches = [branch for branch in written.pop("anyOf", []) if branch != {"type": "null"}]
        return {**written, **branches[0]} if len(branches) == 1 else {**written, "anyOf": branches}


def _refuse_null(value: Any) -> Any:
    if value is None:
        raise PydanticCustomError("not_null", "Leave the member out, or send a value")
    return value


def _written_as_day(value: Any) -> Any:
    if isinstance(value, str) and _DAY.match(value):
        return value
    raise PydanticCustomError("day", "Input should be a date, YYYY-MM-DD")


def _written_as_moment(value: Any) -> Any:
    if isinstance(value, str) and _BEGINS_WITH_A_DAY.match(value):
        return value
    raise PydanticCustomError("moment", "Input should be a point in time in ISO 8601")


def _to_the_second(value: datetime) -> datetime:
    # PostgreSQL answers in its own time zone, in which these would be outside of Python's time.
    if value.year in (MINYEAR, MAXYEAR):
        raise PydanticCustomError("moment_range", "It is out of range")
    return value.replace(microsecond=0)


def left_out() -> None:
    """The default of a member that may be left out; a factory keeps it out of the schema."""
    return None


Omissible = Annotated[T | None, _NotNull()]
"""A member that may be left out but not be null, with `Field(default_factory=left_out)`."""

Day = Annotated[date, BeforeValidator(_written_as_day)]
"""A calendar day; neither a moment nor a number is taken for one."""

At = Annotated[Second, BeforeValidator(_written_as_moment)]
"""A point in time that a caller names; a number is not taken for one."""

WholeSecond = Annotated[At, AfterValidator(_to_the_second)]
"""A point in time to be kept: as it is shown, so that what was read can be sent back unchanged."""

Positive = Annotated[Money, Field(gt=0), WithJsonSchema({"type": "number", "exclusiveMinimum": 0})]
"""An amount above nothing."""

Measure = Annotated[
    Number, Field(max_digits=118, decimal_places=100), WithJsonSchema({"type": "number"})
]
"""A value in a metric's own unit, under 10^18, so that a quotient of two is a JSON number too."""


class _Changes(BaseModel):
    """What is left out stays as it is, and something must be sent."""

    @model_validator(mode="after")
    def _is_not_empty(self) -> Self:
        if not self.model_fields_set:
            raise PydanticCustomError("empty_patch", "Send at least one member")
        return self

    def sends(self, name: str) -> bool:
        """Tell whether the caller sent this member, be it null."""
        return name in self.model_fields_set

    def sent(self) -> dict[str, Any]:
        """The members that the caller sent, by their Python names."""
        return {name: getattr(self, name) for name in self.model_fields_set}


class Patch(_Changes, Camel):
    """A PATCH body in camelCase: what is left out stays as it is, and something must be sent."""


class SnakePatch(_Changes, Snake):
    """A PATCH body in snake_case: what is left out stays as it is, and something must be sent."""
