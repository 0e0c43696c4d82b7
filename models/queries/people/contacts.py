"""The people of a company: listed, added and changed; at most one of them is the primary one."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models.contracts.actors import Actor
from models.errors import Conflict, NotFound, ProblemItem, Unprocessable
from models.queries.records import audit
from models.tables.companies import Company, Contact

CONTACT: Final = "contact"


class ContactRow(NamedTuple):
    """A contact of a company."""

    id: str
    company_id: str
    name: str
    email: str | None
    phone: str | None
    title: str | None
    is_primary: bool
    archived: bool
    last_interaction_at: datetime | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NewContact:
    """A contact to be made."""

    id: str
    name: str
    email: str | None
    phone: str | None
    title: str | None
    is_primary: bool


_CONTACT = select(
    Contact.id, Contact.company_id, Contact.name, Contact.email, Contact.phone, Contact.title,
    Contact.is_primary, Contact.archived_at.is_not(None).label("archived"),
    Contact.last_interaction_at, Contact.created_at, Contact.updated_at,
)  # fmt: skip


async def page(
    db: AsyncConnection, company_id: str, *, archived: bool = False, offset: int = 0, limit: int
) -> tuple[Sequence[ContactRow], int]:
    """The company's contacts, the primary one first, then by name; archived ones if asked for.

    Raises:
        NotFound: the tenant has no such company.
    """
    matching = [Contact.company_id == company_id]
    if not archived:
        matching.append(Contact.archived_at.is_(None))
    total = await db.scalar(
        select(select(func.count()).select_from(Contact).where(*matching).scalar_subquery()).where(
            Company.id == company_id
        )
    )
    if total is None:
        raise NotFound("There is no such company.")
    listed = _CONTACT.where(*matching).order_by(Contact.is_primary.desc(), Contact.name, Contact.id)
    rows = await db.execute(listed.offset(offset).limit(limit))
    return [ContactRow._make(row) for row in rows], total


async def one(db: AsyncConnection, company_id: str, contact_id: str) -> ContactRow:
    """The contact.

    Raises:
        NotFound: the company is none of the tenant's, or has no such contact.
    """
    found = await db.execute(
        _CONTACT.where(Contact.company_id == company_id, Contact.id == contact_id)
    )
    row = found.one_or_none()
    if row is None:
        raise NotFound("There is no such contact.")
    return ContactRow._make(row)


async def add(
    db: AsyncConnection,
    tenant_id: str,
    company_id: str,
    contact: NewContact,
    *,
    actor: Actor,
    at: datetime,
) -> None:
    """Give the company a contact.

    Raises:
        NotFound: the tenant has no such company.
        Conflict: the company has a contact with this address.
    """
    await _lock_company(db, company_id)
    if contact.email is not None:
        await _refuse_taken(db, company_id, contact.email)
    if contact.is_primary:
        await _unmake_primary(db, company_id, at)
    await insert_contacts(db, tenant_id, company_id, [contact], actor=actor, at=at)


async def insert_contacts(
    db: AsyncConnection,
    tenant_id: str,
    company_id: str,
    contacts: Sequence[NewContact],
    *,
    actor: Actor,
    at: datetime,
) -> None:
    """Add contacts that are known to fit."""
    if not contacts:
        return
    common = {
        "tenant_id": tenant_id, "company_id": company_id, "created_at": at, "updated_at": at,
    }  # fmt: skip
    rows = [asdict(contact) for contact in contacts]
    await db.execute(insert(Contact), [row | common for row in rows])
    made = [
        audit.Change(
            entity=CONTACT,
            entity_id=contact.id,
            action="created",
            changes={**row, "company_id": company_id},
        )
        for contact, row in zip(contacts, rows, strict=True)
    ]
    await audit.record_all(db, tenant_id, actor, made)


async def change(
    db: AsyncConnection,
    tenant_id: str,
    contact: tuple[str, str],
    values: Mapping[str, Any],
    *,
    actor: Actor,
    at: datetime,
) -> None:
    """Change the contact, given by the ids of its company and its own; archiving is a change.

    Raises:
        NotFound: the company is none of the tenant's, or has no such contact.
        Conflict: the company has another contact with this address.
        Unprocessable: an archived contact would be the primary one.
    """
    company_id, contact_id = contact
    await _lock_company(db, company_id)
    before = (await one(db, company_id, contact_id))._asdict()
    after = _settled(before, values)
    changed = {name: after[name] for name in before if after[name] != before[name]}
    if not changed:
        return
    if changed.get("email") is not None:
        await _refuse_taken(db, company_id, changed["email"], but=contact_id)
    if changed.get("is_primary"):
        await _unmake_primary(db, company_id, at)
    columns = dict(changed)
    if "archived" in columns:
        columns["archived_at"] = at if columns.pop("archived") else None
    await db.execute(
        update(Contact).where(Contact.id == contact_id).values(**columns, updated_at=at)
    )
    moved = {name: {"from": before[name], "to": to} for name, to in changed.items()}
    await audit.record(
        db, tenant_id, actor,
        entity=CONTACT, entity_id=contact_id, action="updated", changes=moved,
    )  # fmt: skip


def _settled(before: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """The contact as it will be: one that is archived stops being the primary one."""
    after = {**before, **values}
    if after["archived"]:
        if values.get("is_primary"):
            item = ProblemItem(location="body.is_primary", message="Is archived", value=True)
            raise Unprocessable("An archived contact cannot be the primary one.", item)
        after["is_primary"] = False
    return after


async def _lock_company(db: AsyncConnection, company_id: str) -> None:
    """Be the only one, until the transaction ends, who changes contacts of the company."""
    found = await db.execute(
        select(Company.id).where(Company.id == company_id).with_for_update(key_share=True)
    )
    if found.one_or_none() is None:
        raise NotFound("There is no such company.")


async def _refuse_taken(
    db: AsyncConnection, company_id: str, email: str, *, but: str | None = None
) -> None:
    taken = select(Contact.id).where(
        Contact.company_id == company_id,
        func.lower(Contact.email) == email,
        Contact.id != (but or ""),
    )
    contact_id = await db.scalar(taken.order_by(Contact.created_at, Contact.id).limit(1))
    if contact_id is not None:
        item = ProblemItem(
            location="body.email", message=f"Is the address of contact {contact_id}", value=email
        )
        raise Conflict("The company has a contact with this address.", item)


async def _unmake_primary(db: AsyncConnection, company_id: str, at: datetime) -> None:
    await db.execute(
        update(Contact)
        .where(Contact.company_id == company_id, Contact.is_primary)
        .values(is_primary=False, updated_at=at)
    )
