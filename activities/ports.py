"""What steps need from the outside world, as protocols; adapters live beside, wired in workers."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from pydantic import SecretStr

from models.rules.clients.billing import PaidInvoice


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


class VendorBusy(Exception):
    """A vendor cannot answer now (429, 5xx, time-out, no or half an answer): worth another try.

    Who is waited for by a request answers 502; a step is tried again by its workflow's policy.
    """

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True, kw_only=True)
class BillingCustomer:
    """A customer of a billing system; `currency` is what they are usually billed in."""

    id: str
    name: str | None
    email: str | None
    currency: str | None
    created: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """Which paid invoices are wanted: all of a customer, or what may have changed.

    Changed is what was paid, refunded or credited since `since`; invoices made before
    `created_since` are then looked at only where they were refunded or credited. `after` is where
    an earlier reading stopped.
    """

    since: datetime | None = None
    created_since: datetime | None = None
    after: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoicePage:
    """Some paid invoices; reading goes on after `last`."""

    invoices: tuple[PaidInvoice, ...]
    last: str | None


class BillingAccount(Protocol):
    """An account at a billing system, opened with its key.

    Every call raises `VendorBusy`, or `UpstreamFailed` for what will not be answered however often
    it is asked; adapters never retry.
    """

    async def verify(self) -> str | None:
        """Try whether the key may read all that is needed; answers the account's name, if told."""
        ...

    async def search_customers(self, q: str, limit: int) -> Sequence[BillingCustomer]:
        """Customers whose name or e-mail contains `q`, or whose id it is, newest first."""
        ...

    async def customer(self, customer_id: str) -> BillingCustomer | None:
        """The customer; None where there is none, or not any more."""
        ...

    def paid_invoices(self, customer_id: str, wanted: Unread) -> AsyncIterator[InvoicePage]:
        """Paid invoices with their refunds and credit notes, page by page."""
        ...


class Billing(Protocol):
    """A billing system."""

    def account(self, key: SecretStr) -> BillingAccount:
        """Open the account of this key; nothing is asked yet."""
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...
