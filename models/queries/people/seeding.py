"""Rows that are there from the beginning: the demo's clients with their past."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from models.tables import Base
from models.tables.clients import Client
from models.tables.companies import Company

Rows = Mapping[str, Sequence[Mapping[str, Any]]]
"""Rows by the name of their table, in an order in which foreign keys hold."""

_KEY: Final = select(Company.name_key)


async def has_company(db: AsyncConnection, company_id: str) -> bool:
    """Tell whether the tenant has this company."""
    found = await db.execute(select(Company.id).where(Company.id == company_id))
    return found.one_or_none() is not None


async def put(db: AsyncConnection, tenant_id: str, rows: Rows) -> None:
    """Insert rows of the tenant; those that are there stay as they are."""
    for name, several in rows.items():
        table = Base.metadata.tables[name]
        for row in several:
            values = {**row, "tenant_id": tenant_id}
            if table is Client.__table__:
                key = _KEY.where(Company.id == row["company_id"]).scalar_subquery()
                values["name_key"] = key
            await db.execute(insert(table).values(values).on_conflict_do_nothing())
