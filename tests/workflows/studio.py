"""An engine whose model is scripted, with words for all that people do in a campaign."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import date, timedelta
from typing import Any, Self

from sqlalchemy import insert
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.api.testservice.v1 import UnlockTimeSkippingRequest
from temporalio.client import Client, WorkflowHandle
from temporalio.testing import WorkflowEnvironment

from activities.ports import Llm
from models.contracts.actors import Actor
from models.contracts.agent_activities import AddComment, CompleteActivity, RetryActivity
from models.contracts.approvals import AwaitApproval, ReopenApproval
from models.db.database import Database
from models.ids import new_id
from models.queries.agents import agent_configs, comments
from models.rules.vocabulary import CommentType, DeliverableType, OutputFormat, Role
from models.tables.people import Principal
from tests.workflows.harness import Engine
from tests.workflows.scripted_llm import ScriptedLlm
from workflows.agents.agent_activities import AgentActivityWorkflow
from workflows.agents.approvals import ApprovalWorkflow
from workflows.visibility import STATE, activity_workflow, approval_workflow

BLOG = DeliverableType.BLOG_POST
REPORT = DeliverableType.PERFORMANCE_REPORT
"""A report is published nowhere, so that it needs no approval."""


class Studio(Engine):
    """The engine, and what marketers, approvers and admins do with it."""

    llm: ScriptedLlm

    @classmethod
    @asynccontextmanager
    async def opened(cls, db: Database, temporal: Client) -> AsyncIterator[Self]:
        """An engine with a scripted model, until the test is over."""
        llm = ScriptedLlm()
        async with cls.started(db, temporal, {"claude": llm, "offline": llm}) as engine:
            assert isinstance(engine, cls)
            engine.llm = llm
            yield engine

    # People

    async def hire(self, name: str = "Ben", role: Role = Role.MEMBER) -> Actor:
        """One more person in the team."""
        person = Actor(id=new_id(), type="human", name=name)
        async with self.db.tenant(self.tenant_id) as db:
            await db.execute(
                insert(Principal).values(
                    id=person.id,
                    tenant_id=self.tenant_id,
                    type="human",
                    name=name,
                    email=f"{name.lower()}@example.test",
                    role=role,
                )
            )
        return person

    async def configure(self, role: str, **changes: Any) -> None:
        """Change an agent role's configuration."""
        async with self.db.tenant(self.tenant_id) as db:
            agent = await agent_configs.one(db, role)
            assert agent is not None
            await agent_configs.override(db, self.tenant_id, self.admin, agent, changes)

    async def try_again(self, activity_id: str) -> str:
        handle = self.temporal.get_workflow_handle(activity_workflow(activity_id))
        return await handle.execute_update(
            AgentActivityWorkflow.retry, RetryActivity(actor=self.admin)
        )

    async def complete(
        self, activity_id: str, output: str, *, by: Actor | None = None, is_admin: bool = False
    ) -> None:
        handle = self.temporal.get_workflow_handle(activity_workflow(activity_id))
        done = CompleteActivity(
            actor=by or self.admin, is_admin=is_admin, output=output, format=OutputFormat.MARKDOWN
        )
        await handle.execute_update(AgentActivityWorkflow.complete, done)

    async def call(self, activity_id: str, role: str, text: str) -> None:
        """Comment on an activity and mention its agent."""
        handle = self.temporal.get_workflow_handle(activity_workflow(activity_id))
        comment = await self._comment(CommentType.COMMENT, f"@agent:{role} {text}")
        await handle.execute_update(AgentActivityWorkflow.mention, comment)

    async def note(self, activity_id: str, text: str) -> None:
        """Leave an intervention note."""
        comment = await self._comment(CommentType.INTERVENTION_NOTE, text)
        async with self.db.tenant(self.tenant_id) as db:
            await comments.add(db, self.tenant_id, activity_id, comment)

    async def _comment(self, kind: CommentType, text: str) -> AddComment:
        async with self.db.tenant(self.tenant_id) as db:
            mentions = await comments.mentioned(db, text)
        return AddComment(
            actor=self.admin, comment_id=new_id(), text=text, type=kind, mentions=mentions
        )

    async def reopen(self, approval: Any, hours: int = 72) -> str:
        """Ask an expired approval anew; answers the new approval's id."""
        approval_id = new_id()
        awaited = AwaitApproval(
            tenant_id=self.tenant_id,
            campaign_id=approval.campaign_id,
            approval_id=approval_id,
            reopens_id=approval.id,
        )
        await self.first_update(
            ApprovalWorkflow.run,
            awaited,
            ApprovalWorkflow.reopen,
            ReopenApproval(actor=self.admin, expires_in_hours=hours),
            id=approval_workflow(approval_id),
        )
        return approval_id

    # What is seen of it

    async def held(self, campaign_id: str, kind: str, reason: str) -> Any:
        """Wait until an activity of this type is blocked for this reason."""
        return await self.until(
            "select * from agent_activity where campaign_id = :id and type = :kind"
            " and status = 'blocked' and wake_reason = :reason",
            id=campaign_id,
            kind=kind,
            reason=reason,
        )

    async def campaign_is(self, campaign_id: str, status: str) -> Any:
        return await self.until(
            "select * from campaign where id = :id and status = :status",
            id=campaign_id,
            status=status,
        )

    async def approval_is(self, approval_id: str, status: str) -> Any:
        return await self.until(
            "select * from approval where id = :id and status = :status",
            id=approval_id,
            status=status,
        )

    async def one(self, activity_id: str) -> Any:
        (row,) = await self.rows("select * from agent_activity where id = :id", id=activity_id)
        return row

    async def approvals(self, campaign_id: str) -> Any:
        return await self.rows(
            "select * from approval where campaign_id = :id order by created_on, id",
            id=campaign_id,
        )

    async def runs(self, activity_id: str) -> Any:
        return await self.rows(
            "select * from agent_run where activity_id = :id order by number", id=activity_id
        )

    async def output(self, activity_id: str) -> str:
        found = await self.rows(
            "select o.text from output o join agent_activity a on a.output_id = o.id"
            " where a.id = :id",
            id=activity_id,
        )
        return str(found[0].text)

    async def events(self, *kinds: str, about: str | None = None) -> list[Any]:
        """The tenant's events in order as (kind, payload), those of an activity or approval."""
        found = await self.rows("select kind, payload from event order by seq")
        return [
            (row.kind, row.payload)
            for row in found
            if (not kinds or row.kind in kinds) and (about is None or about in row.payload.values())
        ]

    async def kinds(self, about: str) -> list[str]:
        """The kinds of the events about an activity or an approval, in order."""
        return [kind for kind, _ in await self.events(about=about)]

    async def shows(self, workflow_id: str, status: str, details: str) -> None:
        """Wait until the Temporal UI shows this State and these words of a workflow."""
        for _ in range(100):
            if (seen := await self.described(workflow_id)) == (status, details):
                return
            await asyncio.sleep(0.05)
        raise AssertionError(f"{workflow_id} shows {seen}, not {(status, details)}")

    async def described(self, workflow_id: str) -> tuple[str, str]:
        """What the Temporal UI shows of a workflow: its State, and its details in words."""
        handle = self.temporal.get_workflow_handle(workflow_id)
        seen = await handle.describe()
        told = await handle.query("__temporal_workflow_metadata", result_type=WorkflowMetadata)
        return str(seen.typed_search_attributes.get(STATE)), told.current_details


class Calendar(Studio):
    """A studio whose days pass when the test says so."""

    environment: WorkflowEnvironment

    def __init__(self, db: Database, temporal: Client, llms: Mapping[str, Llm]) -> None:
        super().__init__(db, temporal, llms)
        self.first_runs: dict[str, str | None] = {}

    async def first_update(self, run: Any, order: Any, update: Any, message: Any, id: str) -> None:
        """Start, then update: the server that skips time cannot do both in one request."""
        handle: WorkflowHandle[Any, Any] = await self.temporal.start_workflow(
            run, order, id=id, task_queue=self.queue_name
        )
        self.first_runs[id] = handle.first_execution_run_id
        await handle.execute_update(update, message)

    @asynccontextmanager
    async def passing(self, *, days: float) -> AsyncIterator[None]:
        """Let days go by during the block; what falls due in them is done by the real steps."""
        asleep = asyncio.create_task(self.environment.sleep(timedelta(days=days)))
        try:
            yield
        finally:
            asleep.cancel()
            await asyncio.gather(asleep, return_exceptions=True)

    async def continued(self, campaign_id: str) -> None:
        """Wait until a campaign's workflow has continued as new, and set the clock free again.

        This server forgets to: a workflow that continues as new keeps time from being skipped.
        """
        handle = self.campaign(campaign_id)
        while (await handle.describe()).run_id == self.first_runs[handle.id]:
            await asyncio.sleep(0.05)
        await self.temporal.test_service.unlock_time_skipping(UnlockTimeSkippingRequest())

    async def today(self) -> date:
        """The day on the server's clock."""
        return (await self.environment.get_current_time()).date()

    async def day(self, ahead: int) -> date:
        """So many days from the server's today."""
        return await self.today() + timedelta(days=ahead)
