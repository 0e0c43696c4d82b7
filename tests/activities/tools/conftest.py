"""A tenant with an active campaign and an activity whose agent calls tools."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from activities.tools.ports import ToolAnswer, ToolContext
from activities.tools.registry import Toolbox, build
from models.db.database import Database
from models.ids import new_id
from models.rules.vocabulary import ActivityType
from tests.factories.agents import TenantMade, make_activity, make_campaign, make_tenant


@dataclass(frozen=True, kw_only=True)
class Desk:
    """An agent at work: it calls tools, and `again` repeats its last call as a crash would."""

    database: Database
    tenant: TenantMade
    context: ToolContext
    toolbox: Toolbox

    async def call(
        self, name: str, input: Mapping[str, Any], *, call_id: str | None = None, **changes: Any
    ) -> ToolAnswer:
        context = replace(self.context, call_id=call_id or new_id(), **changes)
        return await self.toolbox.call(name, context, input)

    async def say(self, name: str, input: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
        """Call a tool that must carry the call out, and read its answer."""
        answered = await self.call(name, input, **changes)
        assert not answered.is_error, answered.output
        content = json.loads(answered.output)
        assert isinstance(content, dict)
        return content

    async def problems(self, name: str, input: Mapping[str, Any], **changes: Any) -> list[str]:
        """Call a tool that must refuse, and read why."""
        answered = await self.call(name, input, **changes)
        assert answered.is_error, answered.output
        assert answered.ending == "none"
        found = json.loads(answered.output)["problems"]
        assert isinstance(found, list)
        return found


@pytest.fixture
def bare_desk() -> Desk:
    """A desk without a database, for calls that are refused before one is needed."""
    database = Database("postgresql+psycopg://nobody@127.0.0.1:1/nothing")
    return Desk(
        database=database,
        tenant=TenantMade(id=new_id(), admin_id=new_id(), member_id=new_id()),
        toolbox=build(database),
        context=ToolContext(
            tenant_id=new_id(),
            campaign_id=new_id(),
            activity_id=new_id(),
            run_id=new_id(),
            call_id=new_id(),
            role="copywriter",
            activity_type=ActivityType.BLOG_POST,
            at=datetime(2026, 3, 2, tzinfo=UTC),
        ),
    )


@pytest.fixture
async def desk(db: Database) -> Desk:
    tenant = await make_tenant(db)
    campaign_id = await make_campaign(db, tenant, status="active")
    return Desk(
        database=db,
        tenant=tenant,
        toolbox=build(db),
        context=ToolContext(
            tenant_id=tenant.id,
            campaign_id=campaign_id,
            activity_id=await make_activity(db, tenant, campaign_id),
            run_id=new_id(),
            call_id=new_id(),
            role="copywriter",
            activity_type=ActivityType.BLOG_POST,
            at=datetime(2026, 3, 2, tzinfo=UTC),
        ),
    )
