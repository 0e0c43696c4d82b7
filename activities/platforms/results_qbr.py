"""A QBR from the results of the quarter: what it is made from, and the draft with its date.

Source: clients/results.yaml, rules.prepare_qbr. Where no model has written anything that could be
taken, the words are those of a fixed template.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from temporalio import activity

from activities.agents.runs import Writer
from activities.people import text_calls
from activities.people.text_drafting import keep_input
from models.contracts.actors import Actor
from models.contracts.client_texts import (
    Gathered,
    GatherSources,
    StoreText,
    TextKind,
    TextStored,
)
from models.contracts.insights import QuarterSeen
from models.db.database import Database
from models.db.rows import AnyRow
from models.errors import Unavailable
from models.ids import derived_id
from models.queries.people import client_profiles, qbrs, qbrs_write, text_drafts
from models.queries.people.history import Occurrence
from models.queries.people.qbrs_write import NewQbr
from models.queries.platforms import result_inputs
from models.rules.clients.qbrs import QbrPreparation
from models.rules.clients.vocabulary import HistoryKind, QbrStatus
from models.rules.moments import iso_seconds
from models.rules.results.qbr_template import template_content
from models.rules.vocabulary import PrincipalType

_TEMPLATE: Final = Writer(adapter="template", model="template")
"""Who writes where no model is configured."""


class ResultsQbrSteps:
    """Reads and writes for a QBR from results; `writer` tells who writes, None: the template."""

    def __init__(self, database: Database, writer: Callable[[], Writer | None]) -> None:
        self._database = database
        self._writer = writer

    @activity.defn(name="qbr_results.look")
    async def look(self, gather: GatherSources) -> QuarterSeen:
        """See whether the quarter has numbers, and whether an insight is to be written first."""
        has_model = self._writer() is not None
        async with self._database.tenant(gather.tenant_id) as db:
            lacks = await result_inputs.quarter_needs_insight(db, gather.company_id, gather.at)
        return QuarterSeen(has_model=has_model, needs_insight=has_model and lacks)

    @activity.defn(name="qbr_results.gather")
    async def gather(self, gather: GatherSources) -> Gathered:
        """Keep the metrics of the quarter and the newest insight."""
        async with self._database.tenant(gather.tenant_id) as db:
            today = gather.at.date()
            made = await result_inputs.for_results_qbr(db, gather.company_id, today)
            writer = self._writer() or _TEMPLATE
            return await keep_input(db, gather, TextKind.QBR, made, writer)

    @activity.defn(name="qbr_results.store")
    async def store(self, store: StoreText) -> TextStored:
        """Store the draft, the client's date and the history of both, once."""
        stored = TextStored(id=derived_id("qbr", store.run_id))
        at = datetime.now(UTC)
        async with self._database.tenant(store.tenant_id) as db:
            draft = await text_drafts.draft(db, store.run_id)
            if draft is None:
                # This was done before, and its end was never heard of; or it was swept away.
                if await qbrs.one(db, store.company_id, stored.id) is None:
                    raise Unavailable("The text was given up.")
                return stored
            client = await client_profiles.locked(db, store.company_id)
            await qbrs_write.insert_qbr(db, _qbr(stored.id, store, draft, at))
            prepared = Occurrence(
                kind=HistoryKind.QBR_PREPARED,
                details={"qbr_id": stored.id, "date": draft.today.isoformat()},
            )
            await client_profiles.change(
                db,
                client,
                {"last_qbr_date": draft.today},
                actor=Actor(id=store.principal_id, type=PrincipalType.HUMAN),
                at=at,
                leading=[prepared],
                once=store.run_id,
            )
            # A call that no worker lived to end is booked before it is forgotten.
            await text_calls.cut_off_open(db, store.run_id)
            await text_drafts.put_away(db, store.run_id)
        return stored


def _qbr(qbr_id: str, store: StoreText, draft: AnyRow, at: datetime) -> NewQbr:
    is_written = draft.output is not None
    content: Mapping[str, Any] = draft.output if is_written else template_content(draft.given)
    given = draft.given
    return NewQbr(
        id=qbr_id,
        tenant_id=store.tenant_id,
        company_id=store.company_id,
        held_on=draft.today,
        status=QbrStatus.DRAFT,
        created_by=store.principal_id,
        created_at=at,
        summary=content["executive_summary"],
        content=content,
        source_data={
            "kind": QbrPreparation.RESULTS,
            "since": given["period"]["start"],
            "until": given["period"]["end"],
            "last_qbr_id": None,
            "metrics": given["metrics"],
            "insight_id": given["insight"]["id"] if given["insight"] else None,
            "goals": [],
            "win_ids": [],
            "meetings": [],
            "health_scores": [],
            "history_event_ids": [],
            "project_ids": [],
            "model": draft.model if is_written else None,
            "prompt_version": draft.prompt_version if is_written else None,
            "input_hash": draft.input_hash,
            "generated_at": iso_seconds(at),
        },
    )
