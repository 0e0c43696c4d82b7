"""The demo agency's clients, as a newcomer finds them."""

from datetime import date, timedelta

from sqlalchemy import func, select

from models.db.database import Database
from models.tables.clients import Client
from models.tables.companies import Company
from workers.demo_clients import ensure_demo_clients
from workers.demo_relations import HARBOUR, NORTHWIND
from workers.tenants import DEMO, ensure_demo_tenant

TODAY = date(2026, 3, 10)


async def test_one_client_is_well_and_one_needs_attention(db: Database) -> None:
    await ensure_demo_tenant(db)
    await ensure_demo_clients(db, TODAY)
    async with db.tenant(DEMO.id) as session:
        found = await session.execute(select(Client.__table__))
        clients = {row.company_id: row for row in found}
    northwind, harbour = clients[NORTHWIND], clients[HARBOUR]
    assert (northwind.tier, northwind.tier_score) == ("platinum", 4.25)
    assert harbour.health_score < 50
    assert harbour.next_qbr_date < TODAY


async def test_a_later_start_changes_nothing(db: Database) -> None:
    await ensure_demo_tenant(db)
    for days in (0, 40):
        await ensure_demo_clients(db, TODAY + timedelta(days=days))
    async with db.tenant(DEMO.id) as session:
        clients = (await session.execute(select(func.count(Client.id)))).scalar_one()
        companies = (await session.execute(select(func.count(Company.id)))).scalar_one()
    assert (clients, companies) == (2, 4)
