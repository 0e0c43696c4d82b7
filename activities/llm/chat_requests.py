"""A turn request in the words of the chat-completions protocol."""

import json

from openai.types.chat import (
    ChatCompletionAssistantMessageParam,
    ChatCompletionFunctionToolParam,
    ChatCompletionMessageFunctionToolCallParam,
    ChatCompletionMessageParam,
    ChatCompletionToolMessageParam,
)

from activities.ports import Message, Text, ToolResult, ToolSpec, ToolUse, TurnRequest


def messages(request: TurnRequest) -> list[ChatCompletionMessageParam]:
    """Write system prompt and transcript; here every tool result is a message of its own."""
    written: list[ChatCompletionMessageParam] = []
    if request.system.strip():
        written.append({"role": "system", "content": request.system})
    for message in request.messages:
        written += _assistant(message) if message.role == "assistant" else _user(message)
    return written


def tools(request: TurnRequest) -> list[ChatCompletionFunctionToolParam]:
    """Write the tools as functions."""
    return [_tool(tool) for tool in request.tools]


def _tool(tool: ToolSpec) -> ChatCompletionFunctionToolParam:
    return {
        "type": "function",
        "function": {
            "name": tool.name,
            "description": tool.description,
            "parameters": dict(tool.input_schema),
        },
    }


def _user(message: Message) -> list[ChatCompletionMessageParam]:
    # The results answer the assistant's calls, so they come before any new words.
    results = [block for block in message.blocks if isinstance(block, ToolResult)]
    written: list[ChatCompletionMessageParam] = [_result(result) for result in results]
    if text := _text(message):
        written.append({"role": "user", "content": text})
    return written


def _result(result: ToolResult) -> ChatCompletionToolMessageParam:
    # The protocol has no flag for an error, so the words say it.
    output = f"ERROR: {result.output}" if result.is_error else result.output
    return {"role": "tool", "tool_call_id": result.tool_use_id, "content": output}


def _assistant(message: Message) -> list[ChatCompletionMessageParam]:
    calls = [_call(block) for block in message.blocks if isinstance(block, ToolUse)]
    text = _text(message)
    if not calls and not text:
        return []
    written = ChatCompletionAssistantMessageParam(role="assistant", content=text or None)
    if calls:
        written["tool_calls"] = calls
    return [written]


def _call(block: ToolUse) -> ChatCompletionMessageFunctionToolCallParam:
    return {
        "type": "function",
        "id": block.id,
        "function": {"name": block.name, "arguments": json.dumps(block.input)},
    }


def _text(message: Message) -> str:
    return "\n\n".join(block.text for block in message.blocks if isinstance(block, Text))
