"""Companies and clients, with everything that a test does not care about filled in."""

from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import insert, select

from models.db.database import Database
from models.ids import new_id
from models.rules.clients.vocabulary import ClientStatus, RevenueKind, RevenueOrigin
from models.tables.clients import Client
from models.tables.clients_revenue import RevenueEntry
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
