"""Companies and clients, with everything that a test does not care about filled in."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import insert, select

from models.db.database import Database
from models.ids import new_id
from models.rules.clients.vocabulary import (
    ClientStatus,
    PeriodType,
    RevenueKind,
    RevenueOrigin,
    WinSource,
    WinStatus,
)
from models.tables.clients import Client
from models.tables.clients_revenue import RevenueEntry
from models.tables.clients_reviews import ClientGoal, Win
from models.tables.companies import Company
from tests.factories.agents import TenantMade


async def make_company(
    database: Database, tenant: TenantMade, name: str = "Acme", **overrides: Any
) -> str:
    """A company that is no client."""
    values = {"id": new_id(), "tenant_id": tenant.id, "name": name, **overrides}
    async with database.tenant(tenant.id) as db:
        await db.execute(insert(Company).values(values))
    return str(values["id"])


async def make_client(
    database: Database, tenant: TenantMade, name: str = "Acme", **overrides: Any
) -> str:
    """An active client without tier, health score or QBR; answers the id of its company."""
    company_id = overrides.pop("company_id", None) or await make_company(database, tenant, name)
    key = select(Company.name_key).where(Company.id == company_id).scalar_subquery()
    values = {
        "id": new_id(),
        "tenant_id": tenant.id,
        "company_id": company_id,
        "name_key": key,
        "status": ClientStatus.ACTIVE,
        **overrides,
    }
    async with database.tenant(tenant.id) as db:
        await db.execute(insert(Client).values(values))
    return str(company_id)


async def make_revenue_entry(
    database: Database, tenant: TenantMade, company_id: str, amount: str, **overrides: Any
) -> str:
    """A ledger invoice in US dollars."""
    entry_id = new_id()
    values = {
        "id": entry_id,
        "tenant_id": tenant.id,
        "company_id": company_id,
        "origin": RevenueOrigin.NUCLEUS,
        "external_id": entry_id,
        "kind": RevenueKind.INVOICE,
        "counted_on": date(2026, 2, 14),
        "amount": Decimal(amount),
        "original_amount": Decimal(amount),
        "original_currency": "USD",
        **overrides,
    }
    async with database.tenant(tenant.id) as db:
        await db.execute(insert(RevenueEntry).values(values))
    return entry_id


async def make_goal(
    database: Database, tenant: TenantMade, company_id: str, **overrides: Any
) -> str:
    """A monthly goal of a return on ad spend of four."""
    values = {
        "id": new_id(),
        "tenant_id": tenant.id,
        "company_id": company_id,
        "metric": "roas",
        "target": Decimal(4),
        "period": PeriodType.MONTH,
        **overrides,
    }
    async with database.tenant(tenant.id) as db:
        await db.execute(insert(ClientGoal).values(values))
    return str(values["id"])


async def make_win(
    database: Database, tenant: TenantMade, company_id: str, **overrides: Any
) -> str:
    """A confirmed win that somebody entered."""
    values = {
        "id": new_id(),
        "tenant_id": tenant.id,
        "company_id": company_id,
        "title": "Grew",
        "won_at": date(2026, 2, 14),
        "source": WinSource.MANUAL,
        "status": WinStatus.CONFIRMED,
        "created_at": datetime(2026, 2, 14, 9, tzinfo=UTC),
        "updated_at": datetime(2026, 2, 14, 9, tzinfo=UTC),
        **overrides,
    }
    async with database.tenant(tenant.id) as db:
        await db.execute(insert(Win).values(values))
    return str(values["id"])
