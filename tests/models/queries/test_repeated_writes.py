"""What a step writes again is there once, and the step hears that it was there already."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from models.db.database import Database
from models.ids import new_id
from models.queries.agents import approvals_write, campaigns_write
from models.rules.vocabulary import (
    ApprovalType,
    CampaignStatus,
    DeliverableType,
    EventKind,
    RiskLevel,
)
from models.tables.approvals import Approval, ApprovalActivity
from models.tables.campaigns import Campaign, Deliverable
from models.tables.records import Event
from tests.factories.agents import TenantMade, make_activity, make_campaign, make_tenant

NOW = datetime(2026, 3, 10, 9, tzinfo=UTC)


@pytest.fixture
async def tenant(db: Database) -> TenantMade:
    return await make_tenant(db)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """A question about an activity that can be asked again and again."""

    db: Database
    tenant: TenantMade
    campaign_id: str
    activity_id: str
    approval_id: str

    async def ask(self) -> bool:
        async with self.db.tenant(self.tenant.id) as session:
            return await approvals_write.ask(
                session,
                tenant_id=self.tenant.id,
                approval_id=self.approval_id,
                campaign_id=self.campaign_id,
                activity_ids=[self.activity_id],
                kind=ApprovalType.CONTENT_REVIEW,
                risk=RiskLevel.MEDIUM,
                title="Publish?",
                description=None,
                options=None,
                content_hash=None,
                cost_so_far=Decimal(0),
                created_by=self.tenant.admin_id,
                at=NOW,
                expires_at=NOW + timedelta(days=3),
            )

    async def remind(self, hours_left: int) -> bool:
        async with self.db.tenant(self.tenant.id) as session:
            return await approvals_write.remind(
                session, self.tenant.id, self.approval_id, hours_left
            )


@pytest.fixture
async def asking(db: Database, tenant: TenantMade) -> Asking:
    campaign_id = await make_campaign(db, tenant)
    activity_id = await make_activity(db, tenant, campaign_id)
    return Asking(
        db=db,
        tenant=tenant,
        campaign_id=campaign_id,
        activity_id=activity_id,
        approval_id=new_id(),
    )


async def test_an_approval_asked_twice_is_announced_once(
    db: Database, tenant: TenantMade, asking: Asking
) -> None:
    asked = [await asking.ask() for _ in range(2)]
    async with db.tenant(tenant.id) as session:
        approvals = (await session.execute(select(Approval.id))).scalars().all()
        linked = (await session.execute(select(ApprovalActivity.activity_id))).scalars().all()
        heard = (await session.execute(select(Event.kind))).scalars().all()
    assert asked == [True, False]
    assert (approvals, linked) == ([asking.approval_id], [asking.activity_id])
    assert heard == [EventKind.APPROVAL_CREATED]


async def test_a_reminder_given_again_or_late_is_published_once(
    db: Database, tenant: TenantMade, asking: Asking
) -> None:
    await asking.ask()
    reminded = [await asking.remind(hours_left) for hours_left in (24, 24, 6, 24, 6)]
    async with db.tenant(tenant.id) as session:
        expiring = Event.kind == EventKind.APPROVAL_EXPIRING
        heard = await session.execute(select(Event.payload).where(expiring).order_by(Event.seq))
        left = [payload["hoursLeft"] for payload in heard.scalars()]
    assert reminded == [True, False, True, False, False]
    assert left == [24, 6]


async def test_a_campaign_submitted_twice_is_there_once(db: Database, tenant: TenantMade) -> None:
    campaign_id = new_id()
    values = {
        "id": campaign_id,
        "tenant_id": tenant.id,
        "name": "Summer",
        "status": CampaignStatus.DRAFT,
        "brief": "Sell more ice.",
        "created_by": tenant.admin_id,
    }
    inserted = []
    for _ in range(2):
        # Ids of their own, so that nothing but the campaign stands in the way of a second set.
        deliverable = {
            "id": new_id(),
            "tenant_id": tenant.id,
            "campaign_id": campaign_id,
            "position": 0,
            "type": DeliverableType.BLOG_POST,
            "quantity": 2,
        }
        async with db.tenant(tenant.id) as session:
            inserted.append(
                await campaigns_write.insert_campaign(session, values, [deliverable], [])
            )
    async with db.tenant(tenant.id) as session:
        campaigns = select(Campaign.id).where(Campaign.id == campaign_id)
        deliverables = select(Deliverable.quantity).where(Deliverable.campaign_id == campaign_id)
        found = (await session.execute(campaigns)).scalars().all()
        ordered = (await session.execute(deliverables)).scalars().all()
    assert inserted == [True, False]
    assert (found, ordered) == ([campaign_id], [2])
