"""Promoting a company to a client, and who may be a client's delivery manager."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from models.contracts.actors import Actor
from models.errors import Conflict, NotFound, ProblemItem, Unprocessable
from models.queries.people.history import Occurrence, record
from models.rules.clients.vocabulary import ClientStatus, HistoryKind
from models.rules.vocabulary import PrincipalStatus, PrincipalType
from models.tables.clients import Client
from models.tables.companies import Company
from models.tables.people import Principal


@dataclass(frozen=True, slots=True, kw_only=True)
class Promotion:
    """A company that becomes a client, without tier, health score or QBR dates."""

    client_id: str
    company_id: str
    status: ClientStatus
    assigned_dm_id: str | None


async def promote(
    db: AsyncConnection, tenant_id: str, promotion: Promotion, *, actor: Actor, at: datetime
) -> None:
    """Give the company a profile.

    Raises:
        NotFound: the tenant has no such company.
        Conflict: it is a client already, be it since a moment ago.
        Unprocessable: the delivery manager is not an active user.
    """
    name_key = await _unpromoted(db, promotion.company_id)
    if promotion.assigned_dm_id is not None:
        await require_delivery_manager(db, promotion.assigned_dm_id)
    await db.execute(
        insert(Client).values(
            id=promotion.client_id,
            tenant_id=tenant_id,
            company_id=promotion.company_id,
            name_key=name_key,
            status=promotion.status,
            assigned_dm_id=promotion.assigned_dm_id,
            created_at=at,
            updated_at=at,
        )
    )
    details = {"status": promotion.status, "assigned_dm_id": promotion.assigned_dm_id}
    await record(
        db,
        tenant_id=tenant_id,
        company_id=promotion.company_id,
        actor=actor,
        occurrences=[Occurrence(kind=HistoryKind.PROMOTED, details=details)],
        at=at,
    )


async def _unpromoted(db: AsyncConnection, company_id: str) -> str:
    """The name key of a company that is no client, locked: of two that promote it one waits."""
    company = await db.execute(
        select(Company.name_key).where(Company.id == company_id).with_for_update(key_share=True)
    )
    name_key = company.scalar_one_or_none()
    if name_key is None:
        raise NotFound("There is no such company.")
    # A statement of its own: one that has waited for the lock does not see what it waited for.
    promoted = await db.execute(select(Client.id).where(Client.company_id == company_id))
    if promoted.one_or_none() is not None:
        raise Conflict("The company is a client already.")
    return name_key


async def require_delivery_manager(db: AsyncConnection, principal_id: str) -> None:
    """See to it that this is somebody whom clients can be assigned to.

    Raises:
        Unprocessable: it is nobody of the tenant, an agent, or a user who is not active.
    """
    found = await db.execute(
        select(Principal.id).where(
            Principal.id == principal_id,
            Principal.type == PrincipalType.HUMAN,
            Principal.status == PrincipalStatus.ACTIVE,
        )
    )
    if found.one_or_none() is None:
        why = "Not an active user of the tenant"
        item = ProblemItem(location="body.assigned_dm_id", message=why, value=principal_id)
        raise Unprocessable("The delivery manager must be an active user.", item)
