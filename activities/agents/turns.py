"""One turn of a language model as one step: reserved, streamed, stored and settled."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.agents.deltas import DeltaLog, Entry
from activities.agents.transcripts import clean, to_json
from activities.agents.turn_opening import (
    OpenTurn,
    TurnOpening,
    cut_off,
    outcome_of,
    settle,
)
from activities.ports import (
    Llm,
    LlmBusy,
    LlmRefused,
    Text,
    TextDelta,
    ToolUse,
    TurnEnd,
    UsageSoFar,
)
from activities.tools.registry import Toolbox
from models.contracts.agent_activities import TakeTurn, Turn, TurnOutcome
from models.db.database import Database, at_once
from models.errors import DomainError
from models.queries.agents import runs_write, stream, turns_write
from models.rules import money
from models.rules.money import Price
from models.rules.vocabulary import RunError

PRICES_KEPT_S: Final = 10.0
"""A new price counts this much later at most; every turn would else read all of them."""
VENDOR_TRIES = 6
"""How often a vendor may fail in one turn; a worker that dies is not its fault."""
BUSY = "busy"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Attempt:
    """The key of an attempt and where its money was reserved."""

    run_id: str
    number: int
    attempt: int
    reserved_usd: Decimal
    beyond_cap: bool
    reserved_month: date | None


class TurnSteps:
    """Asks models for turns. A settled turn is answered from the record, never asked again."""

    def __init__(
        self,
        database: Database,
        llms: Mapping[str, Llm],
        toolbox: Toolbox,
        *,
        max_output_tokens: int,
    ) -> None:
        self._database = database
        self._llms = llms
        self._prices = _PriceList()
        self._opening = TurnOpening(toolbox, max_output_tokens)

    @activity.defn(name="agent_activity.turn")
    async def take(self, take: TakeTurn) -> Turn:
        """Take one turn; a vendor that is busy raises, so that Temporal tries again later."""
        try:
            async with self._database.tenant(take.tenant_id) as db:
                opened = await self._opening.open(db, take, await self._prices.on(db, _today()))
        except DomainError as refusal:
            return _error(RunError.MODEL_ERROR, refusal.detail)
        if isinstance(opened, Turn):
            return opened
        began = time.monotonic()
        log = DeltaLog(self._database, take, opened.attempt)
        try:
            async with log, asyncio.timeout(max(take.seconds_left, 0.1)):
                end = await self._stream(opened, log)
        except LlmBusy as busy:
            failures = await self._cut_off(take, opened, log, because=BUSY)
            raise _try_again(busy, failures) from busy
        except LlmRefused as refused:
            await self._cut_off(take, opened, log)
            return _error(RunError.MODEL_ERROR, str(refused))
        except TimeoutError:
            await self._cut_off(take, opened, log)
            return _error(RunError.TIMEOUT, "The run's time was up.")
        turn = await self._settle(take, opened, log, end)
        return replace(turn, seconds=time.monotonic() - began)

    async def _stream(self, opened: OpenTurn, log: DeltaLog) -> TurnEnd:
        llm = self._llms[opened.run.adapter]
        async for part in llm.stream_turn(opened.request):
            match part:
                case TextDelta(text=text):
                    log.add(text)
                case UsageSoFar(usage=usage):
                    log.note(usage)
                case TurnEnd():
                    return part
        raise LlmBusy("The answer ended without its end.")

    async def _cut_off(
        self, take: TakeTurn, opened: OpenTurn, log: DeltaLog, because: str | None = None
    ) -> int:
        """Book what a broken attempt used; answers how many broke for the same reason."""
        await log.flush()
        async with self._database.tenant(take.tenant_id) as db:
            tried = await turns_write.attempts(db, take.run_id, take.number)
            for row in tried:
                if row.attempt == opened.attempt and row.status == turns_write.OPEN:
                    at = datetime.now(UTC)
                    await cut_off(db, opened.run, row, opened.price, opened.request, at, because)
        before = [row for row in tried if row.attempt < opened.attempt]
        return 1 + len([row for row in before if row.stop_reason == because])

    async def _settle(self, take: TakeTurn, opened: OpenTurn, log: DeltaLog, end: TurnEnd) -> Turn:
        blocks, calls = _own_ids(opened, take.number, end)
        async with self._database.tenant(take.tenant_id) as db:
            at = datetime.now(UTC)
            cost = await settle(
                db,
                opened.run,
                _attempt(take, opened),
                opened.price,
                end.usage,
                status=turns_write.SETTLED,
                stop_reason=end.stop_reason,
                at=at,
            )
            if cost is None:
                raise ApplicationError("Another attempt took this turn over.")
            rest = await log.rest(db)
            async with at_once(db):
                await _store(db, take, opened, blocks, calls, rest)
        if not blocks:
            return _error(RunError.MODEL_ERROR, "The model answered nothing.")
        turn = outcome_of(opened.run, end.stop_reason, [call["id"] for call in calls])
        return replace(turn, cost_usd=str(cost))


async def _store(
    db: AsyncConnection,
    take: TakeTurn,
    opened: OpenTurn,
    blocks: list[dict[str, Any]],
    calls: list[dict[str, Any]],
    rest: list[Entry],
) -> None:
    """Write down what the model said and asked for, and what of it is not in the log yet."""
    if blocks:
        await runs_write.add_message(
            db,
            tenant_id=take.tenant_id,
            activity_id=take.activity_id,
            thread=opened.run.thread,
            run_id=take.run_id,
            role="assistant",
            blocks=blocks,
            seq=opened.next_seq,
        )
    await turns_write.add_tool_calls(db, calls)
    asked = (("tool_call", {"name": c["name"], "input": c["input"]}) for c in calls)
    await stream.append(
        db,
        tenant_id=take.tenant_id,
        activity_id=take.activity_id,
        run_id=take.run_id,
        turn=take.number,
        attempt=opened.attempt,
        entries=[*rest, *asked],
    )


class _Prices(dict[str, Price]):
    """The price of each model on a day; one that is unknown is refused by `price_on`."""

    def __init__(self, known: list[Price], day: date) -> None:
        super().__init__()
        self.day = day
        self.read_at = time.monotonic()
        self._known = known

    def __missing__(self, model: str) -> Price:
        price = money.price_on(self._known, model, self.day)
        self[model] = price
        return price


class _PriceList:
    """What models cost, read again every `PRICES_KEPT_S` and when the day turns."""

    def __init__(self) -> None:
        self._newest: _Prices | None = None

    async def on(self, db: AsyncConnection, day: date) -> _Prices:
        """The prices of this day."""
        newest = self._newest
        if newest is None or newest.day != day or time.monotonic() - newest.read_at > PRICES_KEPT_S:
            self._newest = newest = _Prices(await turns_write.known_prices(db, day), day)
        return newest


def _today() -> date:
    return datetime.now(UTC).date()


def _attempt(take: TakeTurn, opened: OpenTurn) -> _Attempt:
    return _Attempt(
        run_id=take.run_id,
        number=take.number,
        attempt=opened.attempt,
        reserved_usd=opened.reservation.amount,
        beyond_cap=opened.reservation.beyond_cap,
        reserved_month=opened.reservation.month,
    )


def _own_ids(
    opened: OpenTurn, number: int, end: TurnEnd
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The answer's blocks and its tool calls, under ids of ours.

    Vendors' ids are unique in an answer at best; ours are in the whole transcript.
    """
    blocks: list[dict[str, Any]] = []
    calls: list[dict[str, Any]] = []
    for block in end.blocks:
        if isinstance(block, Text):
            if clean(block.text).strip():
                blocks.append(to_json(block))
            continue
        own = f"call_{opened.run.number}_{number}_{len(calls) + 1}"
        stored = to_json(ToolUse(id=own, name=block.name, input=block.input))
        blocks.append(stored)
        calls.append(
            {
                "tenant_id": opened.run.tenant_id,
                "run_id": opened.run.id,
                "id": own,
                "turn": number,
                "position": len(calls),
                "name": stored["name"],
                "input": stored["input"],
            }
        )
    return blocks, calls


def _error(error: RunError, message: str) -> Turn:
    return Turn(outcome=TurnOutcome.ERROR, error=error, message=message)


def _try_again(busy: LlmBusy, failures: int) -> ApplicationError:
    """Wait as the vendor says, else longer each time; at last let the run fail."""
    seconds = min(2.0 ** (failures - 1), 60) if busy.retry_after is None else busy.retry_after
    return ApplicationError(
        str(busy),
        type="LlmBusy",
        non_retryable=failures >= VENDOR_TRIES,
        next_retry_delay=timedelta(seconds=min(seconds, 300)),
    )
