"""Writing rows straight to JSON, for lists that are read all the time.

A schema's instances are made to be checked, and rows of our own tables need no check. `writer`
reads from a schema how each member is called and converted, once, and then turns rows into JSON as
the schema would have, at a fraction of the cost.
"""

from collections.abc import Callable
from operator import attrgetter
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, PlainSerializer
from pydantic.fields import FieldInfo

Writer = Callable[[Any], dict[str, Any]]
_Convert = Callable[[Any], Any]


def writer(schema: type[BaseModel], **others: _Convert) -> Writer:
    """A function from a row with the schema's attributes to what goes over the wire.

    `others` are the members that no attribute of the row is called like, or that are schemas
    themselves: how each is made from a row, as it shall stand in the JSON.
    """
    members = [
        _member(name, field, others.get(name)) for name, field in schema.model_fields.items()
    ]

    def write(row: Any) -> dict[str, Any]:
        written: dict[str, Any] = {}
        for read, alias, convert, is_absent in members:
            value = read(row)
            if value is None:
                if not is_absent:
                    written[alias] = None
            else:
                written[alias] = value if convert is None else convert(value)
        return written

    return write


def _member(
    name: str, field: FieldInfo, read: _Convert | None
) -> tuple[_Convert, str, _Convert | None, bool]:
    alias = field.serialization_alias or field.alias or name
    is_absent = field.exclude_if is not None
    if read is not None:
        return read, alias, None, is_absent
    convert = next((c for m in field.metadata if (c := _of_metadata(m))), None)
    return attrgetter(name), alias, convert or _of_type(field.annotation), is_absent


def _of_metadata(metadata: Any) -> _Convert | None:
    return metadata.func if isinstance(metadata, PlainSerializer) else None  # type: ignore[return-value]


def _of_type(annotation: Any) -> _Convert | None:
    """How a type is converted, looking through `Annotated` and `| None`."""
    origin = get_origin(annotation)
    if origin is Annotated:
        inner, *metadata = get_args(annotation)
        return next((c for m in metadata if (c := _of_metadata(m))), None) or _of_type(inner)
    if origin in (Union, UnionType):
        return next((c for part in get_args(annotation) if (c := _of_type(part))), None)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        raise TypeError(f"{annotation.__name__} inside a flat row")
    return None
