"""What a model wrote as the input of a tool call, read without ever failing."""

import json
from collections.abc import Mapping
from typing import Any

MALFORMED = "_malformed"
_LONGEST = 2000


def read_tool_input(raw: str) -> Mapping[str, Any]:
    """Read the JSON object a model wrote; no text at all means no arguments.

    Whatever is not a JSON object becomes `{"_malformed": "<raw>"}`, cut to 2,000 characters, so
    that the tool answers with an error the model can mend instead of the turn being lost.
    """
    if not raw.strip():
        return {}
    try:
        value = json.loads(raw)
    except ValueError:
        value = None
    if isinstance(value, dict):
        return value
    return {MALFORMED: raw[:_LONGEST]}
