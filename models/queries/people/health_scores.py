"""Health scores of clients: each is kept, and the newest is the client's own.

Source: clients/health.yaml, client_health.record.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from models.contracts.actors import Actor
from models.queries.people import client_profiles
from models.queries.people.client_profiles import ClientProfile
from models.queries.people.history import Occurrence
from models.rules.clients.health import turns_low
from models.rules.clients.vocabulary import HistoryKind, NotificationKind
from models.tables.clients_scores import ClientHealthScore


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthScoreRow:
    """One health score, and the one that it follows."""

    id: str
    company_id: str
    score: Decimal
    previous_score: Decimal | None
    factors: Sequence[str]
    assessed_by: str
    created_at: datetime


async def record(
    db: AsyncConnection,
    client: ClientProfile,
    *,
    score_id: str,
    score: Decimal,
    factors: Sequence[str],
    assessed_by: str,
    actor: Actor,
    at: datetime,
) -> HealthScoreRow:
    """Make it the score of a client that is locked, and tell of one that turns low."""
    row = HealthScoreRow(
        id=score_id,
        company_id=client.company_id,
        score=score,
        previous_score=client.health_score,
        factors=factors,
        assessed_by=assessed_by,
        created_at=at,
    )
    await _insert(db, client.tenant_id, row)
    await client_profiles.change(
        db,
        client,
        {},
        actor=actor,
        at=at,
        leading=[_event(row)],
        also={"health_score": score, "health_scored_at": at},
    )
    if turns_low(client.health_score, score):
        await _warn(db, client, row)
    return row


async def _insert(db: AsyncConnection, tenant_id: str, row: HealthScoreRow) -> None:
    await db.execute(
        insert(ClientHealthScore).values(
            id=row.id,
            tenant_id=tenant_id,
            company_id=row.company_id,
            score=row.score,
            previous_score=row.previous_score,
            factors=list(row.factors),
            assessed_by=row.assessed_by,
            created_at=row.created_at,
        )
    )


def _event(row: HealthScoreRow) -> Occurrence:
    return Occurrence(
        kind=HistoryKind.HEALTH_RECORDED,
        field="health_score",
        old_value=_json(row.previous_score),
        new_value=_json(row.score),
        details={"health_score_id": row.id, "assessed_by": row.assessed_by},
    )


async def _warn(db: AsyncConnection, client: ClientProfile, row: HealthScoreRow) -> None:
    if row.previous_score is None:
        body = f"The first health score is {row.score}."
    else:
        body = f"The health score fell from {row.previous_score} to {row.score}."
    await client_profiles.tell_delivery_manager(
        db,
        client,
        NotificationKind.HEALTH_LOW,
        title=f"{client.name}: health is low",
        body=body,
        payload={
            "health_score_id": row.id,
            "score": _json(row.score),
            "previous_score": _json(row.previous_score),
        },
        once=row.id,
    )


def _json(score: Decimal | None) -> float | None:
    return None if score is None else float(score)
