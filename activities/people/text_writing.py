"""The steps that every text about a client has: ask the model, check the answer, put it away."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.agents.heartbeats import heartbeats
from activities.people import text_calls
from activities.people.text_calls import Notes, OpenCall
from activities.ports import Llm, LlmBusy, LlmRefused, StopReason, TurnEnd
from models.contracts.client_texts import Called, CallModel, Checked, DiscardText, TextKind
from models.db.database import Database
from models.db.rows import AnyRow
from models.errors import Unavailable, UpstreamFailed
from models.queries.people import text_drafts
from models.rules.clients.masking import masked
from models.rules.clients.text_answers import Verdict, read_qbr, read_summary
from models.rules.results.text_answers import read_answer, read_insight

CALL_SECONDS: Final = 60
"""How long one call of a model may take."""
_LONGEST_WAIT_S: Final = 60.0
_LONGEST_SAID: Final = 300
_READERS: Final[Mapping[TextKind, Callable[[str, Mapping[str, Any], date], Verdict]]] = {
    TextKind.QBR: read_qbr,
    TextKind.AI_SUMMARY: read_summary,
    TextKind.INSIGHT: read_insight,
    TextKind.ANSWER: read_answer,
}


class TextSteps:
    """Asks models for texts. A settled call is answered from the record, never made again."""

    def __init__(
        self, database: Database, llms: Mapping[str, Llm], *, max_output_tokens: int
    ) -> None:
        self._database = database
        self._llms = llms
        self._max_output_tokens = max_output_tokens

    @activity.defn(name="client_text.write")
    async def write(self, call: CallModel) -> Called:
        """Make one call; a vendor that is busy raises, so that Temporal tries again later."""
        async with heartbeats():
            async with self._database.tenant(call.tenant_id) as db:
                done = await _settled(db, call.run_id, call.number)
                if done is not None:
                    return _called(done)
                opening = await text_calls.opened(
                    db, call, max_output_tokens=self._max_output_tokens
                )
            end = await self._ask(call, opening)
            return await self._settle(call, opening, end)

    async def _ask(self, call: CallModel, opening: OpenCall) -> TurnEnd:
        note = Notes(database=self._database, tenant_id=call.tenant_id, opening=opening)
        try:
            async with asyncio.timeout(CALL_SECONDS):
                return await text_calls.listen(self._llms[opening.adapter], opening, note)
        except LlmBusy as busy:
            await self._cut_off(call, note)
            raise _again(_said(busy), busy.retry_after) from None
        except TimeoutError as late:
            await self._cut_off(call, note)
            raise _again(f"The model took longer than {CALL_SECONDS} seconds.", None) from late
        except LlmRefused as refused:
            await self._cut_off(call, note)
            raise UpstreamFailed(_said(refused)) from None

    async def _settle(self, call: CallModel, opening: OpenCall, end: TurnEnd) -> Called:
        async with self._database.tenant(call.tenant_id) as db:
            if await text_calls.settle(db, opening, end) is None:
                raise ApplicationError("Another attempt took this call over.")
            done = await _settled(db, call.run_id, call.number)
        if end.stop_reason is StopReason.REFUSED:
            raise UpstreamFailed("The model refused to write this.")
        assert done is not None
        return _called(done)

    @activity.defn(name="client_text.check")
    async def check(self, call: CallModel) -> Checked:
        """Check an answer: keep what can be stored, or what the model has to be told."""
        async with self._database.tenant(call.tenant_id) as db:
            draft = await text_drafts.draft(db, call.run_id)
            done = await _settled(db, call.run_id, call.number)
            if draft is None or done is None:
                raise Unavailable("The text was given up.")
            verdict = _READERS[TextKind(draft.kind)](done.answer or "", draft.given, draft.today)
            if verdict.output is not None:
                await text_drafts.keep_output(db, call.run_id, verdict.output)
            else:
                await text_drafts.complain(db, done, verdict.complaint or "")
        return Checked(fault=verdict.fault)

    @activity.defn(name="client_text.discard")
    async def discard(self, given_up: DiscardText) -> None:
        """Put away what is left of a text that was given up; what it has cost is booked."""
        async with self._database.tenant(given_up.tenant_id) as db:
            await text_calls.cut_off_open(db, given_up.run_id)
            await text_drafts.put_away(db, given_up.run_id)

    async def _cut_off(self, call: CallModel, note: Notes) -> None:
        await note.write()
        opening: OpenCall = note.opening
        async with self._database.tenant(call.tenant_id) as db:
            for row in await text_drafts.calls(db, call.run_id):
                if (row.number, row.attempt) == (opening.number, opening.attempt):
                    at = datetime.now(UTC)
                    await text_calls.cut_off(db, row, opening.price, opening.request, at)


async def _settled(db: AsyncConnection, run_id: str, number: int) -> AnyRow | None:
    made = await text_drafts.calls(db, run_id)
    done = [
        row for row in made if row.number == number and row.status == text_drafts.SETTLED
    ]  # fmt: skip
    return done[-1] if done else None


def _called(row: AnyRow) -> Called:
    return Called(output_tokens=row.output_tokens, cost_usd=str(row.cost_usd))


def _said(error: Exception) -> str:
    """A vendor's words as histories, logs and callers may have them: it may repeat what it got."""
    return masked(str(error))[:_LONGEST_SAID]


def _again(said: str, retry_after: float | None) -> ApplicationError:
    """Try again as the policy has it, or when the vendor says."""
    delay = None if retry_after is None else timedelta(seconds=min(retry_after, _LONGEST_WAIT_S))
    return ApplicationError(said, type="LlmBusy", next_retry_delay=delay)
