"""The preparation of a QBR: its input is gathered, and the draft is stored once it is sound."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

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
from models.db.rows import AnyRow
from models.errors import Unavailable
from models.ids import derived_id
from models.queries.people import (
    client_profiles,
    history,
    qbrs,
    qbrs_write,
    text_drafts,
    text_inputs,
    text_sources,
)
from models.queries.people.history import Occurrence
from models.queries.people.qbrs_write import NewQbr
from models.rules.clients.qbrs import QbrPreparation
from models.rules.clients.vocabulary import HistoryKind, QbrStatus
from models.rules.moments import iso_seconds
from models.rules.vocabulary import PrincipalType


class QbrPrepSteps:
    """Reads and writes for the preparation of a QBR; `writer` tells who writes, None: nobody."""

    def __init__(self, database: Database, writer: Callable[[], Writer | None]) -> None:
        self._database = database
        self._writer = writer

    @activity.defn(name="qbr_prep.gather")
    async def gather(self, gather: GatherSources) -> Gathered:
        """Fix the window and keep everything that the draft is made from."""
        async with self._database.tenant(gather.tenant_id) as db:
            made = await text_inputs.for_qbr(db, gather.company_id, gather.at.date())
            return await keep_input(db, gather, TextKind.QBR, made, self._writer())

    @activity.defn(name="qbr_prep.store")
    async def store(self, store: StoreText) -> TextStored:
        """Store the draft as a QBR with its history, once; the client's dates stay."""
        stored = TextStored(id=derived_id("qbr", store.run_id))
        at = datetime.now(UTC)
        async with self._database.tenant(store.tenant_id) as db:
            draft = await text_drafts.draft(db, store.run_id)
            if draft is None:
                # This was done before, and its end was never heard of; or it was swept away.
                if await qbrs.one(db, store.company_id, stored.id) is None:
                    raise Unavailable("The text was given up.")
                return stored
            await client_profiles.require(db, store.company_id)
            await qbrs_write.insert_qbr(db, _qbr(stored.id, store, draft, at))
            prepared = Occurrence(
                kind=HistoryKind.QBR_PREPARED,
                details={"qbr_id": stored.id, "date": draft.today.isoformat()},
            )
            await history.record(
                db,
                tenant_id=store.tenant_id,
                company_id=store.company_id,
                actor=Actor(id=store.principal_id, type=PrincipalType.HUMAN),
                occurrences=[prepared],
                at=at,
                once=store.run_id,
            )
            await text_drafts.put_away(db, store.run_id)
        return stored


def _qbr(qbr_id: str, store: StoreText, draft: AnyRow, at: datetime) -> NewQbr:
    return NewQbr(
        id=qbr_id,
        tenant_id=store.tenant_id,
        company_id=store.company_id,
        held_on=draft.today,
        status=QbrStatus.DRAFT,
        created_by=store.principal_id,
        created_at=at,
        summary=draft.output["executive_summary"],
        content=draft.output,
        source_data=_source_data(draft, at),
    )


def _source_data(draft: AnyRow, at: datetime) -> dict[str, Any]:
    given = draft.given
    return {
        "kind": QbrPreparation.AI,
        "since": given["period"]["start"],
        "until": given["period"]["end"],
        "last_qbr_id": given["last_qbr"]["id"] if given["last_qbr"] else None,
        "metrics": given["metrics"],
        "insight_id": given["insight"]["id"] if given["insight"] else None,
        "goals": given["goals"],
        "win_ids": text_sources.ids(given["wins"]),
        "meetings": [
            {name: meeting[name] for name in ("id", "title", "date")}
            for meeting in given["meetings"]
        ],
        "health_scores": [
            {name: scored[name] for name in ("score", "created_at")}
            for scored in given["health_scores"]
        ],
        "history_event_ids": text_sources.ids(given["history"]),
        "project_ids": text_sources.ids(given["projects"]),
        "model": draft.model,
        "prompt_version": draft.prompt_version,
        "input_hash": draft.input_hash,
        "generated_at": iso_seconds(at),
    }
