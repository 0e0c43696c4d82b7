"""How the OpenAPI document describes one event of a stream."""

from typing import Any


def event_schema(*names: str) -> dict[str, Any]:
    """The schema of an event with one of these names; its data is one line of JSON."""
    return {
        "type": "object",
        "properties": {
            "id": {"type": "string", "description": "For Last-Event-ID."},
            "event": {"type": "string", "enum": [str(name) for name in names]},
            "data": {"type": "string", "contentMediaType": "application/json"},
        },
        "required": ["event", "data"],
    }
