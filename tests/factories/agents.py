"""Rows of the agents' area, with everything that a test does not care about filled in."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert

from models.db.database import Database
from models.ids import new_id
from models.queries.tenants import Human, agent_id, create_tenant
from models.rules.vocabulary import (
    ActivityStatus,
    ActivityType,
    CampaignStatus,
    DeliverableType,
    Role,
)
from models.tables.agent_activities import AgentActivity, Output
from models.tables.campaigns import Campaign, Deliverable


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantMade:
    """A tenant and two people of it."""

    id: str
    admin_id: str
    member_id: str


async def make_tenant(database: Database, **overrides: Any) -> TenantMade:
    """A tenant with its agents, an admin, a member and Always-on."""
    made = TenantMade(id=new_id(), admin_id=new_id(), member_id=new_id())
    people = [
        Human(id=made.admin_id, name="Ada", email="ada@example.com", role=Role.ADMIN),
        Human(id=made.member_id, name="Ben", email="ben@example.com", role=Role.MEMBER),
    ]
    async with database.tenant(made.id) as db:
        await create_tenant(
            db, tenant_id=made.id, name=overrides.get("name", "Acme"), humans=people
        )
    return made


async def make_campaign(
    database: Database,
    tenant: TenantMade,
    *,
    ordered: Sequence[tuple[DeliverableType, int]] = (),
    **overrides: Any,
) -> str:
    """A draft campaign of the tenant's admin, with deliverables of these types and quantities."""
    campaign_id = new_id()
    values = {
        "id": campaign_id,
        "tenant_id": tenant.id,
        "name": "Spring",
        "status": CampaignStatus.DRAFT,
        "brief": "Sell more tea.",
        "created_by": tenant.admin_id,
        **overrides,
    }
    async with database.tenant(tenant.id) as db:
        await db.execute(insert(Campaign).values(values))
        for position, (kind, quantity) in enumerate(ordered):
            await db.execute(
                insert(Deliverable).values(
                    id=new_id(),
                    tenant_id=tenant.id,
                    campaign_id=campaign_id,
                    position=position,
                    type=kind,
                    quantity=quantity,
                )
            )
    return campaign_id


async def make_activity(
    database: Database,
    tenant: TenantMade,
    campaign_id: str,
    *,
    role: str = "copywriter",
    **overrides: Any,
) -> str:
    """An activity of an agent, in progress."""
    activity_id = new_id()
    values = {
        "id": activity_id,
        "tenant_id": tenant.id,
        "campaign_id": campaign_id,
        "title": "Write a post",
        "type": ActivityType.BLOG_POST,
        "status": ActivityStatus.IN_PROGRESS,
        "agent_role": role,
        "assignee_id": agent_id(tenant.id, role),
        "input_prompt": "Write it.",
        **overrides,
    }
    async with database.tenant(tenant.id) as db:
        await db.execute(insert(AgentActivity).values(values))
    return activity_id


async def make_output(
    database: Database, tenant: TenantMade, activity_id: str, text: str, **overrides: Any
) -> str:
    """A stored output of an activity."""
    output_id = new_id()
    values = {
        "id": output_id,
        "tenant_id": tenant.id,
        "activity_id": activity_id,
        "text": text,
        "format": "markdown",
        "content_hash": hashlib.sha256(text.encode()).hexdigest(),
        **overrides,
    }
    async with database.tenant(tenant.id) as db:
        await db.execute(insert(Output).values(values))
    return output_id
