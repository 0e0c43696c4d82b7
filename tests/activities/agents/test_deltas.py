"""Streamed words reach the log once each, also when the connection breaks around a commit."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection

from activities.agents.deltas import DeltaLog
from models.contracts.agent_activities import TakeTurn
from models.db.database import Database
from models.queries.agents import stream
from tests.factories.agents import TenantMade, make_activity, make_campaign, make_tenant, make_turn


class BreakingDatabase(Database):
    """Loses its connection once when told to: before the commit, or before its answer."""

    breaks: str = ""

    @asynccontextmanager
    async def tenant(self, tenant_id: str) -> AsyncIterator[AsyncConnection]:
        breaks, self.breaks = self.breaks, ""
        lost = OperationalError("commit", {}, OSError("connection lost"))
        async with super().tenant(tenant_id) as db:
            yield db
            if breaks == "before the commit":
                raise lost
        if breaks == "before its answer":
            raise lost


@pytest.fixture
async def breaking(database_url: str) -> AsyncIterator[BreakingDatabase]:
    database = BreakingDatabase(database_url, pool_size=2)
    yield database
    await database.close()


async def opened(db: Database) -> tuple[TenantMade, TakeTurn]:
    """A run whose first turn is open."""
    tenant = await make_tenant(db)
    campaign_id = await make_campaign(db, tenant)
    activity_id = await make_activity(db, tenant, campaign_id)
    turn = await make_turn(db, tenant, activity_id)
    return tenant, TakeTurn(
        tenant_id=tenant.id,
        campaign_id=campaign_id,
        activity_id=activity_id,
        at=datetime.now(UTC),
        run_id=turn.run_id,
        number=1,
        seconds_left=60,
    )


@pytest.mark.parametrize("breaks", ["before the commit", "before its answer"])
async def test_words_of_a_write_that_broke_are_logged_once(
    breaking: BreakingDatabase, breaks: str
) -> None:
    tenant, take = await opened(breaking)
    log = DeltaLog(breaking, take, attempt=1)
    log.add("One, ")
    await log.flush()
    log.add("two, ")
    breaking.breaks = breaks
    await log.flush()
    log.add("three, ")
    await log.flush()
    log.add("four, ")
    breaking.breaks = breaks
    await log.flush()
    log.add("five.")
    # The turn is settled before the next flush.
    async with breaking.tenant(tenant.id) as session:
        await stream.append(
            session,
            tenant_id=tenant.id,
            activity_id=take.activity_id,
            run_id=take.run_id,
            turn=1,
            attempt=1,
            entries=await log.rest(session),
        )
        logged = await session.execute(
            text("select payload ->> 'delta' from run_event order by seq")
        )
        assert "".join(logged.scalars()) == "One, two, three, four, five."
