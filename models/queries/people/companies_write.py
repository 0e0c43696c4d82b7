"""Companies as they come about and are changed: names are taken once, groups are one level deep."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import bindparam, exists, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models.contracts.actors import Actor
from models.errors import Conflict, NotFound, ProblemItem, Unprocessable
from models.queries.people.companies import name_key
from models.queries.people.contacts import NewContact, insert_contacts
from models.queries.records import audit
from models.tables.clients import Client
from models.tables.companies import Company

COMPANY: Final = "company"
_LOCK = text("select pg_advisory_xact_lock(hashtextextended(:name, 0))")
_CLIENT: Final = (
    select(Client.id)
    .where(Client.company_id == bindparam("company_id"))
    .with_for_update(key_share=True)
)
_CHANGEABLE: Final = ("name", "website", "parent_company_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCompany:
    """A company to be made."""

    id: str
    name: str
    website: str | None
    parent_company_id: str | None
    contacts: Sequence[NewContact]


async def lock_names(db: AsyncConnection, tenant_id: str) -> None:
    """Be the only one, until the transaction ends, who names companies of the tenant or groups."""
    await db.execute(_LOCK, {"name": f"companies:{tenant_id}"})


async def create(
    db: AsyncConnection, tenant_id: str, company: NewCompany, *, actor: Actor, at: datetime
) -> None:
    """Make the company and its contacts.

    Raises:
        Conflict: there is a company of this name.
        Unprocessable: the parent is none of the tenant's, or has a parent itself.
    """
    await lock_names(db, tenant_id)
    await _refuse_taken(db, company.name)
    if company.parent_company_id is not None:
        await _require_parent(db, company.parent_company_id)
    values = {
        "name": company.name,
        "website": company.website,
        "parent_company_id": company.parent_company_id,
    }
    await db.execute(
        insert(Company).values(
            id=company.id, tenant_id=tenant_id, created_at=at, updated_at=at, **values
        )
    )
    await audit.record(
        db, tenant_id, actor,
        entity=COMPANY, entity_id=company.id, action="created", changes=values,
    )  # fmt: skip
    await insert_contacts(db, tenant_id, company.id, company.contacts, actor=actor, at=at)


async def change(
    db: AsyncConnection,
    tenant_id: str,
    company_id: str,
    values: Mapping[str, str | None],
    *,
    actor: Actor,
    at: datetime,
) -> None:
    """Give the company another name, website or parent; a client's name follows.

    Raises:
        NotFound: the tenant has no such company.
        Conflict: there is another company of this name.
        Unprocessable: the parent is none, is the company itself, or the group would be deeper.
    """
    await lock_names(db, tenant_id)
    if "name" in values:
        # A client's name follows, and who has the client locked may yet refer to its company.
        await db.execute(_CLIENT, {"company_id": company_id})
    before = await _locked(db, company_id)
    changed = {name: values[name] for name in values if values[name] != before[name]}
    if not changed:
        return
    if (name := changed.get("name")) is not None:
        await _refuse_taken(db, name, but=company_id)
    if (parent_id := changed.get("parent_company_id")) is not None:
        await _refuse_deeper(db, company_id, parent_id)
    await db.execute(
        update(Company).where(Company.id == company_id).values(**changed, updated_at=at)
    )
    moved = {name: {"from": before[name], "to": to} for name, to in changed.items()}
    await audit.record(
        db, tenant_id, actor,
        entity=COMPANY, entity_id=company_id, action="updated", changes=moved,
    )  # fmt: skip


async def _locked(db: AsyncConnection, company_id: str) -> Mapping[str, Any]:
    found = await db.execute(
        select(*(getattr(Company, name) for name in _CHANGEABLE))
        .where(Company.id == company_id)
        .with_for_update(key_share=True)
    )
    row = found.one_or_none()
    if row is None:
        raise NotFound("There is no such company.")
    return row._asdict()


async def _refuse_taken(db: AsyncConnection, name: str, *, but: str | None = None) -> None:
    taken = select(Company.id).where(Company.name_key == name_key(name), Company.id != (but or ""))
    company_id = await db.scalar(taken.order_by(Company.created_at, Company.id).limit(1))
    if company_id is not None:
        item = ProblemItem(
            location="body.name", message=f"Is the name of company {company_id}", value=name
        )
        raise Conflict("There is a company of this name.", item)


async def _refuse_deeper(db: AsyncConnection, company_id: str, parent_id: str) -> None:
    """Refuse a parent that would make more of the group than parent and children."""
    if parent_id == company_id:
        raise _impossible(parent_id, "Is the company itself", "No company is its own parent.")
    await _require_parent(db, parent_id)
    if await db.scalar(select(exists().where(Company.parent_company_id == company_id))):
        raise _impossible(
            parent_id,
            "The company is a parent itself",
            "Groups are one level deep: a company with children has no parent.",
        )


async def _require_parent(db: AsyncConnection, parent_id: str) -> None:
    """See to it that the company can be a parent."""
    found = await db.execute(select(Company.parent_company_id).where(Company.id == parent_id))
    parent = found.one_or_none()
    if parent is None:
        raise _impossible(parent_id, "Not a company of the tenant", "There is no such parent.")
    if parent.parent_company_id is not None:
        raise _impossible(
            parent_id,
            "Has a parent itself",
            "Groups are one level deep: the parent has a parent.",
        )


def _impossible(parent_id: str, why: str, detail: str) -> Unprocessable:
    item = ProblemItem(location="body.parent_company_id", message=why, value=parent_id)
    return Unprocessable(detail, item)
