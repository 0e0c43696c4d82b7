"""An insight into a client's numbers: its input is gathered, and the text is kept once it is sound.

Source: clients/results.yaml, rules.insight.
"""

from collections.abc import Callable
from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncConnection
from temporalio import activity

from activities.agents.runs import Writer
from activities.people.text_drafting import keep_input
from models.contracts.client_texts import GatherSources, TextKind
from models.contracts.insights import (
    GatherInsight,
    InsightGathered,
    InsightOutcome,
    InsightWritten,
    StoreInsight,
)
from models.db.database import Database
from models.db.rows import AnyRow
from models.errors import Unavailable
from models.ids import derived_id
from models.queries.people import client_profiles, text_drafts
from models.queries.people.text_inputs import TextInput
from models.queries.platforms import insights, result_inputs
from models.rules.results.periods import period


class InsightSteps:
    """Reads and writes for an insight; `writer` tells who writes, None: nobody."""

    def __init__(self, database: Database, writer: Callable[[], Writer | None]) -> None:
        self._database = database
        self._writer = writer

    @activity.defn(name="insight.gather")
    async def gather(self, gather: GatherInsight) -> InsightGathered:
        """Keep everything that the insight is made from, unless there is nothing to write."""
        writer = self._writer()
        if writer is None:
            return InsightGathered(outcome=InsightOutcome.NO_MODEL)
        async with self._database.tenant(gather.tenant_id) as db:
            if await text_drafts.draft(db, gather.run_id) is None:
                made = await _input(db, gather)
                if made is None:
                    return InsightGathered(outcome=InsightOutcome.NO_NUMBERS)
                last = await insights.newest_hash(db, gather.company_id, gather.period_type)
                if made.input_hash == last:
                    return InsightGathered(outcome=InsightOutcome.CURRENT)
                kept = await keep_input(db, _sources(gather), TextKind.INSIGHT, made, writer)
                return InsightGathered(sources=kept.sources)
        return InsightGathered()

    @activity.defn(name="insight.store")
    async def store(self, store: StoreInsight) -> InsightWritten:
        """Keep the insight beside those before it, once."""
        written = InsightWritten(
            outcome=InsightOutcome.WRITTEN, id=derived_id("insight", store.run_id)
        )
        assert written.id is not None
        async with self._database.tenant(store.tenant_id) as db:
            draft = await text_drafts.draft(db, store.run_id)
            if draft is None:
                # This was done before, and its end was never heard of; or it was swept away.
                if not await insights.exists(db, store.company_id, written.id):
                    raise Unavailable("The text was given up.")
                return written
            await client_profiles.require(db, store.company_id)
            values = _row(draft, datetime.now(UTC))
            await insights.store(db, {"id": written.id, "tenant_id": store.tenant_id, **values})
            await text_drafts.put_away(db, store.run_id)
        return written


async def _input(db: AsyncConnection, gather: GatherInsight) -> TextInput | None:
    end = gather.period_end or await insights.last_stored_day(db, gather.company_id)
    if end is None:
        return None
    return await result_inputs.for_insight(db, gather.company_id, period(gather.period_type, end))


def _sources(gather: GatherInsight) -> GatherSources:
    return GatherSources(
        tenant_id=gather.tenant_id,
        company_id=gather.company_id,
        run_id=gather.run_id,
        at=gather.at,
    )


def _row(draft: AnyRow, at: datetime) -> dict[str, object]:
    of = draft.given["period"]
    return {
        "company_id": draft.company_id,
        "period_type": of["type"],
        "period_start": datetime.fromisoformat(of["start"]).date(),
        "period_end": datetime.fromisoformat(of["end"]).date(),
        **draft.output,
        "model": draft.model,
        "prompt_version": draft.prompt_version,
        "input_hash": draft.input_hash,
        "generated_at": at,
    }
