"""Claude through the Anthropic SDK: raw stream events in, stream parts out, one call a turn."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

import anthropic
import httpx2
from anthropic.types import Message as VendorMessage
from anthropic.types import MessageDeltaUsage, RawMessageStreamEvent
from anthropic.types import Usage as VendorUsage

from activities.llm import claude_requests as requests
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

BASE_URL = "https://api.anthropic.com"
NO_KEY = "Claude has no key: set THROUGHLINE_ANTHROPIC_API_KEY to use it."
# Of silence, not of the whole turn: the vendor pings while a model thinks.
TIMEOUT_SECONDS = 120.0
_CHECK_SECONDS = 10.0

_STOP_REASONS: Final[Mapping[str, StopReason]] = {
    "tool_use": StopReason.TOOL_USE,
    "max_tokens": StopReason.MAX_TOKENS,
    "model_context_window_exceeded": StopReason.MAX_TOKENS,
    "refusal": StopReason.REFUSED,
}
# An error inside a stream arrives after a status of 200; its type says what it would have been.
_STATUS_OF_TYPE: Final[Mapping[str, int]] = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}


class ClaudeLlm:
    """Claude behind the `Llm` protocol; without a key it refuses every turn."""

    def __init__(
        self,
        api_key: str | None,
        *,
        base_url: str | None = None,
        timeout: float = TIMEOUT_SECONDS,
    ) -> None:
        self._sdk = _sdk(api_key, base_url or BASE_URL, timeout) if api_key else None

    @property
    def name(self) -> str:
        """The adapter's name."""
        return "claude"

    async def stream_turn(self, request: TurnRequest) -> AsyncIterator[StreamPart]:
        """Stream one turn; counters come with the first event, so that a cut turn can be billed.

        A tool input that is not a JSON object becomes `{"_malformed": "<raw>"}`.
        """
        if self._sdk is None:
            raise LlmRefused(NO_KEY)
        answer = _Answer()
        async with _translated_errors():
            async with await self._sdk.messages.create(
                model=request.model,
                max_tokens=request.max_output_tokens,
                system=requests.system(request),
                messages=requests.messages(request),
                tools=requests.tools(request),
                thinking=requests.thinking(request.model),
                stream=True,
            ) as events:
                async for event in events:
                    if (part := answer.take(event)) is not None:
                        yield part
        yield answer.end()

    async def check(self, model: str) -> Sequence[Check]:
        """Look the model up with the key: proves key, network and model, and costs nothing."""
        if self._sdk is None:
            return (
                Check(name="api_key_set", ok=False, detail=NO_KEY),
                Check(name="model_reachable", ok=False, detail="Not tried without a key."),
            )
        return (Check(name="api_key_set", ok=True), await self._reach(self._sdk, model))

    async def close(self) -> None:
        """Close the connections to the vendor."""
        if self._sdk is not None:
            await self._sdk.close()

    async def _reach(self, sdk: anthropic.AsyncAnthropic, model: str) -> Check:
        try:
            async with _translated_errors():
                found = await sdk.models.retrieve(model, timeout=_CHECK_SECONDS)
        except (LlmBusy, LlmRefused) as error:
            return Check(name="model_reachable", ok=False, detail=str(error))
        return Check(name="model_reachable", ok=True, detail=found.id)


def _sdk(api_key: str, base_url: str, timeout: float) -> anthropic.AsyncAnthropic:
    return anthropic.AsyncAnthropic(
        api_key=api_key,
        base_url=base_url,
        timeout=anthropic.Timeout(timeout, connect=min(timeout, _CHECK_SECONDS)),
        max_retries=0,
    )


@asynccontextmanager
async def _translated_errors() -> AsyncIterator[None]:
    """Raise every failure as `LlmBusy` or `LlmRefused`, without its cause: causes are recorded."""
    try:
        yield
    except anthropic.APIStatusError as error:
        status = error.status_code
        if status < 400:
            # An error of an unknown type within a stream is a stream cut short.
            status = _STATUS_OF_TYPE.get(error.type or "", 500)
        message = error.api_message or error.message
        raise from_status("Claude", status, message, error.response.headers) from None
    except (anthropic.APIError, httpx2.HTTPError) as error:
        said = safe(str(error)) or type(error).__name__
        raise LlmBusy(f"Claude did not answer to the end: {said}") from None
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise LlmBusy("Claude's stream broke off in the middle of an event.") from None
    except anthropic.AnthropicError as error:
        raise LlmRefused(f"Claude cannot be called: {safe(str(error))}") from None


@dataclass(slots=True)
class _Answer:
    """The answer as it grows from one stream event to the next."""

    usage: Usage = field(default_factory=Usage)
    stop_reason: StopReason = StopReason.END
    ended: bool = False
    texts: dict[int, list[str]] = field(default_factory=dict)
    tools: dict[int, tuple[str, str]] = field(default_factory=dict)

    def take(self, event: RawMessageStreamEvent) -> StreamPart | None:
        """Take one event in; what it says to the reader, if anything, comes back."""
        match event.type:
            case "message_start":
                return self._start(event.message)
            case "content_block_start" if event.content_block.type == "tool_use":
                self.tools[event.index] = (event.content_block.id, event.content_block.name)
            case "content_block_delta" if event.delta.type == "text_delta":
                self.texts.setdefault(event.index, []).append(event.delta.text)
                return TextDelta(text=event.delta.text)
            case "content_block_delta" if event.delta.type == "input_json_delta":
                self.texts.setdefault(event.index, []).append(event.delta.partial_json)
            case "message_delta":
                self.stop_reason = _STOP_REASONS.get(event.delta.stop_reason or "", StopReason.END)
                self.usage = _counted(event.usage, self.usage)
                return UsageSoFar(usage=self.usage)
            case "message_stop":
                self.ended = True
        return None

    def end(self) -> TurnEnd:
        """Close the answer; one that never said it was over is a cut stream."""
        if not self.ended:
            raise LlmBusy("Claude's stream ended before the answer did.")
        indices = sorted(self.texts.keys() | self.tools.keys())
        blocks = (self._block(index) for index in indices)
        return TurnEnd(
            blocks=tuple(block for block in blocks if block is not None),
            stop_reason=self.stop_reason,
            usage=self.usage,
        )

    def _start(self, message: VendorMessage) -> UsageSoFar:
        self.usage = _counted(message.usage, self.usage)
        return UsageSoFar(usage=self.usage)

    def _block(self, index: int) -> Text | ToolUse | None:
        text = "".join(self.texts.get(index, ()))
        if index in self.tools:
            tool_id, name = self.tools[index]
            return ToolUse(id=tool_id, name=name, input=read_tool_input(text))
        return Text(text=text) if text else None


def _counted(seen: VendorUsage | MessageDeltaUsage, before: Usage) -> Usage:
    """Read the vendor's counters, which are totals; one it leaves out keeps its last value."""

    def latest(value: int | None, last: int) -> int:
        return last if value is None else value

    return Usage(
        input_tokens=latest(seen.input_tokens, before.input_tokens),
        output_tokens=latest(seen.output_tokens, before.output_tokens),
        cache_write_tokens=latest(seen.cache_creation_input_tokens, before.cache_write_tokens),
        cache_read_tokens=latest(seen.cache_read_input_tokens, before.cache_read_tokens),
    )
