"""Rows of one tenant, made as the steps would leave them; every column can be overridden."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import func, insert, select

from models.db.database import Database
from models.ids import new_id
from models.queries.tenants import agent_id
from models.tables.agent_activities import AgentActivity, Comment, Output
from models.tables.agent_runs import AgentConfig, AgentRun, AgentSlot, LedgerEntry
from models.tables.approvals import Approval, ApprovalActivity
from models.tables.base import Base
from models.tables.campaigns import Campaign, Channel, Deliverable, DeliverablePeriod

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


class Records:
    """Makes rows; whatever a row hangs on is made too where it is not given."""

    def __init__(self, database: Database, tenant_id: str, author_id: str) -> None:
        self.database = database
        self.tenant_id = tenant_id
        self.author_id = author_id
        self._made = 0

    async def insert(self, table: type[Base], **values: Any) -> str:
        """Insert one row; answers its id where it has one."""
        async with self.database.tenant(self.tenant_id) as db:
            await db.execute(insert(table).values(tenant_id=self.tenant_id, **values))
        return str(values.get("id", ""))

    async def all(self, table: type[Base]) -> Sequence[Any]:
        """The rows of the tenant."""
        async with self.database.tenant(self.tenant_id) as db:
            return (await db.execute(select(table.__table__))).all()

    async def count(self, table: type[Base]) -> int:
        async with self.database.tenant(self.tenant_id) as db:
            counted = await db.execute(select(func.count()).select_from(table))
            return int(counted.scalar_one())

    def later(self) -> datetime:
        """A moment after all the others, so that lists have an order."""
        self._made += 1
        return NOON + timedelta(seconds=self._made)

    def agent(self, role: str = "copywriter") -> str:
        return agent_id(self.tenant_id, role)

    async def campaign(self, **overrides: Any) -> str:
        at = self.later()
        values = {
            "id": new_id(), "name": "Spring", "status": "active", "brief": "Sell heat pumps.",
            "created_by": self.author_id, "anchor_date": date(2026, 3, 1),
            "created_on": at, "updated_on": at,
        } | overrides  # fmt: skip
        return await self.insert(Campaign, **values)

    async def channel(self, **overrides: Any) -> str:
        values = {"id": new_id(), "name": "Blog", "type": "wordpress"} | overrides
        return await self.insert(Channel, **values)

    async def deliverable(self, campaign_id: str, **overrides: Any) -> str:
        values = {
            "id": new_id(), "campaign_id": campaign_id, "position": 0, "type": "blog_post",
            "quantity": 2,
        } | overrides  # fmt: skip
        return await self.insert(Deliverable, **values)

    async def period(self, campaign_id: str, deliverable_id: str, **overrides: Any) -> str:
        values = {
            "id": new_id(), "campaign_id": campaign_id, "deliverable_id": deliverable_id,
            "number": 0, "period_start": date(2026, 3, 1), "period_end": date(2026, 3, 31),
            "target": 2,
        } | overrides  # fmt: skip
        return await self.insert(DeliverablePeriod, **values)

    async def activity(self, campaign_id: str | None = None, **overrides: Any) -> str:
        at = self.later()
        role = overrides.get("agent_role", "copywriter")
        values = {
            "id": new_id(), "campaign_id": campaign_id or await self.campaign(),
            "title": "A post", "type": "blog_post", "status": "assigned",
            "wake_reason": "planned", "agent_role": role,
            "assignee_id": self.agent(role) if role else self.author_id,
            "input_prompt": "Write it.", "created_on": at, "updated_on": at,
        } | overrides  # fmt: skip
        return await self.insert(AgentActivity, **values)

    async def approval(self, campaign_id: str, *activity_ids: str, **overrides: Any) -> str:
        at = self.later()
        values = {
            "id": new_id(), "campaign_id": campaign_id, "title": "Publish?",
            "type": "content_review", "risk_level": "medium", "status": "pending",
            "created_by": self.agent(), "created_on": at,
            "expires_at": datetime.now(UTC) + timedelta(hours=72),
        } | overrides  # fmt: skip
        approval_id = await self.insert(Approval, **values)
        for activity_id in activity_ids:
            await self.insert(ApprovalActivity, approval_id=approval_id, activity_id=activity_id)
        return approval_id

    async def output(self, activity_id: str, text: str, **overrides: Any) -> str:
        values = {
            "id": new_id(), "activity_id": activity_id, "text": text, "format": "markdown",
            "content_hash": hashlib.sha256(text.encode()).hexdigest(), "created_on": self.later(),
        } | overrides  # fmt: skip
        return await self.insert(Output, **values)

    async def comment(self, activity_id: str, **overrides: Any) -> str:
        values = {
            "id": new_id(), "activity_id": activity_id, "author_id": self.author_id,
            "type": "comment", "text": "Fine.", "mentions": [], "created_on": self.later(),
        } | overrides  # fmt: skip
        return await self.insert(Comment, **values)

    async def run(self, activity_id: str, **overrides: Any) -> str:
        values = {
            "id": new_id(), "activity_id": activity_id, "number": 1, "thread": 1,
            "status": "completed", "agent_role": "copywriter", "adapter": "claude",
            "model": "claude-sonnet-4-5", "config": {}, "system_prompt": "", "facts": {},
            "started_at": NOON, "ended_at": NOON + timedelta(seconds=30),
        } | overrides  # fmt: skip
        return await self.insert(AgentRun, **values)

    async def charge(self, campaign_id: str, activity_id: str, cost: str, **overrides: Any) -> None:
        values = {
            "campaign_id": campaign_id, "activity_id": activity_id, "run_id": new_id(),
            "turn": 1, "attempt": 1, "agent_role": "copywriter", "model": "claude-sonnet-4-5",
            "price_effective_from": date(2025, 9, 29), "input_tokens": 10, "output_tokens": 10,
            "cache_write_tokens": 0, "cache_read_tokens": 0, "cost_usd": Decimal(cost),
            "created_on": NOON,
        } | overrides  # fmt: skip
        await self.insert(LedgerEntry, **values)

    async def slot(self, activity_id: str, role: str = "copywriter") -> None:
        await self.insert(AgentSlot, activity_id=activity_id, role=role, held_since=NOON)

    async def configured(self, role: str = "copywriter", **overrides: Any) -> None:
        await self.insert(AgentConfig, role=role, **overrides)
