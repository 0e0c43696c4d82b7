"""How values become payloads: pydantic's JSON, with what it learns of a type kept by the process.

Each workflow run gets a converter of its own, and pydantic needs longer to learn a type than to
read many values of it.
"""

from functools import cache
from typing import Any

from pydantic import TypeAdapter
from temporalio.api.common.v1 import Payload
from temporalio.contrib.pydantic import PydanticJSONPlainPayloadConverter
from temporalio.converter import (
    CompositePayloadConverter,
    DefaultPayloadConverter,
    JSONPlainPayloadConverter,
)


@cache
def _adapter(hint: Any) -> TypeAdapter[Any]:
    return TypeAdapter(hint)


class _Json(PydanticJSONPlainPayloadConverter):
    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:
        return _adapter(Any if type_hint is None else type_hint).validate_json(payload.data)


class PydanticConverter(CompositePayloadConverter):
    """The default converters, with pydantic's in place of plain JSON."""

    def __init__(self) -> None:
        super().__init__(
            *(
                _Json() if isinstance(usual, JSONPlainPayloadConverter) else usual
                for usual in DefaultPayloadConverter.default_encoding_payload_converters
            )
        )
