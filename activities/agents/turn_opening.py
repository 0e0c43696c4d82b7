"""Before the model is asked: what was cut off is booked, the checkpoint passed, money reserved."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from activities.agents.deltas import counters_of
from activities.agents.transcripts import messages_of, tool_results
from activities.llm import sizing
from activities.ports import StopReason, TurnRequest, Usage
from activities.prompts import render
from activities.tools.registry import Toolbox
from models.contracts.agent_activities import TakeTurn, Turn, TurnOutcome
from models.db.database import at_once
from models.db.rows import AnyRow
from models.queries.agents import prompt_facts, purse, runs_write, stream, turns_write
from models.queries.agents.purse import Reservation, Reserved
from models.rules import money
from models.rules.money import Price
from models.rules.vocabulary import (
    ActivityType,
    CampaignStatus,
    CommentType,
    RunError,
    WakeReason,
)

PLAN_TRIES = 3
TURN_TRIES = 30
"""Attempts at one turn, dead workers included: one that kills each worker must end some time."""
_BYTES_PER_TOKEN = 4
"""For estimates of what a vendor never told; the worst case counts one byte a token."""

GO_ON = "Go on exactly where you stopped."
_NUDGES = {
    ActivityType.CAMPAIGN_PLANNING: "Hand the plan in with the tool submit_plan.",
    ActivityType.REVIEW: "Hand your verdict in with the tool submit_review.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenTurn:
    """A turn that may be asked now."""

    run: AnyRow
    attempt: int
    request: TurnRequest
    price: Price
    reservation: Reservation
    next_seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Added:
    """Messages that a transcript gets before its next turn, and the notes that are in them."""

    messages: list[list[dict[str, Any]]]
    note_ids: list[str]


class TurnOpening:
    """Decides in one transaction whether a turn may be asked, and with what."""

    def __init__(self, toolbox: Toolbox, max_output_tokens: int) -> None:
        self._toolbox = toolbox
        self._max_output_tokens = max_output_tokens

    async def open(
        self, db: AsyncConnection, take: TakeTurn, prices: Mapping[str, Price]
    ) -> OpenTurn | Turn:
        """Open the turn, or answer what already came of it or stands against it."""
        run = await turns_write.opening_state(db, take.run_id, take.number)
        tried = await turns_write.attempts(db, run.id, take.number) if run.tried else ()
        if tried and tried[-1].status == turns_write.SETTLED:
            calls = await runs_write.tool_calls(db, run.id, take.number)
            return outcome_of(run, tried[-1].stop_reason, [call.id for call in calls])
        added = await _missing(db, run, take)
        request = self._request(run, added)
        price = prices[run.model]
        for row in tried:
            if row.status == turns_write.OPEN:
                await cut_off(db, run, row, price, request, datetime.now(UTC))
        held = checkpoint(run)
        if held is not None:
            return Turn(outcome=TurnOutcome.HELD, held_by=held)
        if run.refused_plans >= PLAN_TRIES:
            return _error(RunError.MODEL_ERROR, f"No valid plan after {PLAN_TRIES} tries.")
        if len(tried) >= TURN_TRIES:
            return _error(RunError.INTERNAL_ERROR, f"Cut off {TURN_TRIES} times.")
        reservation = await _reserve(db, run, take, request, price)
        if reservation.outcome is not Reserved.YES:
            return _refused(reservation)
        next_seq = run.transcript[-1]["seq"] + 1
        async with at_once(db):
            await _store(db, run, added, next_seq)
            await turns_write.open_attempt(
                db,
                {
                    "tenant_id": run.tenant_id,
                    "run_id": run.id,
                    "number": take.number,
                    "attempt": len(tried) + 1,
                    "activity_id": run.activity_id,
                    "model": run.model,
                    "reserved_usd": reservation.amount,
                    "beyond_cap": reservation.beyond_cap,
                    "reserved_month": reservation.month,
                },
            )
        return OpenTurn(
            run=run,
            attempt=len(tried) + 1,
            request=request,
            price=price,
            reservation=reservation,
            next_seq=next_seq + len(added.messages),
        )

    def _request(self, run: AnyRow, added: _Added) -> TurnRequest:
        return TurnRequest(
            model=run.model,
            system=run.system_prompt,
            messages=messages_of(run.transcript, added.messages),
            tools=self._toolbox.offered(
                ActivityType(run.activity_type),
                tuple(run.config["tools"]),
                run.reviews_id is not None,
            ),
            max_output_tokens=self._max_output_tokens,
            facts=run.facts,
        )


async def _missing(db: AsyncConnection, run: AnyRow, take: TakeTurn) -> _Added:
    """What the transcript lacks: answers of tools, what a stopped answer needs, people's notes."""
    texts: list[str] = []
    note_ids: list[str] = []
    last = run.transcript[-1]
    results = tool_results(last, run.given)
    if not results and last["role"] == "assistant":
        before = await turns_write.attempts(db, run.id, take.number - 1)
        cut = bool(before) and before[-1].stop_reason == StopReason.MAX_TOKENS
        nudge = _NUDGES.get(ActivityType(run.activity_type), GO_ON)
        texts.append(GO_ON if cut else nudge)
    if run.has_notes:
        kinds = [CommentType.INTERVENTION_NOTE]
        notes = await prompt_facts.unread_comments(db, run.activity_id, kinds=kinds)
        note_ids = [note.id for note in notes]
        texts.append(render.intervention_message([note.text for note in notes]))
    said = [[{"kind": "text", "text": text}] for text in texts]
    return _Added(messages=[results, *said] if results else said, note_ids=note_ids)


async def _store(db: AsyncConnection, run: AnyRow, added: _Added, seq: int) -> None:
    await prompt_facts.mark_read(db, added.note_ids, run.id)
    for position, blocks in enumerate(added.messages):
        await runs_write.add_message(
            db,
            tenant_id=run.tenant_id,
            activity_id=run.activity_id,
            thread=run.thread,
            run_id=run.id,
            role="user",
            blocks=blocks,
            seq=seq + position,
        )


async def _reserve(
    db: AsyncConnection, run: AnyRow, take: TakeTurn, request: TurnRequest, price: Price
) -> Reservation:
    limit = run.config["max_cost_usd"]
    return await purse.reserve(
        db,
        tenant_id=run.tenant_id,
        activity_id=run.activity_id,
        campaign_id=run.campaign_id,
        amount=money.worst_case(
            price,
            prompt_bytes=sizing.prompt_bytes(request),
            max_output_tokens=request.max_output_tokens,
        ),
        activity_limit=None if limit is None else Decimal(limit),
        at=take.at,
    )


def checkpoint(run: AnyRow) -> WakeReason | None:
    """What holds a run at its next turn, if anything."""
    if run.campaign_status == CampaignStatus.PAUSED:
        return WakeReason.CAMPAIGN_PAUSED
    if run.campaign_status == CampaignStatus.ARCHIVED:
        return WakeReason.CAMPAIGN_ARCHIVED
    return None


def outcome_of(run: AnyRow, stop_reason: str | None, calls: list[str]) -> Turn:
    """What a settled turn means for its run; the same answer however often it is asked."""
    if calls:
        return Turn(outcome=TurnOutcome.TOOLS, tool_calls=tuple(calls))
    if stop_reason == StopReason.REFUSED:
        return _error(RunError.MODEL_ERROR, "The model refused to answer.")
    if stop_reason == StopReason.MAX_TOKENS:
        return Turn(outcome=TurnOutcome.AGAIN)
    if ActivityType(run.activity_type) in _NUDGES and needs_tool(run):
        return Turn(outcome=TurnOutcome.AGAIN)
    return Turn(outcome=TurnOutcome.OUTPUT)


def needs_tool(run: AnyRow) -> bool:
    """Tell whether words alone do not end the run: a plan or a verdict must be handed in."""
    planning = run.activity_type == ActivityType.CAMPAIGN_PLANNING
    return planning or (run.activity_type == ActivityType.REVIEW and run.reviews_id is not None)


async def cut_off(
    db: AsyncConnection,
    run: AnyRow,
    row: AnyRow,
    price: Price,
    request: TurnRequest | None,
    at: datetime,
    because: str | None = None,
) -> None:
    """Book a turn that never ended with what it had used, and tell readers to drop its words."""
    streamed = await turns_write.streamed_bytes(db, row)
    usage = Usage(
        input_tokens=row.input_tokens,
        output_tokens=max(row.output_tokens, -(-streamed // _BYTES_PER_TOKEN)),
        cache_write_tokens=row.cache_write_tokens,
        cache_read_tokens=row.cache_read_tokens,
    )
    told = row.input_tokens or row.cache_read_tokens or row.cache_write_tokens
    if streamed and not told and request is not None:
        guess = -(-sizing.prompt_bytes(request) // _BYTES_PER_TOKEN)
        usage = Usage(input_tokens=guess, output_tokens=usage.output_tokens)
    await settle(db, run, row, price, usage, status=turns_write.CUT_OFF, stop_reason=because, at=at)
    if streamed:
        await stream.append(
            db,
            tenant_id=run.tenant_id,
            activity_id=run.activity_id,
            run_id=run.id,
            turn=row.number,
            attempt=row.attempt,
            entries=[("turn_reset", {"turn": row.number, "attempt": row.attempt})],
        )


async def close_open_attempts(db: AsyncConnection, run_id: str, at: datetime) -> None:
    """Give back what a run that ends has reserved for turns that never came to an end."""
    open_ones = await turns_write.open_attempts(db, run_id)
    if not open_ones:
        return
    run = await turns_write.run_with_state(db, run_id)
    price = money.price_on(await turns_write.known_prices(db, at.date()), run.model, at.date())
    for row in open_ones:
        await cut_off(db, run, row, price, None, at)


async def settle(
    db: AsyncConnection,
    run: AnyRow,
    row: Any,
    price: Price,
    usage: Usage,
    *,
    status: str,
    stop_reason: str | None,
    at: datetime,
) -> Decimal | None:
    """Close an attempt, give its reservation back and book it; None when that was done before.

    `row` has the attempt's key and where its money was reserved.
    """
    counters = counters_of(usage)
    spent = money.cost(price, **counters)
    settled = await purse.settle(
        db,
        row,
        campaign_id=run.campaign_id,
        status=status,
        counters=counters,
        price=price,
        cost=spent,
        stop_reason=stop_reason,
        at=at,
    )
    return spent if settled else None


def _error(error: RunError, message: str) -> Turn:
    return Turn(outcome=TurnOutcome.ERROR, error=error, message=message)


def _refused(reservation: Reservation) -> Turn:
    if reservation.outcome is Reserved.CAP_REACHED:
        return Turn(outcome=TurnOutcome.BUDGET_EXHAUSTED, cap=reservation.limit)
    if reservation.outcome is Reserved.CONTENDED:
        return Turn(outcome=TurnOutcome.CONTENDED)
    whose = "activity" if reservation.outcome is Reserved.ACTIVITY_LIMIT else "tenant's month"
    return _error(
        RunError.COST_LIMIT_EXCEEDED,
        f"The next turn could pass the limit of this {whose}, ${reservation.limit}.",
    )
