"""One call of a model for a text: opened with a reservation, listened to, settled with its cost."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from activities.agents.deltas import counters_of
from activities.llm import sizing
from activities.llm.prices import price_of
from activities.ports import (
    Llm,
    LlmBusy,
    Message,
    StreamPart,
    Text,
    TextDelta,
    TurnEnd,
    TurnRequest,
    Usage,
    UsageSoFar,
)
from activities.prompts import client_texts as prompts
from models.contracts.client_texts import CallModel, TextKind
from models.db.database import Database
from models.db.rows import AnyRow
from models.errors import Unavailable, Unprocessable
from models.queries.agents import purse, turns_write
from models.queries.agents.purse import Reserved
from models.queries.people import text_drafts
from models.rules import money
from models.rules.money import Price
from models.rules.text import storable

_BYTES_PER_TOKEN: Final = 4
"""For estimates of what a vendor never told; the worst case counts one byte a token."""
_NOTED_EVERY_S: Final = 1.0
_OWN_MACHINES: Final = ("ollama", "offline")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenCall:
    """A call that may be made now; the first three name it."""

    run_id: str
    number: int
    attempt: int
    reserved_usd: Decimal
    adapter: str
    price: Price
    request: TurnRequest


async def opened(db: AsyncConnection, call: CallModel, *, max_output_tokens: int) -> OpenCall:
    """Book what was cut off, reserve the worst case, and leave the row that a crash would show.

    Raises:
        Unavailable: the month's limit leaves no room, or nobody knows what the model costs.
    """
    draft = await text_drafts.draft(db, call.run_id)
    if draft is None:
        raise Unavailable("The text was given up.")
    made = await text_drafts.calls(db, call.run_id)
    request = _request(draft, made, call.number, max_output_tokens)
    at = datetime.now(UTC)
    price = await _price(db, draft, at)
    tried = [row for row in made if row.number == call.number]
    for row in tried:
        if row.status == text_drafts.OPEN:
            await cut_off(db, row, price, request, at)
    worst = money.worst_case(
        price, prompt_bytes=sizing.prompt_bytes(request), max_output_tokens=max_output_tokens
    )
    reservation = await purse.reserve_of_month(
        db, tenant_id=call.tenant_id, amount=worst, at=at
    )  # fmt: skip
    if reservation.outcome is not Reserved.YES:
        limit = f"{reservation.limit:.2f}"
        raise Unavailable(f"The tenant's limit for this month, ${limit}, leaves no room for this.")
    opening = OpenCall(
        run_id=call.run_id,
        number=call.number,
        attempt=len(tried) + 1,
        reserved_usd=reservation.amount,
        adapter=draft.adapter,
        price=price,
        request=request,
    )
    await text_drafts.open_call(
        db,
        tenant_id=call.tenant_id,
        run_id=call.run_id,
        number=call.number,
        attempt=opening.attempt,
        reserved_usd=reservation.amount,
        reserved_month=reservation.month,
    )
    return opening


async def listen(llm: Llm, opening: OpenCall, note: "Notes") -> TurnEnd:
    """Hear the whole answer; what it uses is noted meanwhile, for the case that it is cut off."""
    async for part in llm.stream_turn(opening.request):
        if isinstance(part, TurnEnd):
            return part
        await note.take(part)
    raise LlmBusy("The answer ended without its end.")


@dataclass(slots=True, kw_only=True)
class Notes:
    """What a call has used up to here; written down every second and when the vendor tells."""

    database: Database
    tenant_id: str
    opening: OpenCall
    usage: Usage = field(default_factory=Usage)
    streamed: int = 0
    written_at: float = field(default_factory=time.monotonic)

    async def take(self, part: StreamPart) -> None:
        if isinstance(part, UsageSoFar):
            self.usage = part.usage
            await self.write()
        elif isinstance(part, TextDelta):
            self.streamed += len(part.text.encode(errors="replace"))
            if time.monotonic() - self.written_at > _NOTED_EVERY_S:
                await self.write()

    async def write(self) -> None:
        self.written_at = time.monotonic()
        async with self.database.tenant(self.tenant_id) as db:
            await text_drafts.note_usage(db, self.opening, counters_of(self.usage), self.streamed)


def words(end: TurnEnd) -> str:
    """The text of an answer, as it can be stored."""
    return storable("".join(block.text for block in end.blocks if isinstance(block, Text)))


async def settle(db: AsyncConnection, opening: OpenCall, end: TurnEnd) -> Decimal | None:
    """Keep the answer and book what it cost; None when another attempt took the call over."""
    counters = counters_of(end.usage)
    cost = money.cost(opening.price, **counters)
    settled = await text_drafts.settle(
        db,
        opening,
        status=text_drafts.SETTLED,
        counters=counters,
        price=opening.price,
        cost=cost,
        answer=words(end),
        at=datetime.now(UTC),
    )
    return cost if settled else None


async def cut_off_open(db: AsyncConnection, run_id: str) -> None:
    """Book every call of a text that never came to an end, and give its reservation back."""
    draft = await text_drafts.draft(db, run_id)
    if draft is None:
        return
    at = datetime.now(UTC)
    made = await text_drafts.calls(db, run_id)
    for row in made:
        if row.status == text_drafts.OPEN:
            request = _request(draft, made, row.number, 0)
            await cut_off(db, row, await _price(db, draft, at), request, at)


async def cut_off(
    db: AsyncConnection, row: AnyRow, price: Price, request: TurnRequest, at: datetime
) -> None:
    """Book a call that never ended with what it had used."""
    told = row.input_tokens or row.cache_read_tokens or row.cache_write_tokens
    guess = -(-sizing.prompt_bytes(request) // _BYTES_PER_TOKEN) if row.streamed_bytes else 0
    counters = {
        "input_tokens": row.input_tokens if told else guess,
        "output_tokens": max(row.output_tokens, -(-row.streamed_bytes // _BYTES_PER_TOKEN)),
        "cache_write_tokens": row.cache_write_tokens,
        "cache_read_tokens": row.cache_read_tokens,
    }
    await text_drafts.settle(
        db,
        row,
        status=text_drafts.CUT_OFF,
        counters=counters,
        price=price,
        cost=money.cost(price, **counters),
        answer=None,
        at=at,
    )


def _request(
    draft: AnyRow, made: Sequence[AnyRow], number: int, max_output_tokens: int
) -> TurnRequest:
    """The question, and what was answered before with what was wrong with it."""
    kind = TextKind(draft.kind)
    said = [("user", prompts.first_message(kind, draft.given, draft.today))]
    for row in made:
        if row.number < number and row.status == text_drafts.SETTLED:
            said.append(("assistant", row.answer or ""))
            said.append(("user", prompts.again_message(row.complaint or "")))
    return TurnRequest(
        model=draft.model,
        system=prompts.system_prompt(kind),
        messages=tuple(Message(role=role, blocks=(Text(text=text),)) for role, text in said),
        tools=(),
        max_output_tokens=max_output_tokens,
        facts={"client_text": kind.value, "given": draft.given},
    )


async def _price(db: AsyncConnection, draft: AnyRow, at: datetime) -> Price:
    if draft.adapter in _OWN_MACHINES:
        return price_of(draft.adapter, draft.model, at.date())
    try:
        known = await turns_write.known_prices(db, at.date())
        return money.price_on(known, draft.model, at.date())
    except Unprocessable as unknown:
        raise Unavailable(unknown.detail) from unknown
