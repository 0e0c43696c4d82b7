"""The two vendors' wire protocols as servers speak them: a reply in, server-sent events out."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from workers.wire_script import Counters, Reply, ToolCall

_PIECE = 24
_CREATED = 1_760_000_000
_ERROR_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    529: "overloaded_error",
}


@dataclass(frozen=True, slots=True)
class Frame:
    """One server-sent event; a `delta` is one that carries a piece of the answer."""

    data: bytes
    delta: bool = False


def pieces(text: str) -> Iterator[str]:
    """Cut text into words that together are the text."""
    words = text.split(" ")
    yield from (f" {word}" if place else word for place, word in enumerate(words) if text)


def written(tool: ToolCall) -> str:
    """Write a tool's input as the model would; one given as text stays as it is."""
    return tool.input if isinstance(tool.input, str) else json.dumps(tool.input)


# --- Anthropic: POST /v1/messages ---------------------------------------------------------------


def anthropic_frames(reply: Reply, counters: Counters, model: str, call_id: str) -> Iterator[Frame]:
    """Write the reply as Anthropic streams it: start, blocks, counters, stop."""
    usage = {
        "input_tokens": counters.input_tokens,
        "cache_creation_input_tokens": counters.cache_write_tokens,
        "cache_read_input_tokens": counters.cache_read_tokens,
    }
    message: dict[str, Any] = {
        "id": f"msg_{call_id}",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {**usage, "output_tokens": 1},
    }
    yield _event("message_start", message=message)
    yield _event("ping")
    yield from _anthropic_blocks(reply, call_id)
    stop = reply.stop or ("tool_use" if reply.tools else "end_turn")
    total = {**usage, "output_tokens": counters.output_tokens}
    yield _event("message_delta", delta={"stop_reason": stop, "stop_sequence": None}, usage=total)
    yield _event("message_stop")


def anthropic_error(status: int, message: str) -> dict[str, Any]:
    """Write an error as Anthropic answers it, and as it sends it within a stream."""
    kind = _ERROR_TYPES.get(status, "api_error" if status >= 500 else "invalid_request_error")
    return {"type": "error", "error": {"type": kind, "message": message}}


def anthropic_error_frame(message: str) -> Frame:
    """Write an overload that befalls a stream half-way."""
    return _event("error", error=anthropic_error(529, message)["error"])


def _anthropic_blocks(reply: Reply, call_id: str) -> Iterator[Frame]:
    index = 0
    if reply.text:
        yield from _block(
            index,
            {"type": "text", "text": ""},
            ({"type": "text_delta", "text": piece} for piece in pieces(reply.text)),
        )
        index += 1
    for place, tool in enumerate(reply.tools, index):
        yield from _block(
            place,
            {
                "type": "tool_use",
                "id": f"toolu_{call_id}_{place}",
                "name": tool.name,
                "input": {},
            },
            ({"type": "input_json_delta", "partial_json": cut} for cut in _cuts(written(tool))),
        )


def _block(
    index: int, start: Mapping[str, Any], deltas: Iterator[Mapping[str, Any]]
) -> Iterator[Frame]:
    yield _event("content_block_start", index=index, content_block=start)
    for delta in deltas:
        frame = _event("content_block_delta", index=index, delta=delta)
        yield Frame(frame.data, delta=True)
    yield _event("content_block_stop", index=index)


def _event(kind: str, **members: Any) -> Frame:
    body = json.dumps({"type": kind, **members})
    return Frame(f"event: {kind}\ndata: {body}\n\n".encode())


def _cuts(text: str) -> Iterator[str]:
    yield from (text[start : start + _PIECE] for start in range(0, len(text), _PIECE))


# --- OpenAI: POST /v1/chat/completions ----------------------------------------------------------


def openai_frames(reply: Reply, counters: Counters, model: str, call_id: str) -> Iterator[Frame]:
    """Write the reply as OpenAI streams it: deltas, a finish reason, counters, [DONE]."""
    head = {
        "id": f"chatcmpl-{call_id}",
        "object": "chat.completion.chunk",
        "created": _CREATED,
        "model": model,
    }
    yield _chunk(head, {"role": "assistant", "content": ""})
    for piece in pieces(reply.text):
        said = "refusal" if reply.stop == "refusal" else "content"
        yield _chunk(head, {said: piece}, delta=True)
    yield from _openai_calls(reply, head, call_id)
    yield _chunk(head, {}, finish_reason=_finish_reason(reply))
    if reply.tells_counters:
        yield _data({**head, "choices": [], "usage": _openai_usage(counters)})
    yield Frame(b"data: [DONE]\n\n")


def openai_error(status: int, message: str) -> dict[str, Any]:
    """Write an error as OpenAI answers it."""
    kind = _ERROR_TYPES.get(status, "server_error")
    return {"error": {"message": message, "type": kind, "param": None, "code": None}}


def openai_error_frame(message: str) -> Frame:
    """Write an error that befalls a stream half-way."""
    return _data(openai_error(500, message))


def _openai_calls(reply: Reply, head: Mapping[str, Any], call_id: str) -> Iterator[Frame]:
    for place, tool in enumerate(reply.tools):
        index = 0 if reply.reuses_tool_index else place
        start = {
            "index": index,
            "id": f"call_{call_id}_{place}",
            "type": "function",
            "function": {"name": tool.name, "arguments": ""},
        }
        yield _chunk(head, {"tool_calls": [start]})
        for cut in _cuts(written(tool)):
            more = {"index": index, "function": {"arguments": cut}}
            yield _chunk(head, {"tool_calls": [more]}, delta=True)


def _finish_reason(reply: Reply) -> str:
    if reply.stop == "max_tokens":
        return "length"
    # What reuses the index is Ollama, which also says "stop" when it asks for tools.
    return "tool_calls" if reply.tools and not reply.reuses_tool_index else "stop"


def _openai_usage(counters: Counters) -> dict[str, Any]:
    # OpenAI counts no writes to its cache; what was written is plain prompt.
    prompt = counters.input_tokens + counters.cache_write_tokens + counters.cache_read_tokens
    return {
        "prompt_tokens": prompt,
        "completion_tokens": counters.output_tokens,
        "total_tokens": prompt + counters.output_tokens,
        "prompt_tokens_details": {"cached_tokens": counters.cache_read_tokens},
    }


def _chunk(
    head: Mapping[str, Any],
    said: Mapping[str, Any],
    *,
    finish_reason: str | None = None,
    delta: bool = False,
) -> Frame:
    choice = {"index": 0, "delta": said, "finish_reason": finish_reason}
    return Frame(_data({**head, "choices": [choice], "usage": None}).data, delta=delta)


def _data(body: Mapping[str, Any]) -> Frame:
    return Frame(f"data: {json.dumps(body)}\n\n".encode())
