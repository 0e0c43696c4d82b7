"""A turn request in Claude's own words, marked so that a growing transcript is read from cache.

Claude caches the prompt up to each marked block: tools, system prompt, then messages. We mark the
end of all three. The fourth and last mark a request may carry goes to where the turn before ended:
Claude looks only twenty blocks back from a mark, which a turn of many tool calls exceeds.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from anthropic import Omit, omit
from anthropic.types import (
    AssistantMessageParam,
    CacheControlEphemeralParam,
    MessageParam,
    TextBlockParam,
    ThinkingConfigParam,
    ToolParam,
    ToolResultBlockParam,
    ToolUseBlockParam,
    UserMessageParam,
)

from activities.ports import Block, Message, Text, ToolResult, ToolUse, TurnRequest

_BlockParam = TextBlockParam | ToolUseBlockParam | ToolResultBlockParam

_CACHED: Final[CacheControlEphemeralParam] = {"type": "ephemeral"}
_MARKED_MESSAGES = 2

# These models think unless told otherwise. Thinking counts against max_tokens and its blocks are
# not kept in transcripts, so it is turned off where the model allows it. Others get no word.
_THINKING: Final[Mapping[str, ThinkingConfigParam]] = {
    "claude-haiku-5-5": {"type": "disabled"},
    "claude-opus-5": {"type": "disabled"},
    "claude-sonnet-5": {"type": "disabled"},
    "claude-sonnet-5-5": {"type": "between_tools"},
}


def system(request: TurnRequest) -> list[TextBlockParam] | Omit:
    """Write the system prompt as one cached block."""
    if not request.system.strip():
        return omit
    return [{"type": "text", "text": request.system, "cache_control": _CACHED}]


def tools(request: TurnRequest) -> list[ToolParam] | Omit:
    """Write the tools; the mark on the last one covers them all."""
    written = [
        ToolParam(
            name=tool.name, description=tool.description, input_schema=dict(tool.input_schema)
        )
        for tool in request.tools
    ]
    if not written:
        return omit
    written[-1]["cache_control"] = _CACHED
    return written


def messages(request: TurnRequest) -> list[MessageParam]:
    """Write the transcript; the last two user messages carry the marks."""
    spoken = [(message.role, _blocks(message)) for message in request.messages]
    spoken = [(role, blocks) for role, blocks in spoken if blocks]
    users = [index for index, (role, _) in enumerate(spoken) if role == "user"]
    for index in users[-_MARKED_MESSAGES:]:
        spoken[index][1][-1]["cache_control"] = _CACHED
    return [
        AssistantMessageParam(role="assistant", content=blocks)
        if role == "assistant"
        else UserMessageParam(role="user", content=blocks)
        for role, blocks in spoken
    ]


def thinking(model: str) -> ThinkingConfigParam | Omit:
    """Say how the model should think, for those that would think by themselves."""
    return _THINKING.get(model, omit)


def _blocks(message: Message) -> list[_BlockParam]:
    # Claude wants the results of tools before any other words of the same message.
    ordered: Iterable[Block] = sorted(
        message.blocks, key=lambda block: not isinstance(block, ToolResult)
    )
    return [param for block in ordered if (param := _block(block)) is not None]


def _block(block: Block) -> _BlockParam | None:
    match block:
        case Text(text=text):
            # Claude refuses blocks of nothing but white space.
            return {"type": "text", "text": text} if text.strip() else None
        case ToolUse():
            return {
                "type": "tool_use",
                "id": block.id,
                "name": block.name,
                "input": dict(block.input),
            }
        case ToolResult():
            return {
                "type": "tool_result",
                "tool_use_id": block.tool_use_id,
                "content": block.output,
                "is_error": block.is_error,
            }
