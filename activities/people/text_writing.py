"""The steps that every text about a client has: ask the model, check the answer, put it away."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any, Final

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.agents.heartbeats import heartbeats
from activities.people import text_calls
from activities.people.model_calls import ModelCalls, Overtaken, settled
from activities.ports import Llm, LlmBusy
from models.contracts.client_texts import Called, CallModel, Checked, DiscardText, TextKind
from models.db.database import Database
from models.errors import Unavailable
from models.queries.people import text_drafts
from models.rules.clients.text_answers import Verdict, read_qbr, read_summary
from models.rules.results.text_answers import read_answer, read_insight

_LONGEST_WAIT_S: Final = 60.0
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
        self._calls = ModelCalls(database, llms, max_output_tokens=max_output_tokens)

    @activity.defn(name="client_text.write")
    async def write(self, call: CallModel) -> Called:
        """Make one call; a vendor that is busy raises, so that Temporal tries again later."""
        async with heartbeats():
            try:
                done = await self._calls.make(call)
            except LlmBusy as busy:
                raise _again(str(busy), busy.retry_after) from None
            except Overtaken:
                raise ApplicationError("Another attempt took this call over.") from None
        return Called(output_tokens=done.output_tokens, cost_usd=str(done.cost_usd))

    @activity.defn(name="client_text.check")
    async def check(self, call: CallModel) -> Checked:
        """Check an answer: keep what can be stored, or what the model has to be told."""
        async with self._database.tenant(call.tenant_id) as db:
            draft = await text_drafts.draft(db, call.run_id)
            done = await settled(db, call.run_id, call.number)
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


def _again(said: str, retry_after: float | None) -> ApplicationError:
    """Try again as the policy has it, or when the vendor says."""
    delay = None if retry_after is None else timedelta(seconds=min(retry_after, _LONGEST_WAIT_S))
    return ApplicationError(said, type="LlmBusy", next_retry_delay=delay)
