"""The reconciler: where the record and Temporal disagree, the record is put right and says so.

A workflow that somebody terminated cannot speak for its record any more; one that was reset is in
an earlier state than its record. Both are noticed here, within a minute or two, never guessed at:
before a record is corrected its workflow is described, which is always current.
"""

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection
from temporalio import activity
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from activities.agents.heartbeats import heartbeats
from activities.agents.runs import leave_slot
from activities.agents.turn_opening import close_open_attempts
from activities.people.text_calls import cut_off_open
from models.contracts.actors import SYSTEM
from models.contracts.agent_activities import ActivityEnded
from models.contracts.approvals import ApprovalSettled, CloseApproval
from models.contracts.maintenance import Orphan, Reconciled, Sweep
from models.db.database import Database
from models.db.rows import AnyRow
from models.errors import Unavailable
from models.queries import tenants
from models.queries.agents import agent_activities_write as agent_activities
from models.queries.agents import approvals_write, reconciliation, runs_write
from models.queries.people import text_drafts
from models.queries.records import audit, events
from models.queries.records.notifications import notify
from models.rules.vocabulary import ActivityStatus, ApprovalStatus, RunError, RunStatus, WakeReason

GRACE: Final = timedelta(seconds=30)
"""How long a record must have stood still before it is compared."""
KEPT: Final = timedelta(hours=24)
"""How long events, idempotency keys and files that no campaign names are kept."""

Rows = Sequence[AnyRow]

_log = logging.getLogger(__name__)


class ReconcilerSteps:
    """Compares every tenant's record with Temporal, and forgets what is past its time."""

    def __init__(self, database: Database, temporal: Client) -> None:
        self._database = database
        self._temporal = temporal

    @activity.defn(name="maintenance.reconcile")
    async def reconcile(self, sweep: Sweep) -> Reconciled:
        """Go through all tenants once."""
        total = Reconciled()
        async with heartbeats():
            for tenant_id in await self._tenants():
                total = await self._compare(tenant_id, sweep.at, total)
        return total

    async def _compare(self, tenant_id: str, at: datetime, total: Reconciled) -> Reconciled:
        running = await self._running(tenant_id)
        async with self._database.tenant(tenant_id) as db:
            found = await reconciliation.activities(db, before=at - GRACE)
            pending = await reconciliation.approvals(db, before=at - GRACE)
            campaigns = await reconciliation.campaigns(db, before=at - GRACE)
            decided = await reconciliation.decided(db, since=at - KEPT, before=at - GRACE)
        return replace(
            total,
            restart=total.restart + await self._campaigns(tenant_id, campaigns, running, at),
            activities=total.activities + await self._activities(tenant_id, found, running, at),
            approvals=total.approvals + await self._approvals(tenant_id, pending, running, at),
            projected=total.projected
            + await self._project(found, campaigns, running)
            + await self._settle(decided, running),
        )

    @activity.defn(name="maintenance.forget")
    async def forget(self, sweep: Sweep) -> int:
        """Delete what is kept for a day only; answers how much that was."""
        gone = 0
        before = sweep.at - KEPT
        async with heartbeats():
            for tenant_id in await self._tenants():
                async with self._database.tenant(tenant_id) as db:
                    gone += await events.forget(db, before=before)
                    gone += await reconciliation.forget_keys(db, before=before)
                    gone += await reconciliation.forget_attachments(db, before=before)
                    left = await text_drafts.left_behind(db, before=before)
                for run_id in left:
                    gone += await self._forget_text(tenant_id, run_id)
        return gone

    async def _forget_text(self, tenant_id: str, run_id: str) -> int:
        """Book and delete a text whose run was terminated and could not put it away itself."""
        try:
            async with self._database.tenant(tenant_id) as db:
                await cut_off_open(db, run_id)
                await text_drafts.put_away(db, run_id)
        except Unavailable as unpriced:
            # Its model has lost its price. It waits for one; what comes after it does not.
            _log.warning("a text stays: %s", unpriced.detail, extra={"run": run_id})
            return 0
        return 1

    async def _tenants(self) -> list[str]:
        async with self._database.system() as db:
            return await tenants.all_ids(db)

    async def _running(self, tenant_id: str) -> dict[str, str]:
        """The tenant's running workflows: id to the status that each says it has."""
        query = f'TenantId = "{tenant_id}" AND ExecutionStatus = "Running"'
        return {
            found.id: str(found.search_attributes.get("State", [""])[0])
            async for found in self._temporal.list_workflows(query)
        }

    async def _gone(self, workflow_id: str) -> str | None:
        """How a workflow ended, in a word; None when it runs after all."""
        try:
            described = await self._temporal.get_workflow_handle(workflow_id).describe()
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return "missing"
            raise
        running = described.status is WorkflowExecutionStatus.RUNNING
        return None if running or described.status is None else described.status.name.lower()

    async def _activities(
        self, tenant_id: str, rows: Rows, running: dict[str, str], at: datetime
    ) -> int:
        count = 0
        for row in rows:
            if f"activity:{row.id}" in running:
                continue
            how = await self._gone(f"activity:{row.id}")
            if how is None:
                continue
            async with self._database.tenant(tenant_id) as db:
                promoted = await _fail_activity(db, row.id, how, at)
            if promoted is not None:
                await self._tell(f"activity:{promoted}", "slot_granted")
            ended = ActivityEnded(activity_id=row.id, status=ActivityStatus.FAILED)
            await self._tell(f"campaign:{row.campaign_id}", "activity_ended", ended)
            if row.parent_id is not None:
                await self._tell(f"activity:{row.parent_id}", "subtask_ended", ended)
            count += 1
        return count

    async def _approvals(
        self, tenant_id: str, rows: Rows, running: dict[str, str], at: datetime
    ) -> int:
        count = 0
        expired = WakeReason.APPROVAL_EXPIRED
        for row in rows:
            if f"approval:{row.id}" in running:
                continue
            how = await self._gone(f"approval:{row.id}")
            if how is None:
                continue
            async with self._database.tenant(tenant_id) as db:
                ids = await approvals_write.waiting_activities(db, row.id)
                closing = CloseApproval(wake_reason=expired)
                await approvals_write.close(db, row.id, closing, at)
                await _say(db, tenant_id, "approval", row.id, how, at, to="expired")
            settled = ApprovalSettled(approval_id=row.id, wake_reason=expired)
            for activity_id in ids:
                await self._tell(f"activity:{activity_id}", "approval_settled", settled)
            count += 1
        return count

    async def _campaigns(
        self, tenant_id: str, rows: Rows, running: dict[str, str], at: datetime
    ) -> tuple[Orphan, ...]:
        orphans = []
        for row in rows:
            if f"campaign:{row.id}" in running:
                continue
            how = await self._gone(f"campaign:{row.id}")
            if how is None:
                continue
            async with self._database.tenant(tenant_id) as db:
                paused = await reconciliation.pause(db, row.id, at)
                to = "paused" if paused else row.status
                await _say(db, tenant_id, "campaign", row.id, how, at, to=to)
            orphans.append(Orphan(tenant_id=tenant_id, campaign_id=row.id, name=row.name))
        return tuple(orphans)

    async def _project(self, found: Rows, campaigns: Rows, running: dict[str, str]) -> int:
        """Have workflows whose own word differs from their record write it anew."""
        count = 0
        for kind, signal, rows in (
            ("activity", "reproject", found),
            ("campaign", "relearn", campaigns),
        ):
            for row in rows:
                said = running.get(f"{kind}:{row.id}")
                if said and said != row.status:
                    _log.warning("%s %s: record %s, workflow %s", kind, row.id, row.status, said)
                    count += await self._tell(f"{kind}:{row.id}", signal)
        return count

    async def _settle(self, decided: Sequence[str], running: dict[str, str]) -> int:
        """Have approvals that do not know of their recorded decision look into the record."""
        count = 0
        closing = CloseApproval(wake_reason=WakeReason.APPROVAL_EXPIRED)
        for approval_id in decided:
            if running.get(f"approval:{approval_id}") == ApprovalStatus.PENDING:
                _log.warning("approval %s is decided and its workflow waits", approval_id)
                count += await self._tell(f"approval:{approval_id}", "close", closing)
        return count

    async def _tell(self, workflow_id: str, signal: str, *message: Any) -> bool:
        try:
            await self._temporal.get_workflow_handle(workflow_id).signal(signal, args=message)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            return False
        return True


async def _fail_activity(
    db: AsyncConnection, activity_id: str, how: str, at: datetime
) -> str | None:
    """Mark an activity failed whose workflow is gone; answers who holds its slot now."""
    row: AnyRow | None = await agent_activities.locked(db, activity_id)
    if row is None or row.status not in reconciliation.AT_WORK:
        return None
    message = f"Its workflow is {how}; an admin may retry the activity."
    run = await runs_write.newest(db, row.id)
    if run is not None and run.status == RunStatus.RUNNING:
        await close_open_attempts(db, run.id, at)
        await runs_write.close_run(
            db, run.id, status=RunStatus.FAILED, at=at, error=RunError.CANCELLED, message=message
        )
    await agent_activities.move(
        db,
        row.id,
        generation=row.generation + 1,
        status=ActivityStatus.FAILED,
        wake_reason=None,
        at=at,
        last_error=RunError.CANCELLED,
        last_error_message=message,
    )
    await agent_activities.announce_failed(db, row, RunError.CANCELLED, row.auto_retries)
    await _say(db, row.tenant_id, "activity", row.id, how, at, to=ActivityStatus.FAILED)
    return await leave_slot(db, row, at) if row.agent_role else None


async def _say(
    db: AsyncConnection, tenant_id: str, kind: str, entity_id: str, how: str, at: datetime, *,
    to: str,
) -> None:  # fmt: skip
    """Leave word of a correction: in the audit log, with the admins, and in the log."""
    _log.warning("reconciled %s %s: its workflow is %s, now %s", kind, entity_id, how, to)
    await audit.record(
        db,
        tenant_id,
        SYSTEM,
        entity=kind,
        entity_id=entity_id,
        action="reconciled",
        changes={"workflow": how, "status": to},
    )
    for admin in await reconciliation.admins(db):
        await notify(
            db,
            tenant_id=tenant_id,
            principal_id=admin,
            kind="reconciled",
            subject=f"The workflow of {kind} {entity_id} is {how}; it is {to} now.",
            payload={"entity": kind, "id": entity_id, "workflow": how, "status": to},
            once=f"{entity_id}:{at.isoformat()}",
        )
