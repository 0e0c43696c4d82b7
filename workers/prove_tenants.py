"""A tenant of `prove`: it submits campaigns, follows its feed, and approves whatever is asked."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

import httpx

from models.db.database import Database
from models.ids import new_id
from models.queries.agents.proof import Record
from models.queries.tenants import Human, create_tenant
from models.rules.vocabulary import Role
from models.settings import Settings
from workers.api_client import Api, ApiRefused
from workers.stack import StackRecord
from workers.tokens import issue

_TOKEN_LIFE: Final = timedelta(hours=1)
_ORDERS: Final = (
    ({"type": "social_post", "quantity": 1},),
    ({"type": "blog_post", "quantity": 1},),
    ({"type": "gbp_post", "quantity": 1}, {"type": "email_newsletter", "quantity": 1}),
    ({"type": "website_audit", "quantity": 1},),
)


@dataclass(slots=True, kw_only=True)
class Agency:
    """What one tenant did and was told."""

    tenant_id: str
    api: Api
    submitted: dict[str, int] = field(default_factory=dict)
    """The campaigns that the API took, and how many deliverables each ordered."""
    approved: set[str] = field(default_factory=set)
    """The approvals of which the API said that they are approved."""
    read: list[int] = field(default_factory=list)
    """The ids of the feed's events, as they came."""

    async def submit(self, number: int, *orders: dict[str, Any], key: str | None = None) -> None:
        """Submit a campaign, with one key however often it takes."""
        ordered = orders or _ORDERS[number % len(_ORDERS)]
        body: dict[str, Any] = {
            "name": f"Campaign {number}",
            "brief": f"Brief {number}: sell more tea to people who like coffee.",
            "deliverables": list(ordered),
        }
        key = key or f"prove-{new_id()}"
        while True:
            try:
                campaign_id = await self.api.create_campaign(body, key)
            except (ApiRefused, httpx.TransportError) as error:
                await _pause_before_another_try(error)
            else:
                self.submitted[campaign_id] = len(ordered)
                return

    async def follow(self) -> None:
        """Read the feed from its beginning, and approve what it says was asked."""
        async with asyncio.TaskGroup() as group:
            async for event in self.api.events("/events/stream", after="0"):
                if event.id is not None:
                    self.read.append(int(event.id))
                if event.name == "approval_created":
                    group.create_task(self.approve(event.content["approvalId"]))

    async def approve(self, approval_id: str) -> None:
        """Approve, with one key however often it takes."""
        key = f"prove-{approval_id}"
        while True:
            try:
                await self.api.resolve(approval_id, "approved", option=None, note=None, key=key)
            except (ApiRefused, httpx.TransportError) as error:
                await _pause_before_another_try(error)
            else:
                self.approved.add(approval_id)
                return

    def missing(self, record: Record) -> Iterator[str]:
        """Campaigns that the API took and the record does not have whole."""
        for campaign_id, ordered in self.submitted.items():
            made = [row for row in record.activities
                    if row.campaign_id == campaign_id and row.deliverable_id]  # fmt: skip
            if len(made) != ordered:
                yield f"campaign {campaign_id} ordered {ordered} and made {len(made)}"

    def misread(self, record: Record) -> Iterator[str]:
        """Events that the feed skipped, doubled or sent out of order."""
        written = [row.seq for row in record.events]
        if self.read != written:
            yield f"the feed sent {len(self.read)} events of {len(written)}, or in another order"


async def make_agency(
    database: Database, settings: Settings, record: StackRecord, name: str
) -> Agency:
    """Make a tenant with one admin, who may do everything that a proof needs."""
    tenant_id = new_id()
    admin = Human(
        id=new_id(), name="Ada", email=f"{tenant_id.lower()}@example.test", role=Role.ADMIN
    )
    async with database.tenant(tenant_id) as db:
        await create_tenant(db, tenant_id=tenant_id, name=name, humans=[admin])

    def token() -> str:
        return issue(
            settings, subject=admin.id, tenant=tenant_id, role=Role.ADMIN, lifetime=_TOKEN_LIFE
        )

    return Agency(tenant_id=tenant_id, api=Api(record.api_url, token))


async def _pause_before_another_try(error: Exception) -> None:
    """Wait where the same request may succeed later; nothing else is put up with."""
    if isinstance(error, ApiRefused) and error.status not in (409, 429, 503):
        raise error
    await asyncio.sleep(0.5)
