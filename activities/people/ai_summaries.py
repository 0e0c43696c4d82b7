"""The summary of a client: its input is gathered, and the text takes the place of the last one."""

from collections.abc import Callable
from datetime import UTC, datetime

from temporalio import activity

from activities.agents.runs import Writer
from activities.people.text_drafting import keep_input
from models.contracts.actors import Actor
from models.contracts.client_texts import (
    Gathered,
    GatherSources,
    StoreText,
    TextKind,
    TextStored,
)
from models.db.database import Database
from models.queries.people import client_profiles, history, text_drafts, text_inputs
from models.queries.people.history import Occurrence
from models.rules.clients.vocabulary import HistoryKind
from models.rules.vocabulary import PrincipalType


class AiSummarySteps:
    """Reads and writes for the summary of a client; `writer` tells who writes, None: nobody."""

    def __init__(self, database: Database, writer: Callable[[], Writer | None]) -> None:
        self._database = database
        self._writer = writer

    @activity.defn(name="ai_summary.gather")
    async def gather(self, gather: GatherSources) -> Gathered:
        """Keep everything that the summary is made from, unless the stored one is current."""
        async with self._database.tenant(gather.tenant_id) as db:
            made = await text_inputs.for_summary(db, gather.company_id, gather.at.date())
            if await text_inputs.current_summary(db, gather.company_id, made, gather.at):
                return Gathered(input_hash=made.input_hash, sources=0, is_current=True)
            return await keep_input(db, gather, TextKind.AI_SUMMARY, made, self._writer())

    @activity.defn(name="ai_summary.store")
    async def store(self, store: StoreText) -> TextStored:
        """Store the summary with its history, once."""
        at = datetime.now(UTC)
        async with self._database.tenant(store.tenant_id) as db:
            draft = await text_drafts.draft(db, store.run_id)
            if draft is None:
                return TextStored(id=store.company_id)
            await client_profiles.require(db, store.company_id)
            summary = {
                "text": draft.output["text"],
                "model": draft.model,
                "prompt_version": draft.prompt_version,
                "input_hash": draft.input_hash,
                "generated_at": at,
            }
            await text_inputs.keep_summary(
                db, tenant_id=store.tenant_id, company_id=store.company_id, summary=summary
            )
            generated = Occurrence(
                kind=HistoryKind.AI_SUMMARY_GENERATED,
                details={"model": draft.model, "prompt_version": draft.prompt_version},
            )
            await history.record(
                db,
                tenant_id=store.tenant_id,
                company_id=store.company_id,
                actor=Actor(id=store.principal_id, type=PrincipalType.HUMAN),
                occurrences=[generated],
                at=at,
                once=store.run_id,
            )
            await text_drafts.put_away(db, store.run_id)
        return TextStored(id=store.company_id)
