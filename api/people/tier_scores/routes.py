"""Tier scores of clients, and the revenue that is part of them."""

from datetime import UTC, datetime

from fastapi import APIRouter

from api.http.db import ReadDb, WriteDb
from api.http.problems import problems
from api.http.wire import UlidPath
from api.people.rights import ClientEditor, ClientViewer
from api.people.tier_scores.schemas import (
    RevenueSummaryOut,
    TierHistoryEntryOut,
    TierHistoryOut,
    TierScoreIn,
    TierScoreOut,
)
from models.queries.people import client_profiles, revenue_read, tier_scores, tier_standings
from models.queries.people.tier_scores import Judgement
from models.rules.clients.revenue import revenue_window, summary
from models.rules.clients.tier_inputs import overridden, resolved

router = APIRouter(prefix="/{company_id}", tags=["Client tiers"])


@router.put("/tier-score", summary="Score a client", responses=problems(404))
async def score_client(
    company_id: UlidPath, body: TierScoreIn, editor: ClientEditor, db: WriteDb
) -> TierScoreOut:
    """Take what people give a client on one track, work out the rest, and assign the tier."""
    standing = await tier_standings.locked(db, company_id)
    # Only now that the client is locked: who waited for another scoring comes after it.
    now = datetime.now(UTC)
    judgement = Judgement(
        track=body.tier_track,
        human=resolved(body.tier_track, sent=body.human(), stored=standing.human),
        override=overridden(
            standing.override,
            sends_value=body.sends_override,
            value=body.revenue_override,
            reason=body.override_reason,
        ),
    )
    scored = await tier_scores.score_by_hand(
        db, editor.tenant_id, standing, judgement, actor=editor.actor, at=now
    )
    return TierScoreOut.of(scored)


@router.get("/tier-history", summary="Show a client's scorings", responses=problems(404))
async def list_scorings(company_id: UlidPath, viewer: ClientViewer, db: ReadDb) -> TierHistoryOut:
    """List every scoring of a client, by people and by the recalculation, oldest first."""
    await client_profiles.require(db, company_id)
    rows = await tier_scores.history(db, company_id)
    return TierHistoryOut(history=[TierHistoryEntryOut.model_validate(row) for row in rows])


@router.get("/revenue-summary", summary="Show a client's revenue", responses=problems(404))
async def get_revenue_summary(
    company_id: UlidPath, viewer: ClientViewer, db: ReadDb
) -> RevenueSummaryOut:
    """Show the revenue of the last 12 complete months, by month, and the score that it earns."""
    window = revenue_window(datetime.now(UTC).date())
    await client_profiles.require(db, company_id)
    months = await revenue_read.by_month(db, company_id, window)
    currency = await revenue_read.currency(db)
    return RevenueSummaryOut.of(summary(window, months), currency)
