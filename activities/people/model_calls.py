"""A call of a model for a text, from its reservation to the settled record, within its time."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from activities.people import text_calls
from activities.people.text_calls import Notes, OpenCall
from activities.ports import Llm, LlmBusy, LlmRefused, StopReason, TurnEnd
from models.contracts.client_texts import CallModel
from models.db.database import Database
from models.db.rows import AnyRow
from models.errors import UpstreamFailed
from models.queries.people import text_drafts
from models.rules.clients.masking import masked

CALL_SECONDS: Final = 60
"""How long one call of a model may take."""
_LONGEST_SAID: Final = 300


class Overtaken(Exception):
    """Another attempt took the call over."""


class ModelCalls:
    """Asks models for texts. A settled call is answered from the record, never made again."""

    def __init__(
        self, database: Database, llms: Mapping[str, Llm], *, max_output_tokens: int
    ) -> None:
        self._database = database
        self._llms = llms
        self._max_output_tokens = max_output_tokens

    async def make(self, call: CallModel) -> AnyRow:
        """Make one call and answer its settled record.

        Raises:
            LlmBusy: the vendor cannot answer now, or took too long; what was used is booked.
            UpstreamFailed: the model refuses.
            Unavailable: the month's limit leaves no room, or the text was given up.
            Overtaken: another attempt took the call over.
        """
        async with self._database.tenant(call.tenant_id) as db:
            done = await settled(db, call.run_id, call.number)
            if done is not None:
                return done
            opening = await text_calls.opened(db, call, max_output_tokens=self._max_output_tokens)
        end = await self._ask(call, opening)
        return await self._settle(call, opening, end)

    async def _ask(self, call: CallModel, opening: OpenCall) -> TurnEnd:
        note = Notes(database=self._database, tenant_id=call.tenant_id, opening=opening)
        try:
            async with asyncio.timeout(CALL_SECONDS):
                return await text_calls.listen(self._llms[opening.adapter], opening, note)
        except LlmBusy as busy:
            await self._cut_off(call, note)
            raise LlmBusy(said(busy), retry_after=busy.retry_after) from None
        except TimeoutError as late:
            await self._cut_off(call, note)
            raise LlmBusy(f"The model took longer than {CALL_SECONDS} seconds.") from late
        except LlmRefused as refused:
            await self._cut_off(call, note)
            raise UpstreamFailed(said(refused)) from None

    async def _settle(self, call: CallModel, opening: OpenCall, end: TurnEnd) -> AnyRow:
        async with self._database.tenant(call.tenant_id) as db:
            if await text_calls.settle(db, opening, end) is None:
                raise Overtaken
            done = await settled(db, call.run_id, call.number)
        if end.stop_reason is StopReason.REFUSED:
            raise UpstreamFailed("The model refused to write this.")
        assert done is not None
        return done

    async def _cut_off(self, call: CallModel, note: Notes) -> None:
        await note.write()
        opening: OpenCall = note.opening
        async with self._database.tenant(call.tenant_id) as db:
            for row in await text_drafts.calls(db, call.run_id):
                if (row.number, row.attempt) == (opening.number, opening.attempt):
                    at = datetime.now(UTC)
                    await text_calls.cut_off(db, row, opening.price, opening.request, at)


async def settled(db: AsyncConnection, run_id: str, number: int) -> AnyRow | None:
    """The record of a call that came to its end."""
    made = await text_drafts.calls(db, run_id)
    done = [
        row for row in made if row.number == number and row.status == text_drafts.SETTLED
    ]  # fmt: skip
    return done[-1] if done else None


def said(error: Exception) -> str:
    """A vendor's words as histories, logs and callers may have them: it may repeat what it got."""
    return masked(str(error))[:_LONGEST_SAID]
