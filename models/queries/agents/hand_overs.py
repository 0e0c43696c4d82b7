"""Whom work can be handed to: an agent role, a person, or the campaign's founder."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from models.db.rows import AnyRow
from models.queries.tenants import agent_id
from models.rules.roles import ROLES
from models.tables.campaigns import Campaign


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The new assignee; `role` is None when it is a person."""

    principal_id: str
    role: str | None


async def target(db: AsyncConnection, row: AnyRow, to: str) -> Target:
    """Read `to` as the tool hand_over takes it: a role, `human:<id>`, or `human`."""
    if to in ROLES:
        return Target(principal_id=agent_id(row.tenant_id, to), role=to)
    if to.startswith("human:"):
        return Target(principal_id=to.removeprefix("human:"), role=None)
    founder = select(Campaign.created_by).where(Campaign.id == row.campaign_id)
    return Target(principal_id=(await db.execute(founder)).scalar_one(), role=None)
