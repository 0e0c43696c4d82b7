"""How large a request can be at most, counted before it is sent: what a reservation rests on."""

import json
from collections.abc import Mapping
from typing import Any

from activities.ports import Block, Message, Text, ToolResult, ToolSpec, ToolUse, TurnRequest

# Vendors wrap a prompt in tokens nobody sees: roles, separators and, when tools are offered, a
# system prompt of their own (about 350 to 550 tokens at Claude). The margins are well above those.
REQUEST_OVERHEAD = 64
TOOLS_OVERHEAD = 1024
MESSAGE_OVERHEAD = 32
BLOCK_OVERHEAD = 64
TOOL_OVERHEAD = 128


def prompt_bytes(request: TurnRequest) -> int:
    """Upper bound of the request's input in bytes, tool schemas and hidden tokens included.

    No tokenizer makes a token of less than one UTF-8 byte, so this bounds the input tokens too.
    """
    total = REQUEST_OVERHEAD + _utf8(request.system)
    total += sum(map(_message_bytes, request.messages))
    if request.tools:
        total += TOOLS_OVERHEAD + sum(map(_tool_bytes, request.tools))
    return total


def _message_bytes(message: Message) -> int:
    return MESSAGE_OVERHEAD + sum(BLOCK_OVERHEAD + _block_bytes(block) for block in message.blocks)


def _block_bytes(block: Block) -> int:
    match block:
        case Text(text=text):
            return _utf8(text)
        case ToolUse():
            return _utf8(block.id) + _utf8(block.name) + _json(block.input)
        case ToolResult():
            return _utf8(block.tool_use_id) + _utf8(block.output)


def _tool_bytes(tool: ToolSpec) -> int:
    texts = _utf8(tool.name) + _utf8(tool.description)
    return TOOL_OVERHEAD + texts + _json(tool.input_schema)


def _utf8(text: str) -> int:
    # A lone surrogate cannot be encoded; it is sent as a replacement character of three bytes.
    return len(text.encode("utf-8", "surrogatepass"))


def _json(value: Mapping[str, Any]) -> int:
    # Escaped to ASCII: the longest of the ways in which a vendor may write it into the prompt.
    return len(json.dumps(value, default=str))
