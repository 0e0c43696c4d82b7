"""Tenants and the people in them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from models.errors import NotFound
from models.ids import derived_id
from models.rules.roles import ROLES
from models.rules.vocabulary import CampaignStatus, PrincipalType, Role
from models.tables.campaigns import Campaign
from models.tables.people import Principal, Tenant


@dataclass(frozen=True, slots=True, kw_only=True)
class Human:
    """A person to be made a user of the tenant; the id is the `sub` of their tokens."""

    id: str
    name: str
    email: str
    role: Role


def agent_id(tenant_id: str, role: str) -> str:
    """The id of the principal that stands for an agent role in a tenant."""
    return derived_id("agent", tenant_id, role)


def system_campaign_id(tenant_id: str) -> str:
    """The id of the tenant's system campaign."""
    return derived_id("system-campaign", tenant_id)


async def require(db: AsyncConnection) -> None:
    """See to it that the session's tenant is there.

    Raises:
        NotFound: nobody made it.
    """
    if (await db.execute(select(Tenant.id))).one_or_none() is None:
        raise NotFound("There is no such tenant.")


async def create_tenant(
    db: AsyncConnection, *, tenant_id: str, name: str, humans: Sequence[Human]
) -> None:
    """Make a tenant with its agents, its people (the first is its founder) and Always-on.

    Doing it again changes nothing that is there; the session must be the tenant's own.
    """
    await db.execute(insert(Tenant).values(id=tenant_id, name=name).on_conflict_do_nothing())
    people = [
        {"id": human.id, "type": PrincipalType.HUMAN, "name": human.name, "email": human.email,
         "role": human.role, "tenant_id": tenant_id}
        for human in humans
    ]  # fmt: skip
    agents = [
        {"id": agent_id(tenant_id, role.name), "type": PrincipalType.AGENT, "name": role.title,
         "email": None, "role": role.name, "tenant_id": tenant_id}
        for role in ROLES.values()
    ]  # fmt: skip
    await db.execute(insert(Principal).on_conflict_do_nothing(), [*people, *agents])
    await db.execute(
        insert(Campaign)
        .values(
            id=system_campaign_id(tenant_id),
            tenant_id=tenant_id,
            name="Always-on",
            status=CampaignStatus.ACTIVE,
            brief="Work that belongs to no other campaign.",
            is_system=True,
            created_by=humans[0].id,
            anchor_date=date(2020, 1, 1),
        )
        .on_conflict_do_nothing()
    )


async def set_monthly_cap(db: AsyncConnection, tenant_id: str, cap: Decimal | None) -> None:
    """Bound what a tenant may spend in a calendar month (UTC); None lifts the bound."""
    await db.execute(update(Tenant).where(Tenant.id == tenant_id).values(monthly_cap_usd=cap))


async def all_ids(db: AsyncConnection) -> list[str]:
    """The ids of all tenants: the one thing that a sweep learns from outside the wall."""
    return list((await db.execute(text("select tenant_ids()"))).scalars())
