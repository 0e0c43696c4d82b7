"""Health scores: what somebody thinks of how well a client is."""

from datetime import UTC, datetime

from fastapi import APIRouter

from api.http.db import WriteDb
from api.http.idempotency import IdempotencyKey, IdempotentRoute
from api.http.problems import problems
from api.http.wire import UlidPath
from api.people.health_scores.schemas import (
    HealthScoreIn,
    HealthScoreOut,
    HealthScoreRecordedOut,
)
from api.people.rights import ClientEditor
from models.ids import new_id
from models.queries.people import client_profiles, health_scores
from models.rules.clients.rounding import rounded

router = APIRouter(
    prefix="/{company_id}/health-scores", tags=["Health scores"], route_class=IdempotentRoute
)


@router.post("", status_code=201, summary="Record a health score", responses=problems(404, 409))
async def record_health_score(
    company_id: UlidPath,
    assessed: HealthScoreIn,
    editor: ClientEditor,
    key: IdempotencyKey,
    db: WriteDb,
) -> HealthScoreRecordedOut:
    """Record a health score and make it the client's current one; a low one is told of."""
    client = await client_profiles.locked(db, company_id)
    row = await health_scores.record(
        db,
        client,
        score_id=new_id(),
        score=rounded(assessed.score),
        factors=assessed.factors,
        assessed_by=assessed.assessed_by or editor.id,
        actor=editor.actor,
        # Behind the lock, so that scores which come together are in the order of their times.
        at=datetime.now(UTC),
    )
    return HealthScoreRecordedOut(health_score=HealthScoreOut.model_validate(row))
