"""Answers to questions about a client's numbers, written within the request that asks.

Source: clients/results.yaml, rules.ask. The facts, the calls and their cost are in the record as
those of every text are; a number that no fact has does not leave.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import structlog

from activities.agents.runs import Writer
from activities.people import text_calls
from activities.people.model_calls import ModelCalls, Overtaken
from activities.people.text_drafting import UNCONFIGURED, keep_input
from activities.ports import Llm, LlmBusy
from models.contracts.client_texts import CallModel, GatherSources, TextKind
from models.db.database import Database
from models.db.rows import AnyRow
from models.errors import Unavailable, UpstreamFailed
from models.queries.people import client_profiles, history, text_drafts
from models.queries.platforms import questions, result_inputs
from models.rules.results.text_answers import read_answer

CALLS: Final = 3
"""How often a model is called for one answer, whether it failed or its answer was at fault."""
PAUSE_SECONDS: Final = 2.0
_LONGEST_PAUSE_S: Final = 10.0
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answering:
    """The models of a deployment, and which of them writes; None: none is configured."""

    llms: Mapping[str, Llm]
    writer: Callable[[], Writer | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a user asks about a client's results; `id` names it and what is kept of it."""

    id: str
    tenant_id: str
    company_id: str
    principal_id: str
    text: str
    at: datetime


class ResultAnswers:
    """Answers questions from what is stored of a client's platforms."""

    def __init__(self, database: Database, answering: Answering, *, max_output_tokens: int) -> None:
        self._database = database
        self._answering = answering
        self._calls = ModelCalls(database, answering.llms, max_output_tokens=max_output_tokens)

    async def answer(self, asked: Question) -> str:
        """Answer a question, and keep both.

        Raises:
            NotFound: there is no such client.
            Unavailable: no model is configured, or the month's limit leaves no room.
            RateLimited: the user has asked too many questions of late.
            UpstreamFailed: the model failed, or no answer of it could be taken.
        """
        await self._keep(asked)
        try:
            text = await self._written(asked)
            return await self._settle(asked, text)
        except BaseException:
            # Also when the request is given up: what has been used is booked all the same.
            await asyncio.shield(asyncio.ensure_future(self._put_away(asked)))
            raise

    async def _keep(self, asked: Question) -> None:
        """Count the question and keep it with the facts; asking shows that the client is used."""
        async with self._database.tenant(asked.tenant_id) as db:
            await client_profiles.require(db, asked.company_id)
            writer = self._answering.writer()
            if writer is None:
                raise Unavailable(UNCONFIGURED)
            await questions.take(
                db,
                id=asked.id,
                tenant_id=asked.tenant_id,
                company_id=asked.company_id,
                asked_by=asked.principal_id,
                question=asked.text,
                at=asked.at,
            )
            await history.mark_adoption(db, asked.tenant_id, asked.company_id, asked.at)
            made = await result_inputs.for_question(
                db, asked.company_id, asked.text, asked.at.date()
            )
            gather = GatherSources(
                tenant_id=asked.tenant_id, company_id=asked.company_id, run_id=asked.id,
                at=asked.at,
            )  # fmt: skip
            await keep_input(db, gather, TextKind.ANSWER, made, writer)

    async def _written(self, asked: Question) -> str:
        number, trouble = 1, ""
        for attempt in range(1, CALLS + 1):
            call = CallModel(tenant_id=asked.tenant_id, run_id=asked.id, number=number)
            try:
                done = await self._calls.make(call)
            except LlmBusy as busy:
                trouble = str(busy)
                if attempt < CALLS:
                    await asyncio.sleep(_pause(attempt, busy.retry_after))
                continue
            except Overtaken as swept:
                raise UpstreamFailed("The answer was given up.") from swept
            text, fault = await self._checked(asked, done)
            if text is not None:
                return text
            number, trouble = number + 1, f"Its answer cannot be taken: {fault}."
        _log.warning("question.unanswered", question_id=asked.id, trouble=trouble)
        raise UpstreamFailed(f"The model gave no answer that can be passed on. {trouble}".strip())

    async def _checked(self, asked: Question, done: AnyRow) -> tuple[str | None, str | None]:
        """The answer as it may leave, or what is wrong with it, of which the model is told."""
        async with self._database.tenant(asked.tenant_id) as db:
            draft = await text_drafts.draft(db, asked.id)
            if draft is None:
                raise UpstreamFailed("The answer was given up.")
            verdict = read_answer(done.answer or "", draft.given, draft.today)
            if verdict.output is None:
                await text_drafts.complain(db, done, verdict.complaint or "")
                return None, verdict.fault
        return verdict.output["answer"], None

    async def _settle(self, asked: Question, text: str) -> str:
        async with self._database.tenant(asked.tenant_id) as db:
            draft = await text_drafts.draft(db, asked.id)
            assert draft is not None
            kept = {
                "answer": text,
                "model": draft.model,
                "prompt_version": draft.prompt_version,
                "input_hash": draft.input_hash,
            }
            await questions.answered(db, asked.id, kept)
            await text_calls.cut_off_open(db, asked.id)
            await text_drafts.put_away(db, asked.id)
        return text

    async def _put_away(self, asked: Question) -> None:
        async with self._database.tenant(asked.tenant_id) as db:
            await text_calls.cut_off_open(db, asked.id)
            await text_drafts.put_away(db, asked.id)


def _pause(attempt: int, retry_after: float | None) -> float:
    backoff = PAUSE_SECONDS * 2 ** (attempt - 1)
    return min(backoff if retry_after is None else retry_after, _LONGEST_PAUSE_S)
