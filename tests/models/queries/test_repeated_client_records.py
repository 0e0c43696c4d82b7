"""A goal, a win or a health score whose id is there already was recorded before."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from models.contracts.actors import Actor
from models.db.database import Database
from models.ids import new_id
from models.queries.people import client_profiles, goals, health_scores, wins
from models.rules.vocabulary import PrincipalType
from models.tables.clients import Client, HistoryEvent
from models.tables.people import Notification
from tests.factories.agents import TenantMade, make_tenant
from tests.factories.clients import make_client

NOW = datetime(2026, 3, 10, 9, tzinfo=UTC)


@pytest.fixture
async def tenant(db: Database) -> TenantMade:
    return await make_tenant(db)


@pytest.fixture
async def beside(db: Database, tenant: TenantMade) -> dict[str, Any]:
    """What says whose record it is and who makes it."""
    return {
        "tenant_id": tenant.id,
        "company_id": await make_client(db, tenant, assigned_dm_id=tenant.admin_id),
        "actor": Actor(id=tenant.admin_id, type=PrincipalType.HUMAN, name="Ada"),
    }


async def events_of(db: Database, tenant: TenantMade) -> list[str]:
    async with db.tenant(tenant.id) as session:
        return list((await session.execute(select(HistoryEvent.event_type))).scalars())


async def test_a_goal_is_set_once(db: Database, tenant: TenantMade, beside: dict[str, Any]) -> None:
    goal_id = new_id()
    found = []
    for target in (4, 5):
        values = {"metric": "roas", "target": Decimal(target), "period": "month"}
        async with db.tenant(tenant.id) as session:
            at = NOW + timedelta(minutes=target)
            found.append(
                await goals.create(session, goal_id=goal_id, values=values, at=at, **beside)
            )
    assert found[0] == found[1]
    assert await events_of(db, tenant) == ["client.goal_created"]


async def test_a_win_is_recorded_once(
    db: Database, tenant: TenantMade, beside: dict[str, Any]
) -> None:
    win_id = new_id()
    found = []
    for title in ("First", "Second"):
        values = {
            "title": title, "won_at": date(2026, 3, 1), "source": "manual", "status": "confirmed",
        }  # fmt: skip
        async with db.tenant(tenant.id) as session:
            found.append(await wins.create(session, win_id=win_id, values=values, at=NOW, **beside))
    assert found[0] == found[1]
    assert await events_of(db, tenant) == ["client.win_created"]


async def test_a_health_score_is_recorded_once_and_told_of_once(
    db: Database, tenant: TenantMade, beside: dict[str, Any]
) -> None:
    score_id = new_id()
    found = []
    for score in (40, 45):
        async with db.tenant(tenant.id) as session:
            client = await client_profiles.locked(session, beside["company_id"])
            found.append(
                await health_scores.record(
                    session,
                    client,
                    score_id=score_id,
                    score=Decimal(score),
                    factors=["Sponsor left"],
                    assessed_by="Survey",
                    actor=beside["actor"],
                    at=NOW,
                )
            )
    async with db.tenant(tenant.id) as session:
        told = (await session.execute(select(Notification.body))).scalars().all()
        current = (await session.execute(select(Client.health_score))).scalars().all()
    assert found[0] == found[1]
    assert (told, current) == (["The first health score is 40."], [Decimal(40)])
    assert await events_of(db, tenant) == ["client.health_recorded"]
