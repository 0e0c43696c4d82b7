"""The tier of one client: scored by a person, and every scoring that it has had."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from models.contracts.actors import Actor
from models.db.rows import AnyRow
from models.queries.people import revenue_read, scorings
from models.queries.people.scorings import Scored
from models.queries.people.tier_standings import TierStanding
from models.rules.clients.adoption import adoption_score
from models.rules.clients.revenue import Revenue, revenue, revenue_window
from models.rules.clients.tier_inputs import Override
from models.rules.clients.tiers import Scores, score
from models.rules.clients.vocabulary import ScoreSource, TierTrack
from models.tables.clients_scores import TierScoring
from models.tables.people import Principal

_HISTORY = (
    select(TierScoring.__table__, Principal.name.label("scored_by_name"))
    .outerjoin(Principal, Principal.id == TierScoring.scored_by)
    .order_by(TierScoring.scored_at, TierScoring.id)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What a person says of a client: the track, all human scores from now on, the override."""

    track: TierTrack
    human: Scores
    override: Override | None


async def score_by_hand(
    db: AsyncConnection,
    tenant_id: str,
    standing: TierStanding,
    judgement: Judgement,
    *,
    actor: Actor,
    at: datetime,
) -> Scored:
    """Score a client, which the caller has locked, with revenue and adoption as they are now."""
    today = at.astimezone(UTC).date()
    earned = await _revenue(db, standing.company_id, today)
    adoption = await _adoption(db, standing.company_id, judgement.track, today)
    override = judgement.override
    scoring = score(
        judgement.track,
        revenue_score=earned.score,
        override=override.value if override else None,
        human=judgement.human,
        adoption=adoption,
    )
    scored = Scored(
        company_id=standing.company_id,
        name=standing.name,
        previous_tier=standing.tier,
        assigned_dm_id=standing.assigned_dm_id,
        last_qbr_date=standing.last_qbr_date,
        next_qbr_date=standing.next_qbr_date,
        scoring=scoring,
        revenue=earned,
        adoption=adoption,
        human=judgement.human,
        override=override.value if override else None,
        override_reason=override.reason if override else None,
    )
    await scorings.write_all(
        db, tenant_id, [scored], source=ScoreSource.MANUAL, actor=actor, at=at
    )  # fmt: skip
    return scored


async def history(db: AsyncConnection, company_id: str) -> Sequence[AnyRow]:
    """Every scoring of a client, oldest first, with the name of who gave it."""
    return (await db.execute(_HISTORY.where(TierScoring.company_id == company_id))).all()


async def _revenue(db: AsyncConnection, company_id: str, today: date) -> Revenue:
    found = await revenue_read.totals(db, [company_id], revenue_window(today))
    return revenue(found[company_id])


async def _adoption(
    db: AsyncConnection, company_id: str, track: TierTrack, today: date
) -> Decimal | None:
    """The adoption score, which the product track alone has."""
    if track is not TierTrack.PRODUCT:
        return None
    facts = (await revenue_read.adoption_facts(db, [company_id], today))[company_id]
    return adoption_score(
        platforms=facts.platforms,
        active_weeks=facts.active_weeks,
        questionnaire=facts.questionnaire,
    )
