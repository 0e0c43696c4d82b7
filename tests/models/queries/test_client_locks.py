"""What is written beside a client's profile does not wait for who holds the profile's lock."""

import asyncio
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from models.contracts.actors import Actor
from models.db.database import Database
from models.queries.people import client_profiles, goals
from models.queries.people.history import Occurrence, record
from models.rules.clients.vocabulary import HistoryKind
from models.rules.vocabulary import PrincipalType
from models.tables.clients import AdoptionWeek
from tests.factories.agents import TenantMade, make_tenant
from tests.factories.clients import make_client, make_goal

NOW = datetime(2026, 3, 10, 9, tzinfo=UTC)


@pytest.fixture
async def tenant(db: Database) -> TenantMade:
    return await make_tenant(db)


def person(tenant: TenantMade) -> Actor:
    return Actor(id=tenant.admin_id, type=PrincipalType.HUMAN, name="Ada")


async def test_two_who_mark_the_same_week_as_used_do_not_wait_for_each_other(
    db: Database, tenant: TenantMade
) -> None:
    company_id = await make_client(db, tenant)
    goal_id = await make_goal(db, tenant, company_id)

    async def report_progress() -> None:
        async with db.tenant(tenant.id) as session:
            goal = await goals.locked(session, company_id, goal_id)
            value = goal.target / 2
            await goals.record_progress(
                session, tenant.id, goal, value, actor=person(tenant), at=NOW
            )

    async with db.tenant(tenant.id) as session:
        await client_profiles.locked(session, company_id)
        await asyncio.wait_for(report_progress(), timeout=5)
        await record(
            session,
            tenant_id=tenant.id,
            company_id=company_id,
            actor=person(tenant),
            occurrences=[Occurrence(kind=HistoryKind.QBR_RECORDED)],
            at=NOW,
        )
    async with db.tenant(tenant.id) as session:
        assert len((await session.execute(select(AdoptionWeek.week))).all()) == 1
