"""What goes over the wire: casing, moments, money, and the shapes that every area shares.

Schemas extend `Camel` or `Snake` and are fully described by their types: `Moment` for datetimes,
`Money` for amounts, `Absent[X]` for what the contract calls optional. No serializer runs in Python
except for those three, so a page of rows is written by pydantic's core.
"""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Generic, Literal, TypeVar, get_args

from fastapi import Path
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    Strict,
    WithJsonSchema,
)
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from models.errors import ErrorCode
from models.ids import ULID_PATTERN
from models.rules.vocabulary import PrincipalType

T = TypeVar("T")


class Snake(BaseModel):
    """A schema in snake_case: unknown members are refused, Python names are the wire's."""

    model_config = ConfigDict(extra="forbid", from_attributes=True)


class Camel(BaseModel):
    """A schema in camelCase: unknown members are refused, names are turned by the generator."""

    model_config = ConfigDict(
        extra="forbid",
        from_attributes=True,
        alias_generator=to_camel,
        validate_by_alias=True,
        validate_by_name=True,
        serialize_by_alias=True,
    )


def moment(value: datetime) -> str:
    """Write a datetime as the contract does: UTC, milliseconds, a trailing Z."""
    # Cut by hand: isoformat(timespec=...) takes three times as long, and lists are full of these.
    text = value.astimezone(UTC).isoformat()
    return f"{text[:23]}Z" if value.microsecond else f"{text[:19]}.000Z"


def second(value: datetime) -> str:
    """Write a datetime as the clients area does: UTC, to the second, a trailing Z."""
    return f"{value.astimezone(UTC).isoformat()[:19]}Z"


def _in_utc(value: datetime) -> datetime:
    if value.tzinfo is None:
        return value.replace(tzinfo=UTC)
    try:
        return value.astimezone(UTC)
    except OverflowError as error:
        raise PydanticCustomError("moment_range", "In UTC it is out of range") from error


def _is_none(value: object) -> bool:
    return value is None


def _no_text(value: Any) -> Any:
    if isinstance(value, (str, bool)):
        raise PydanticCustomError("money_type", "Input should be a JSON number")
    return value


Moment = Annotated[
    datetime,
    AfterValidator(_in_utc),
    PlainSerializer(moment, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
"""A point in time; an offset is accepted on input, a missing one means UTC."""

Money = Annotated[
    Decimal,
    Field(max_digits=18, decimal_places=6),  # First, or it would be checked in Python.
    BeforeValidator(_no_text),
    PlainSerializer(float, return_type=float, when_used="json"),
    WithJsonSchema({"type": "number"}),
]
"""US dollars with at most six decimals: exact inside, a JSON number outside, never a string."""

Second = Annotated[
    datetime,
    AfterValidator(_in_utc),
    PlainSerializer(second, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
"""A point in time as the clients area writes it; an offset is accepted on input."""

Number = Annotated[
    Decimal,
    BeforeValidator(_no_text),
    PlainSerializer(float, return_type=float, when_used="json"),
    WithJsonSchema({"type": "number"}),
]
"""A finite number: exact inside, a JSON number outside, never a string."""

Absent = Annotated[T | None, Field(exclude_if=_is_none)]
"""A member that is left out of the JSON when there is no value: `x: Absent[str] = None`."""

Int = Annotated[int, Strict()]
"""A whole JSON number; neither "3" nor true is taken for one."""
Flag = Annotated[bool, Strict()]
"""A JSON boolean and nothing that looks like one."""

UlidPath = Annotated[str, Path(pattern=ULID_PATTERN, examples=["01JZ8Q4T7M3V6X9B2C5D8F0G1H"])]
"""An id in a path; one that is not well formed is answered like one that does not exist."""


class Ref(Camel):
    """Something by its id, with its name for people."""

    id: str
    name: str


class PrincipalRef(Camel):
    """A person or an agent by id, with the name for people."""

    id: str
    name: str
    type: PrincipalType


class Deleted(Camel):
    """The answer to a deletion."""

    deleted: Literal[True] = True


class Pagination(Camel):
    """Where a page ends; `nextCursor` is null on the last one."""

    limit: int
    next_cursor: str | None
    has_more: bool


def _with_example(schema: dict[str, Any], listed: type[BaseModel]) -> None:
    """Give a list the example of what it is a list of."""
    (item,) = get_args(listed.model_fields["data"].annotation)
    extra = getattr(item, "model_config", {}).get("json_schema_extra")
    if not isinstance(extra, dict):
        return
    example: dict[str, Any] = {"data": extra["examples"]}
    if "pagination" in listed.model_fields:
        example["pagination"] = {"limit": 25, "nextCursor": None, "hasMore": False}
    schema["examples"] = [example]


class Page(Camel, Generic[T]):
    """One page of a list."""

    model_config = ConfigDict(json_schema_extra=_with_example)

    data: list[T]
    pagination: Pagination


class Listed(Camel, Generic[T]):
    """A whole list, where the contract shows no pagination."""

    model_config = ConfigDict(json_schema_extra=_with_example)

    data: list[T]


class ProblemField(BaseModel):
    """One member that is wrong; the value is null where it may carry credentials."""

    location: str
    message: str
    value: Any = None


class Problem(BaseModel):
    """An error as application/problem+json (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str | None = None
    instance: str | None = None
    code: ErrorCode
    errors: list[ProblemField]
