"""How clients stand before they are scored: what is stored of their tiers, under a lock."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any

from sqlalchemy import Select, Text, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from models.db.rows import AnyRow
from models.errors import NotFound
from models.rules.clients.tier_inputs import Override
from models.rules.clients.tiers import HUMAN, Dimension, Scores
from models.rules.clients.vocabulary import ClientStatus, Tier, TierTrack
from models.tables.clients import Client
from models.tables.companies import Company

HUMAN_COLUMNS = {
    Dimension.PROFITABILITY: Client.tier_profitability_score,
    Dimension.STRATEGIC: Client.tier_strategic_score,
    Dimension.RELATIONSHIP: Client.tier_relationship_score,
    Dimension.GROWTH: Client.tier_growth_score,
}
"""Where the scores that people give are stored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TierStanding:
    """A client as far as its scoring looks at it; `human` has the scores of both tracks."""

    company_id: str
    name: str
    status: ClientStatus
    tier: Tier | None
    track: TierTrack | None
    tier_score: Decimal | None
    revenue_score: int | None
    adoption: Decimal | None
    human: Scores
    override: Override | None
    assigned_dm_id: str | None
    last_qbr_date: date | None
    next_qbr_date: date | None


async def lock_all(db: AsyncConnection, company_ids: Sequence[str]) -> list[TierStanding]:
    """Those of the companies that are clients, by id, locked until the transaction ends."""
    found = await db.execute(_locked(), {"company_ids": list(company_ids)})
    return [_standing(row) for row in found]


async def locked(db: AsyncConnection, company_id: str) -> TierStanding:
    """One client, locked until the transaction ends.

    Raises:
        NotFound: the tenant has no such company, or it was never promoted.
    """
    standings = await lock_all(db, [company_id])
    if not standings:
        raise NotFound("There is no such client.")
    return standings[0]


@cache
def _locked() -> Select[*tuple[Any, ...]]:
    # In one order for all, so that nobody waits in a circle.
    return (
        select(
            Client.company_id, Company.name, Client.status, Client.tier, Client.tier_track,
            Client.tier_score, Client.tier_revenue_score, Client.tier_adoption_score,
            *HUMAN_COLUMNS.values(),
            Client.tier_revenue_override, Client.tier_override_reason,
            Client.assigned_dm_id, Client.last_qbr_date, Client.next_qbr_date,
        )
        .join(Company, Company.id == Client.company_id)
        .where(Client.company_id == func.any(bindparam("company_ids", type_=ARRAY(Text))))
        .order_by(Client.company_id)
        .with_for_update(of=Client)
    )  # fmt: skip


def _standing(row: AnyRow) -> TierStanding:
    stored = {name: getattr(row, column.key) for name, column in HUMAN_COLUMNS.items()}
    override = None
    if row.tier_revenue_override is not None:
        override = Override(value=row.tier_revenue_override, reason=row.tier_override_reason)
    return TierStanding(
        company_id=row.company_id,
        name=row.name,
        status=ClientStatus(row.status),
        tier=Tier(row.tier) if row.tier else None,
        track=TierTrack(row.tier_track) if row.tier_track else None,
        tier_score=row.tier_score,
        revenue_score=row.tier_revenue_score,
        adoption=row.tier_adoption_score,
        human={name: stored[name] for name in HUMAN if stored[name] is not None},
        override=override,
        assigned_dm_id=row.assigned_dm_id,
        last_qbr_date=row.last_qbr_date,
        next_qbr_date=row.next_qbr_date,
    )
