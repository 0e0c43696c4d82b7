"""A recalculation with everything real but Stripe: what was paid there counts in the same run."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import text
from temporalio.client import Client

from activities.llm.offline import OfflineLlm
from models.contracts.revenue import Recalculated
from models.rules.clients.revenue import revenue_window
from models.settings import Settings
from tests.activities.people.test_stripe import Office, office
from tests.factories.clients import make_client
from tests.fakes.stripe_account import link
from tests.workflows.recalculation import Bookkeeper
from workers.container import Container
from workers.registry import agents_queue
from workers.worker import build_worker

__all__ = ["office"]

SCORED: dict[str, Any] = {
    "tier": "core", "tier_track": "delivery", "tier_score": Decimal("3.35"),
    "tier_revenue_score": 1, "tier_profitability_score": Decimal(3),
    "tier_strategic_score": Decimal(4), "tier_relationship_score": Decimal(5),
}  # fmt: skip


async def test_what_was_paid_at_stripe_is_imported_and_earns_its_tier(
    office: Office, temporal: Client
) -> None:
    today = datetime.now(UTC).date()
    paid = revenue_window(today).end - timedelta(days=1)
    customer = office.fake.customer()
    office.fake.invoice(
        customer, 28_500_000, paid_at=datetime(paid.year, paid.month, paid.day, 9, tzinfo=UTC)
    )
    db, tenant = office.database, office.tenant
    company_id = await make_client(db, tenant, "Acme", **SCORED)
    await link(db, tenant.id, company_id, customer["id"], tenant.admin_id)
    keeper = Bookkeeper(temporal)
    keeper.tenant_id = tenant.id
    container = Container(
        settings=Settings(), db=db, temporal=temporal, llms={"claude": OfflineLlm(0)},
        stripe=office.steps._accounts,
    )  # fmt: skip
    async with build_worker(temporal, agents_queue(container), task_queue=keeper.queue_name):
        assert await keeper.ask() == Recalculated(updated=1, tier_changes=1)
        assert await keeper.ask() == Recalculated()
    async with db.tenant(tenant.id) as session:
        found = await session.execute(
            text("select tier, tier_score, tier_revenue_score from client")
        )
        assert tuple(found.one()) == ("platinum", Decimal("4.25"), 4)
