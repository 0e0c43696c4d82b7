"""What steps need from the outside world, as protocols; adapters live beside, wired in workers."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """Words said by the model, or to it."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolUse:
    """The model asks for a tool call; `id` ties the result to it."""

    id: str
    name: str
    input: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolResult:
    """What a tool call gave; `output` is JSON text or plain text."""

    tool_use_id: str
    output: str
    is_error: bool = False


Block = Text | ToolUse | ToolResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message of a transcript: `role` is user or assistant; tool results travel as user."""

    role: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolSpec:
    """A tool as the model sees it; `input_schema` is a JSON Schema object."""

    name: str
    description: str
    input_schema: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Four raw counters as the vendor bills them; `input_tokens` excludes both cache counters."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_write_tokens: int = 0
    cache_read_tokens: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnRequest:
    """One turn to ask of a model. `facts` is what the prompt was rendered from (offline writer)."""

    model: str
    system: str
    messages: tuple[Message, ...]
    tools: tuple[ToolSpec, ...]
    max_output_tokens: int
    facts: Mapping[str, Any] = field(default_factory=dict)


class StopReason(StrEnum):
    """Why the model stopped."""

    END = "end"
    TOOL_USE = "tool_use"
    MAX_TOKENS = "max_tokens"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class TextDelta:
    """A piece of the answer as it arrives."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageSoFar:
    """The vendor's counters up to here, for a turn that may be cut off."""

    usage: Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnEnd:
    """The whole answer: the last thing a stream yields, exactly once."""

    blocks: tuple[Text | ToolUse, ...]
    stop_reason: StopReason
    usage: Usage


StreamPart = TextDelta | UsageSoFar | TurnEnd


class LlmBusy(Exception):
    """The vendor cannot answer now (429, 5xx, 529, time-out, cut stream): worth another try."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class LlmRefused(Exception):
    """The vendor will not answer this request, however often it is sent (4xx, no key)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One line of an adapter's health check: cli_installed, api_key_set or model_reachable."""

    name: str
    ok: bool
    detail: str | None = None


class Llm(Protocol):
    """A language model behind one adapter; adapters never retry, the workflow's policy does."""

    @property
    def name(self) -> str:
        """The adapter's name: claude, openai, ollama or offline."""
        ...

    def stream_turn(self, request: TurnRequest) -> AsyncIterator[StreamPart]:
        """Stream one turn; raises `LlmBusy` or `LlmRefused`, and nothing else on purpose."""
        ...

    async def check(self, model: str) -> Sequence[Check]:
        """Try the adapter for real; a failing check is a result, not an exception."""
        ...
