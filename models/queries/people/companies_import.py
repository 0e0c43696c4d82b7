"""Importing companies: what of the file is there already, and writing what is not, in batches."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, Text, any_, exists, func, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import aliased

from models.contracts.actors import Actor
from models.db import many
from models.ids import new_id
from models.queries.people.companies import IS_CLIENT, name_key
from models.queries.people.companies_write import COMPANY, lock_names
from models.queries.people.history import Happened, Occurrence, record_all
from models.queries.records import audit
from models.rules.clients.company_imports import (
    CompanyCells,
    CompanyDraft,
    CompanyFacts,
    ContactDraft,
    ContactFacts,
    Merge,
)
from models.rules.clients.vocabulary import ClientStatus, HistoryKind
from models.rules.imports import RowError
from models.tables.clients import Client
from models.tables.companies import Company, Contact

_COMPANY = ("website", "parent_company_id")
_CONTACT = ("name", "email", "phone", "title", "is_primary")
_NEW = ("tenant_id", "created_at", "updated_at")
# Built once: building a statement costs more than sending it.
_NEW_COMPANIES = many.inserting(Company, "id", "name", *_COMPANY, *_NEW)
_NEW_CONTACTS = many.inserting(Contact, "id", "company_id", *_CONTACT, *_NEW)
_NEW_CLIENTS = many.inserting(Client, "id", "company_id", "name_key", "status", *_NEW)
_CHANGE_COMPANIES = many.changing(Company, *_COMPANY, "updated_at")
_CHANGE_CONTACTS = many.changing(Contact, *_CONTACT, "updated_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOrder:
    """How rows are to be imported; `promote` is the status of those that become clients."""

    id: str
    promote: ClientStatus | None
    dry_run: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What came of an import, or would come of it."""

    companies_created: int
    companies_updated: int
    contacts_created: int
    contacts_updated: int
    clients_created: int
    errors: Sequence[RowError]

    @property
    def counts(self) -> dict[str, int]:
        return {
            "companies_created": self.companies_created,
            "companies_updated": self.companies_updated,
            "contacts_created": self.contacts_created,
            "contacts_updated": self.contacts_updated,
            "clients_created": self.clients_created,
        }


async def import_companies(
    db: AsyncConnection,
    tenant_id: str,
    rows: Sequence[CompanyCells],
    order: ImportOrder,
    *,
    actor: Actor,
    at: datetime,
) -> Imported:
    """Merge the rows into what the tenant has; a dry run only tells what would come of it."""
    await lock_names(db, tenant_id)
    keys = await _keys(db, rows)
    # Ids ascend in the order they are minted in, by which a later import finds the oldest first.
    merge = Merge(drafts=await _stored(db, keys), keys=keys, mint=new_id)
    merge.take(rows)
    drafts = list(merge.drafts.values())
    promoted = [] if order.promote is None else [
        draft.id for draft in drafts if draft.is_named and not draft.is_client
    ]  # fmt: skip
    contacts = [(draft.id, contact) for draft in drafts for contact in draft.contacts]
    imported = Imported(
        companies_created=sum(draft.stored is None for draft in drafts),
        companies_updated=sum(_is_changed(draft) for draft in drafts),
        contacts_created=sum(contact.stored is None for _, contact in contacts),
        contacts_updated=sum(_is_changed(contact) for _, contact in contacts),
        clients_created=len(promoted),
        errors=merge.errors,
    )
    if order.dry_run or not any(imported.counts.values()):
        return imported
    await _write_companies(db, tenant_id, drafts, at)
    await _write_contacts(db, tenant_id, contacts, at)
    if order.promote is not None:
        await promote_all(db, tenant_id, promoted, order.promote, actor=actor, at=at)
    await audit.record(
        db, tenant_id, actor,
        entity=COMPANY, entity_id=order.id, action="imported", changes=imported.counts,
    )  # fmt: skip
    return imported


async def promote_all(
    db: AsyncConnection,
    tenant_id: str,
    company_ids: Sequence[str],
    status: ClientStatus,
    *,
    actor: Actor,
    at: datetime,
) -> None:
    """Make clients of companies that are none, as promoting each of them would."""
    if not company_ids:
        return
    keys = select(Company.id, Company.name_key).where(
        Company.id == any_(literal(list(company_ids), ARRAY(Text)))
    )
    new = {**_new(tenant_id, at), "status": status}
    clients = [
        {"id": new_id(), "company_id": company_id, "name_key": key, **new}
        for company_id, key in await db.execute(keys)
    ]
    await db.execute(_NEW_CLIENTS, many.rows(clients))
    event = Occurrence(
        kind=HistoryKind.PROMOTED, details={"status": status, "assigned_dm_id": None}
    )
    happened = [Happened(company_id=one, occurrences=[event]) for one in company_ids]
    await record_all(db, tenant_id=tenant_id, actor=actor, happened=happened, at=at)


async def _keys(db: AsyncConnection, rows: Sequence[CompanyCells]) -> dict[str, str]:
    """Every name that occurs, with its key as the database folds it."""
    names = {row.name for row in rows} | {row.parent for row in rows if row.parent is not None}
    name = func.unnest(literal(list(names), ARRAY(Text))).column_valued("name")
    found = await db.execute(select(name, name_key(name)))
    return {name: key for name, key in found}


async def _stored(db: AsyncConnection, keys: Mapping[str, str]) -> dict[str, CompanyDraft]:
    """The companies of these names, of several that share one the oldest, with their contacts."""
    child = aliased(Company)
    found = await db.execute(
        select(
            Company.id, Company.name, Company.name_key, Company.website,
            Company.parent_company_id, IS_CLIENT.label("is_client"),
            exists().where(child.parent_company_id == Company.id).label("is_parent"),
        )
        .where(Company.name_key == any_(literal(list(set(keys.values())), ARRAY(Text))))
        .order_by(Company.created_at.desc(), Company.id.desc())
        .with_for_update(of=Company, key_share=True)
    )  # fmt: skip
    drafts: dict[str, CompanyDraft] = {}
    for row in found:
        facts = CompanyFacts(name=row.name, website=row.website, parent_id=row.parent_company_id)
        drafts[row.name_key] = CompanyDraft(
            id=row.id, facts=facts, stored=facts, is_client=row.is_client, is_parent=row.is_parent
        )
    await _take_contacts(db, {draft.id: draft for draft in drafts.values()})
    return drafts


async def _take_contacts(db: AsyncConnection, drafts: Mapping[str, CompanyDraft]) -> None:
    """Give the companies, by id, the contacts that they have."""
    contacts = await db.execute(
        select(
            Contact.id, Contact.company_id, Contact.name, Contact.email, Contact.phone,
            Contact.title, Contact.is_primary, Contact.archived_at,
        )
        .where(Contact.company_id == any_(literal(list(drafts), ARRAY(Text))))
        .order_by(Contact.created_at, Contact.id)
    )  # fmt: skip
    for row in contacts:
        facts = ContactFacts(
            name=row.name, email=row.email, phone=row.phone, title=row.title,
            is_primary=row.is_primary,
        )  # fmt: skip
        contact = ContactDraft(
            id=row.id, facts=facts, stored=facts, is_archived=row.archived_at is not None
        )
        drafts[str(row.company_id)].contacts.append(contact)


def _is_changed(draft: CompanyDraft | ContactDraft) -> bool:
    return draft.stored is not None and draft.stored != draft.facts


async def _write_companies(
    db: AsyncConnection, tenant_id: str, drafts: Sequence[CompanyDraft], at: datetime
) -> None:
    def row(draft: CompanyDraft) -> dict[str, Any]:
        facts = draft.facts
        return {"id": draft.id, "website": facts.website, "parent_company_id": facts.parent_id}

    # Parents and children in one statement: its end is when references are checked.
    new = _new(tenant_id, at)
    made = [{**row(one), "name": one.facts.name, **new} for one in drafts if one.stored is None]
    await db.execute(_NEW_COMPANIES, many.rows(made))
    changed = [{**row(one), "updated_at": at} for one in drafts if _is_changed(one)]
    await db.execute(_CHANGE_COMPANIES, many.rows(changed))


async def _write_contacts(
    db: AsyncConnection,
    tenant_id: str,
    contacts: Sequence[tuple[str, ContactDraft]],
    at: datetime,
) -> None:
    new = _new(tenant_id, at)
    made = [
        {"id": one.id, "company_id": company_id, **asdict(one.facts), **new}
        for company_id, one in contacts
        if one.stored is None
    ]
    await db.execute(_NEW_CONTACTS, many.rows(made))
    changed = [
        {"id": one.id, **asdict(one.facts), "updated_at": at}
        for _, one in contacts
        if _is_changed(one)
    ]
    await db.execute(_CHANGE_CONTACTS, many.rows(changed))


def _new(tenant_id: str, at: datetime) -> dict[str, Any]:
    return {"tenant_id": tenant_id, "created_at": at, "updated_at": at}
