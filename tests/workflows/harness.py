"""What workflow tests drive: a tenant, a worker with the real steps, and short words for both."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import text
from temporalio.client import Client, WithStartWorkflowOperation, WorkflowHandle
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.service import RPCError
from temporalio.worker import Worker

from activities.llm.offline import OfflineLlm
from activities.ports import Llm
from models.contracts.actors import Actor
from models.contracts.agent_activities import CarryOutActivity, RetryActivity
from models.contracts.approvals import ResolveApproval, ResolvedApproval
from models.contracts.campaigns import (
    ChangeCampaign,
    DeliverableOrder,
    LaunchCampaign,
    SubmitCampaign,
)
from models.db.database import Database
from models.ids import new_id
from models.queries.tenants import Human, create_tenant
from models.rules.vocabulary import CampaignStatus, DeliverableType, Resolution, Role
from models.settings import Settings
from workers.billing import build_stripe
from workers.container import Container
from workers.registry import agents_queue
from workers.worker import build_worker
from workflows.agents.agent_activities import AgentActivityWorkflow
from workflows.agents.approvals import ApprovalWorkflow
from workflows.agents.campaigns import CampaignWorkflow
from workflows.visibility import activity_workflow, approval_workflow, campaign_workflow

PATIENCE = 15.0


class Engine:
    """A tenant with a running worker. Reads look past nothing: they are the tenant's own."""

    def __init__(self, db: Database, temporal: Client, llms: Mapping[str, Llm]) -> None:
        self.db = db
        self.temporal = temporal
        self.tenant_id = new_id()
        self.admin = Actor(id=new_id(), type="human", name="Ada")
        self.llms = llms
        self.queue_name = f"agents-{self.tenant_id}"

    @classmethod
    @asynccontextmanager
    async def started(
        cls, db: Database, temporal: Client, llms: Mapping[str, Llm] | None = None
    ) -> AsyncIterator["Engine"]:
        """Make the tenant and run a worker until the test is over."""
        engine = cls(db, temporal, llms or {"claude": OfflineLlm(0), "offline": OfflineLlm(0)})
        await engine.make_tenant()
        async with engine.worker():
            yield engine

    async def make_tenant(self) -> None:
        async with self.db.tenant(self.tenant_id) as db:
            ada = Human(id=self.admin.id, name="Ada", email="ada@example.test", role=Role.ADMIN)
            await create_tenant(db, tenant_id=self.tenant_id, name="Aster", humans=[ada])

    def worker(self) -> Worker:
        container = Container(
            settings=Settings(), db=self.db, temporal=self.temporal, llms=self.llms,
            stripe=build_stripe(Settings()),
        )  # fmt: skip
        queue = agents_queue(container)
        return build_worker(self.temporal, queue, task_queue=self.queue_name)

    async def submit(
        self,
        *deliverables: tuple[DeliverableType, int],
        brief: str = "Sell more tea to people who like coffee.",
        **values: Any,
    ) -> str:
        """Submit a campaign as the API does; answers its id once it is a draft."""
        campaign_id = new_id()
        ordered = deliverables or ((DeliverableType.BLOG_POST, 1),)
        submitted = SubmitCampaign(
            actor=self.admin,
            name=values.pop("name", "Tea for coffee drinkers"),
            brief=brief,
            deliverables=tuple(
                DeliverableOrder(type=kind, quantity=quantity) for kind, quantity in ordered
            ),
            **values,
        )
        await self.first_update(
            CampaignWorkflow.run,
            LaunchCampaign(tenant_id=self.tenant_id, campaign_id=campaign_id),
            CampaignWorkflow.submit,
            submitted,
            id=campaign_workflow(campaign_id),
        )
        return campaign_id

    async def first_update(self, run: Any, order: Any, update: Any, message: Any, id: str) -> None:
        """Start a workflow with an update, in one request, as the API does."""
        start: WithStartWorkflowOperation[Any, Any] = WithStartWorkflowOperation(
            run,
            order,
            id=id,
            task_queue=self.queue_name,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        )
        await self.temporal.execute_update_with_start_workflow(
            update, message, start_workflow_operation=start
        )

    def campaign(self, campaign_id: str) -> WorkflowHandle[Any, Any]:
        return self.temporal.get_workflow_handle(campaign_workflow(campaign_id))

    async def change(self, campaign_id: str, **values: Any) -> None:
        await self.campaign(campaign_id).execute_update(
            CampaignWorkflow.change, ChangeCampaign(actor=self.admin, **values)
        )

    async def pause(self, campaign_id: str) -> None:
        await self.change(campaign_id, status=CampaignStatus.PAUSED)

    async def resume(self, campaign_id: str) -> None:
        await self.change(campaign_id, status=CampaignStatus.ACTIVE)

    async def archive(self, campaign_id: str) -> None:
        await self.campaign(campaign_id).execute_update(CampaignWorkflow.archive, self.admin)

    async def retry(self, campaign_id: str, activity_id: str) -> str:
        """Retry a failed activity as the API does: its workflow is started if there is none."""
        start = WithStartWorkflowOperation(
            AgentActivityWorkflow.run,
            CarryOutActivity(
                tenant_id=self.tenant_id,
                campaign_id=campaign_id,
                activity_id=activity_id,
                resume=True,
            ),
            id=activity_workflow(activity_id),
            task_queue=self.queue_name,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        )
        return await self.temporal.execute_update_with_start_workflow(
            AgentActivityWorkflow.retry,
            RetryActivity(actor=self.admin),
            start_workflow_operation=start,
        )

    async def resolve(
        self, approval_id: str, resolution: Resolution = Resolution.APPROVED, **values: Any
    ) -> ResolvedApproval:
        handle = self.temporal.get_workflow_handle(approval_workflow(approval_id))
        decision = ResolveApproval(id=new_id(), actor=self.admin, resolution=resolution, **values)
        return await handle.execute_update(ApprovalWorkflow.resolve, decision, id=decision.id)

    async def rows(self, sql: str, **values: Any) -> Sequence[Any]:
        """Read with SQL, as the tenant."""
        async with self.db.tenant(self.tenant_id) as db:
            return (await db.execute(text(sql), values)).all()

    async def until(self, sql: str, *, patience: float = PATIENCE, **values: Any) -> Any:
        """Wait until a query has a row; answers the first."""
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            found = await self.rows(sql, **values)
            if found:
                return found[0]
            await asyncio.sleep(0.05)
        seen = await self.state()
        raise AssertionError(f"waited {patience} s in vain for: {sql} with {values}; {seen}")

    async def state(self) -> str:
        """The tenant's activities in words, for a test that waited in vain."""
        found = await self.rows(
            "select title, status, wake_reason, last_error_message from agent_activity order by 1"
        )
        return "; ".join(str(tuple(row)) for row in found)

    async def pending_approval(self, campaign_id: str) -> Any:
        """Wait until a campaign has a pending approval, and its workflow waits for an answer."""
        approval = await self.until(
            "select * from approval where campaign_id = :id and status = 'pending'",
            id=campaign_id,
        )
        handle = self.temporal.get_workflow_handle(approval_workflow(approval.id))
        for _ in range(100):
            with contextlib.suppress(RPCError):
                await handle.describe()
                return approval
            await asyncio.sleep(0.05)
        raise AssertionError(f"no workflow waits for {approval.title}")

    async def activity(self, campaign_id: str, kind: str, status: str, **more: Any) -> Any:
        """Wait until an activity of this type has this status."""
        return await self.until(
            "select * from agent_activity where campaign_id = :id and type = :kind"
            " and status = :status",
            id=campaign_id,
            kind=kind,
            status=status,
            **more,
        )
