"""Scorings of many clients at once: what is written, once, and in how many statements."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from models.contracts.actors import SYSTEM, Actor
from models.db.database import Database
from models.queries.people import scorings, tier_standings
from models.queries.people.scorings import Scored
from models.queries.people.tier_standings import TierStanding
from models.rules.clients.revenue import Revenue
from models.rules.clients.tiers import Dimension, score
from models.rules.clients.vocabulary import (
    HistoryKind,
    RevenueSource,
    ScoreSource,
    Tier,
    TierTrack,
)
from models.rules.vocabulary import EventKind, PrincipalType
from models.tables.clients import AdoptionWeek, Client, HistoryEvent
from models.tables.clients_scores import TierScoring
from models.tables.people import Notification
from models.tables.records import AuditEntry, Event
from tests.factories.agents import TenantMade, make_tenant
from tests.factories.clients import make_client
from tests.statements import remembered

NOW = datetime(2026, 3, 10, 9, tzinfo=UTC)
HUMAN = {
    Dimension.PROFITABILITY: Decimal(3),
    Dimension.STRATEGIC: Decimal(4),
    Dimension.RELATIONSHIP: Decimal(5),
}
STORED: dict[str, Any] = {
    "tier_profitability_score": 3,
    "tier_strategic_score": 4,
    "tier_relationship_score": 5,
}


@pytest.fixture
async def tenant(db: Database) -> TenantMade:
    return await make_tenant(db)


def person(tenant: TenantMade) -> Actor:
    return Actor(id=tenant.admin_id, type=PrincipalType.HUMAN, name="Mara")


def scored(standing: TierStanding, annual_total: int = 285_000) -> Scored:
    revenue = Revenue(
        annual_total=Decimal(annual_total),
        score=4 if annual_total == 285_000 else 1,
        source=RevenueSource.NUCLEUS,
    )
    return Scored(
        company_id=standing.company_id,
        name=standing.name,
        previous_tier=standing.tier,
        assigned_dm_id=standing.assigned_dm_id,
        last_qbr_date=standing.last_qbr_date,
        next_qbr_date=standing.next_qbr_date,
        scoring=score(
            TierTrack.DELIVERY,
            revenue_score=revenue.score,
            override=None,
            human=HUMAN,
            adoption=None,
        ),
        revenue=revenue,
        adoption=None,
        human=standing.human or HUMAN,
    )


async def rescore(
    db: Database,
    tenant: TenantMade,
    company_ids: Sequence[str],
    once: str | None = None,
    source: ScoreSource = ScoreSource.AUTO,
    annual_total: int = 285_000,
) -> int:
    async with db.tenant(tenant.id) as session:
        standings = await tier_standings.lock_all(session, company_ids)
        return await scorings.write_all(
            session,
            tenant.id,
            [scored(one, annual_total) for one in standings],
            source=source,
            actor=SYSTEM if source is ScoreSource.AUTO else person(tenant),
            at=NOW,
            once=once,
        )


async def all_of(db: Database, tenant: TenantMade, table: Any) -> Sequence[Any]:
    async with db.tenant(tenant.id) as session:
        return (await session.execute(select(table.__table__))).all()


async def test_a_new_tier_moves_the_next_qbr_and_the_delivery_manager_is_told(
    db: Database, tenant: TenantMade
) -> None:
    company_id = await make_client(
        db, tenant, assigned_dm_id=tenant.member_id, last_qbr_date=date(2026, 1, 20), tier="core",
        next_qbr_date=date(2026, 5, 20), **STORED,
    )  # fmt: skip
    assert await rescore(db, tenant, [company_id]) == 1
    (client,) = await all_of(db, tenant, Client)
    assert (client.tier, client.tier_score, client.next_qbr_date, client.tier_revenue_score) == (
        "platinum", Decimal("4.25"), date(2026, 4, 20), 4,
    )  # fmt: skip
    assert (client.tier_scored_at, client.tier_scored_by) == (None, None)
    events = await all_of(db, tenant, HistoryEvent)
    assert {(one.event_type, one.old_value, one.new_value, one.actor_id) for one in events} == {
        (HistoryKind.TIER_CHANGED, "core", "platinum", None),
        (HistoryKind.NEXT_QBR_DATE_CHANGED, "2026-05-20", "2026-04-20", None),
    }
    (told,) = await all_of(db, tenant, Notification)
    assert (told.principal_id, told.kind, told.company_id) == (
        tenant.member_id, "client.tier_changed", company_id,
    )  # fmt: skip
    assert told.payload["previous_tier"] == "core"
    assert [one.kind for one in await all_of(db, tenant, Event)] == [EventKind.NOTIFICATION_CREATED]
    audited = [one for one in await all_of(db, tenant, AuditEntry) if one.entity_type == "client"]
    assert [(one.action, one.entity_id) for one in audited] == [("tier_changed", company_id)]


async def test_a_person_who_scores_is_remembered_and_in_the_history(
    db: Database, tenant: TenantMade
) -> None:
    company_id = await make_client(db, tenant, tier="platinum")
    changed = await rescore(db, tenant, [company_id], source=ScoreSource.MANUAL)
    (client,) = await all_of(db, tenant, Client)
    (event,) = await all_of(db, tenant, HistoryEvent)
    (entry,) = await all_of(db, tenant, TierScoring)
    assert (changed, client.next_qbr_date) == (0, None)
    assert (client.tier_scored_at, client.tier_scored_by) == (NOW, tenant.admin_id)
    assert (event.event_type, event.details["tier_score"], event.actor_id) == (
        HistoryKind.TIER_SCORED, 4.25, tenant.admin_id,
    )  # fmt: skip
    assert (entry.source, entry.scored_by, entry.previous_tier) == (
        "manual", tenant.admin_id, "platinum",
    )  # fmt: skip
    assert await all_of(db, tenant, Notification) == []
    assert await all_of(db, tenant, AdoptionWeek) == []


async def test_scores_of_the_other_track_stay_stored_and_out_of_the_entry(
    db: Database, tenant: TenantMade
) -> None:
    company_id = await make_client(
        db, tenant, tier_track="product", tier_growth_score=2, tier_adoption_score=3, **STORED
    )
    await rescore(db, tenant, [company_id])
    (client,) = await all_of(db, tenant, Client)
    (entry,) = await all_of(db, tenant, TierScoring)
    assert (client.tier_track, client.tier_growth_score, client.tier_adoption_score) == (
        "delivery", 2, 3,
    )  # fmt: skip
    assert (entry.growth_score, entry.adoption_score, entry.strategic_score) == (None, None, 4)


async def test_a_step_that_is_tried_again_scores_only_who_is_left(
    db: Database, tenant: TenantMade
) -> None:
    first = await make_client(db, tenant, "A", assigned_dm_id=tenant.admin_id)
    second = await make_client(db, tenant, "B", assigned_dm_id=tenant.admin_id)
    assert await rescore(db, tenant, [first], once="run-1") == 1
    assert await rescore(db, tenant, [first, second], once="run-1", annual_total=0) == 1
    clients = {one.company_id: one.tier for one in await all_of(db, tenant, Client)}
    assert clients == {first: Tier.PLATINUM, second: Tier.CORE}
    assert len(await all_of(db, tenant, TierScoring)) == 2
    assert len(await all_of(db, tenant, Notification)) == 2
    assert len(await all_of(db, tenant, HistoryEvent)) == 4


async def test_many_clients_take_as_many_statements_as_one(
    db: Database, tenant: TenantMade
) -> None:
    company_ids = await many_clients(db, tenant, 1000)
    counts = []
    for some in (company_ids[:1], company_ids[1:]):
        async with db.tenant(tenant.id) as session:
            standings = await tier_standings.lock_all(session, some)
            with remembered(session) as sent:
                changed = await write(session, tenant, standings)
        counts.append(len(sent))
        assert changed == len(some)
    assert counts[0] == counts[1] <= 7
    told = await all_of(db, tenant, Notification)
    assert len(told) == 1000
    assert [one.seq for one in await all_of(db, tenant, Event)] == list(range(1, 1001))


async def write(
    session: AsyncConnection, tenant: TenantMade, standings: Sequence[TierStanding]
) -> int:
    return await scorings.write_all(
        session, tenant.id, list(map(scored, standings)),
        source=ScoreSource.AUTO, actor=SYSTEM, at=NOW, once="run",
    )  # fmt: skip


async def many_clients(db: Database, tenant: TenantMade, count: int) -> list[str]:
    names = {"tenant": tenant.id, "count": count, "dm": tenant.admin_id}
    async with db.tenant(tenant.id) as session:
        await session.execute(
            text(
                "insert into company (id, tenant_id, name)"
                " select 'C' || n, :tenant, 'Company ' || n from generate_series(1, :count) n"
            ),
            names,
        )
        made = await session.execute(
            text(
                "insert into client (id, tenant_id, company_id, name_key, status, assigned_dm_id)"
                " select 'L' || id, tenant_id, id, name_key, 'active', :dm from company"
                " returning company_id"
            ),
            names,
        )
        return list(made.scalars())
