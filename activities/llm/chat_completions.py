"""The chat-completions protocol, which OpenAI and Ollama share: one streamed turn through it."""

import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

import openai
from openai import AsyncOpenAI, omit
from openai.types import CompletionUsage
from openai.types.chat import ChatCompletionChunk
from openai.types.chat.chat_completion_chunk import ChoiceDeltaToolCall

from activities.llm.chat_requests import messages, tools
from activities.llm.sizing import prompt_bytes
from activities.llm.tool_inputs import read_tool_input
from activities.llm.vendor_errors import from_status, safe
from activities.ports import (
    Check,
    LlmBusy,
    LlmRefused,
    StopReason,
    StreamPart,
    Text,
    TextDelta,
    ToolUse,
    TurnEnd,
    TurnRequest,
    Usage,
    UsageSoFar,
)

# Of silence, not of the whole turn: a reasoning model says nothing for minutes before it writes.
TIMEOUT_SECONDS = 300.0
CHECK_SECONDS = 10.0

_STOP_REASONS: Final[Mapping[str, StopReason]] = {
    "length": StopReason.MAX_TOKENS,
    "content_filter": StopReason.REFUSED,
}


def connect(api_key: str, base_url: str, timeout: float) -> AsyncOpenAI:
    """Build the SDK's client; retries are the workflow's business."""
    limits = openai.Timeout(timeout, connect=min(timeout, CHECK_SECONDS))
    return AsyncOpenAI(api_key=api_key, base_url=base_url, timeout=limits, max_retries=0)


async def stream_chat(
    sdk: AsyncOpenAI, request: TurnRequest, *, vendor: str, newer_limit: bool
) -> AsyncGenerator[StreamPart, None]:
    """Stream one turn. Counters come last in this protocol; a turn cut before has told none.

    A tool input that is not a JSON object becomes `{"_malformed": "<raw>"}`. `newer_limit` names
    the limit max_completion_tokens, which OpenAI's reasoning models want and others do not know.
    """
    answer = _Answer(vendor=vendor)
    limit = request.max_output_tokens
    async with translated_errors(vendor):
        async with await sdk.chat.completions.create(
            model=request.model,
            messages=messages(request),
            tools=tools(request) or omit,
            max_completion_tokens=limit if newer_limit else omit,
            max_tokens=omit if newer_limit else limit,
            stream=True,
            stream_options={"include_usage": True},
        ) as chunks:
            async for chunk in chunks:
                for part in answer.take(chunk):
                    yield part
    yield answer.end(request)


async def look_up(sdk: AsyncOpenAI, model: str, *, vendor: str) -> Check:
    """Look the model up with the key: proves key, network and model, and costs nothing."""
    try:
        async with translated_errors(vendor):
            found = await sdk.models.retrieve(model, timeout=CHECK_SECONDS)
    except (LlmBusy, LlmRefused) as error:
        return Check(name="model_reachable", ok=False, detail=str(error))
    return Check(name="model_reachable", ok=True, detail=found.id)


@asynccontextmanager
async def translated_errors(vendor: str) -> AsyncIterator[None]:
    """Raise every failure as `LlmBusy` or `LlmRefused`, without its cause: causes are recorded."""
    try:
        yield
    except openai.APIStatusError as error:
        status, headers = error.status_code, error.response.headers
        raise from_status(vendor, status, _said(error), headers) from None
    except openai.APIError as error:
        # Errors inside a stream come without a status; only these two kinds are final.
        if error.type in ("invalid_request_error", "authentication_error"):
            raise from_status(vendor, 400, _said(error), {}) from None
        raise LlmBusy(f"{vendor} did not answer to the end: {safe(_said(error))}") from None
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise LlmBusy(f"{vendor}'s stream broke off in the middle of an event.") from None
    except openai.OpenAIError as error:
        raise LlmRefused(f"{vendor} cannot be called: {safe(str(error))}") from None


def _said(error: openai.APIError) -> str:
    body = error.body if isinstance(error.body, dict) else {}
    return str(body.get("message") or error.message)


@dataclass(slots=True)
class _Call:
    """A tool call as it grows; the name and the id come whole, the arguments in pieces."""

    id: str = ""
    name: str = ""
    arguments: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Answer:
    """The answer as it grows from one chunk to the next."""

    vendor: str
    usage: Usage | None = None
    finish_reason: str | None = None
    refused: bool = False
    texts: list[str] = field(default_factory=list)
    calls: list[_Call] = field(default_factory=list)
    open_calls: dict[int, _Call] = field(default_factory=dict)

    def take(self, chunk: ChatCompletionChunk) -> list[StreamPart]:
        """Take one chunk in; what it says to the reader comes back."""
        said: list[StreamPart] = []
        for choice in chunk.choices or ():
            delta = choice.delta
            if delta and (text := delta.content or delta.refusal):
                self.refused = self.refused or bool(delta.refusal)
                self.texts.append(text)
                said.append(TextDelta(text=text))
            for piece in (delta and delta.tool_calls) or ():
                self._grow(piece)
            self.finish_reason = choice.finish_reason or self.finish_reason
        if chunk.usage is not None:
            self.usage = _counted(chunk.usage)
            said.append(UsageSoFar(usage=self.usage))
        return said

    def end(self, request: TurnRequest) -> TurnEnd:
        """Close the answer; one that never gave a reason for ending is a cut stream.

        A vendor that tells no counters is billed at the worst case, never at nothing.
        """
        if self.finish_reason is None:
            raise LlmBusy(f"{self.vendor}'s stream ended before the answer did.")
        blocks: list[Text | ToolUse] = [Text(text=text)] if (text := "".join(self.texts)) else []
        blocks += [
            # Ollama's older versions give calls no id; its place in the answer is as good.
            ToolUse(
                id=call.id or f"call_{len(request.messages)}_{place}",
                name=call.name,
                input=read_tool_input("".join(call.arguments)),
            )
            for place, call in enumerate(self.calls)
        ]
        return TurnEnd(
            blocks=tuple(blocks),
            stop_reason=self._stop_reason(),
            usage=self.usage or _unknown(request),
        )

    def _grow(self, piece: ChoiceDeltaToolCall) -> None:
        call = self.open_calls.get(piece.index)
        # Ollama gives every call of an answer the index 0: another id is another call.
        if call is None or (piece.id and call.id and piece.id != call.id):
            call = self.open_calls[piece.index] = _Call()
            self.calls.append(call)
        call.id = call.id or piece.id or ""
        if piece.function is not None:
            call.name = call.name or piece.function.name or ""
            call.arguments.append(piece.function.arguments or "")

    def _stop_reason(self) -> StopReason:
        if self.refused:
            return StopReason.REFUSED
        # Some models and Ollama end with "stop" although they ask for tools.
        whole = StopReason.TOOL_USE if self.calls else StopReason.END
        return _STOP_REASONS.get(self.finish_reason or "", whole)


def _counted(seen: CompletionUsage) -> Usage:
    """Split the prompt's total into what was read from cache, written to it, and the rest."""
    prompt = seen.prompt_tokens or 0
    details = seen.prompt_tokens_details
    read = min(prompt, (details and details.cached_tokens) or 0)
    written = min(prompt - read, (details and details.cache_write_tokens) or 0)
    return Usage(
        input_tokens=prompt - read - written,
        output_tokens=seen.completion_tokens or 0,
        cache_write_tokens=written,
        cache_read_tokens=read,
    )


def _unknown(request: TurnRequest) -> Usage:
    return Usage(input_tokens=prompt_bytes(request), output_tokens=request.max_output_tokens)
