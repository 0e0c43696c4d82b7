"""Companies as they are read: the list by name, and one of them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, Text, collate, exists, func, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models.tables.clients import Client
from models.tables.companies import Company, Contact


class CompanyRow(NamedTuple):
    """A company, whether it is a client, and how many contacts it has that are not archived."""

    id: str
    name: str
    website: str | None
    parent_company_id: str | None
    is_client: bool
    contacts_count: int
    created_at: datetime
    updated_at: datetime


IS_CLIENT = exists().where(Client.company_id == Company.id)
_CONTACTS = (
    select(func.count())
    .where(Contact.company_id == Company.id, Contact.archived_at.is_(None))
    .correlate(Company)
    .scalar_subquery()
)
_COMPANY = select(
    Company.id, Company.name, Company.website, Company.parent_company_id,
    IS_CLIENT.label("is_client"), _CONTACTS.label("contacts_count"),
    Company.created_at, Company.updated_at,
)  # fmt: skip


def name_key(name: str | ColumnElement[str]) -> ColumnElement[str]:
    """A name as `company.name_key` has it."""
    text = literal(name, Text) if isinstance(name, str) else name
    return func.lower(collate(text, "pg_c_utf8"))


async def page(
    db: AsyncConnection, *, search: str | None, is_client: bool | None, offset: int, limit: int
) -> tuple[Sequence[CompanyRow], int]:
    """The companies that match, by name, and how many there are."""
    matching: list[ColumnElement[bool]] = []
    if wanted := (search or "").strip():
        matching.append(func.strpos(Company.name_key, name_key(wanted)) > 0)
    if is_client is not None:
        matching.append(IS_CLIENT if is_client else ~IS_CLIENT)
    statement = (
        _COMPANY.where(*matching).order_by(Company.name_key, Company.id).offset(offset).limit(limit)
    )
    total = await db.scalar(select(func.count()).select_from(Company).where(*matching))
    return await _rows(db, statement), total or 0


async def one(db: AsyncConnection, company_id: str) -> CompanyRow | None:
    """The company, if the tenant has it."""
    found = await _rows(db, _COMPANY.where(Company.id == company_id))
    return found[0] if found else None


async def _rows(db: AsyncConnection, statement: Select[*tuple[Any, ...]]) -> Sequence[CompanyRow]:
    return [CompanyRow._make(row) for row in await db.execute(statement)]
