"""Rows of the agents' area, with everything that a test does not care about filled in."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import insert
from sqlalchemy.dialects.postgresql import insert as upsert

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
from models.tables.agent_runs import AgentRun, LlmTurn
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


async def make_turn(
    database: Database, tenant: TenantMade, activity_id: str, *, number: int = 1, **overrides: Any
) -> LlmTurn:
    """An open turn of an activity's run, which is made with it where it is not there."""
    run_id = f"run-{activity_id}"[:26]
    run = {
        "id": run_id, "tenant_id": tenant.id, "activity_id": activity_id, "number": 1, "thread": 1,
        "status": "running", "agent_role": "copywriter", "adapter": "claude", "model": "m",
        "config": {}, "system_prompt": "", "facts": {}, "started_at": datetime.now(UTC),
    }  # fmt: skip
    turn = {
        "tenant_id": tenant.id, "run_id": run_id, "number": number, "attempt": 1,
        "status": "open", "activity_id": activity_id, "model": "m", "reserved_usd": Decimal(0),
        **overrides,
    }  # fmt: skip
    async with database.tenant(tenant.id) as db:
        await db.execute(upsert(AgentRun).on_conflict_do_nothing(), run)
        await db.execute(insert(LlmTurn), turn)
    return LlmTurn(**turn)


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
