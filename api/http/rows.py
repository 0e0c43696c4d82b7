"""Writing rows straight to JSON, for lists that are read all the time.

A schema's instances are made to be checked, and rows of our own tables need no check. `writer`
reads from a schema how each member is called and converted, once, and then turns rows into JSON as
the schema would have, at a fraction of the cost. Schemas with other schemas inside are not for it.
"""

from collections.abc import Callable
from functools import cache
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, PlainSerializer
from pydantic.fields import FieldInfo

_Convert = Callable[[Any], Any]


@cache
def writer(schema: type[BaseModel]) -> Callable[[Any], dict[str, Any]]:
    """A function from a row with the schema's attributes to what goes over the wire."""
    members = [_member(name, field) for name, field in schema.model_fields.items()]

    def write(row: Any) -> dict[str, Any]:
        written: dict[str, Any] = {}
        for name, alias, convert, is_absent in members:
            value = getattr(row, name)
            if value is None:
                if not is_absent:
                    written[alias] = None
            else:
                written[alias] = value if convert is None else convert(value)
        return written

    return write


def _member(name: str, field: FieldInfo) -> tuple[str, str, _Convert | None, bool]:
    alias = field.serialization_alias or field.alias or name
    convert = next((c for m in field.metadata if (c := _of_metadata(m))), None)
    return name, alias, convert or _of_type(field.annotation), field.exclude_if is not None


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
