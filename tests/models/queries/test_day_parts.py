"""The tables of days are cut by year, part by part as the days come in."""

import asyncio

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import ProgrammingError

from models.db.database import Database
from tests.factories.agents import make_tenant

pytestmark = pytest.mark.fresh_database


async def test_a_part_is_made_once_however_many_ask_for_it(
    db: Database, owner_database_url: str
) -> None:
    tenant = await make_tenant(db)

    async def ensure() -> None:
        async with db.tenant(tenant.id) as session:
            await session.execute(text("select ensure_day_parts('2025-12-31', '2026-01-01')"))

    await asyncio.gather(*(ensure() for _ in range(4)))
    engine = create_engine(owner_database_url)
    with engine.connect() as session:
        parts = session.execute(
            text("select count(*) from pg_class where relnamespace = 'day_parts'::regnamespace"
                 " and relkind = 'r'")
        ).scalar_one()  # fmt: skip
    engine.dispose()
    assert parts == 6


async def test_a_part_cannot_be_read_past_the_wall(db: Database) -> None:
    tenant = await make_tenant(db)
    async with db.tenant(tenant.id) as session:
        await session.execute(text("select ensure_day_parts('2026-01-01', '2026-01-01')"))
    with pytest.raises(ProgrammingError, match="permission denied"):
        async with db.tenant(tenant.id) as session:
            await session.execute(text("select * from day_parts.campaign_daily_2026"))
