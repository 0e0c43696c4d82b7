"""Steps of an agent activity between its runs: held, restored, retried, completed by a person."""

from sqlalchemy.ext.asyncio import AsyncConnection
from temporalio import activity

from activities.agents.runs import leave_slot, workflow_run
from activities.agents.turn_opening import close_open_attempts
from models.contracts.agent_activities import (
    ActivityRef,
    Comment,
    Complete,
    Move,
    Restored,
    Retry,
    Suspend,
)
from models.db.database import Database
from models.db.rows import AnyRow
from models.errors import Forbidden, NotFound, Unprocessable
from models.queries.agents import agent_activities_write as agent_activities
from models.queries.agents import comments, runs_write
from models.queries.records import audit
from models.rules.vocabulary import (
    ActivityStatus,
    CampaignStatus,
    PrincipalType,
    RunError,
    RunStatus,
    WakeReason,
)

_CLOSED = {CampaignStatus.PAUSED, CampaignStatus.ARCHIVED}
_AT_REST = {ActivityStatus.DONE, ActivityStatus.FAILED}


class AgentActivitySteps:
    """What an activity's workflow does to the record outside of runs."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @activity.defn(name="agent_activity.move")
    async def move(self, move: Move) -> None:
        """Project a change of state."""
        async with self._database.tenant(move.tenant_id) as db:
            await agent_activities.move(
                db,
                move.activity_id,
                generation=move.generation,
                status=move.status,
                wake_reason=move.wake_reason,
                at=move.at,
                workflow_run_id=workflow_run(),
            )

    @activity.defn(name="agent_activity.suspend")
    async def suspend(self, suspend: Suspend) -> str | None:
        """Block an activity, give its slot back, and answer who holds the slot now."""
        async with self._database.tenant(suspend.tenant_id) as db:
            row = await _locked(db, suspend)
            if suspend.for_good:
                await _cancel_run(db, row, suspend)
            await agent_activities.move(
                db,
                row.id,
                generation=suspend.generation,
                status=ActivityStatus.BLOCKED,
                wake_reason=suspend.held_by,
                at=suspend.at,
                workflow_run_id=workflow_run(),
            )
            return await leave_slot(db, row, suspend.at) if row.agent_role else None

    @activity.defn(name="agent_activity.restore")
    async def restore(self, ref: ActivityRef) -> Restored:
        """Read the state that a workflow goes on from."""
        async with self._database.tenant(ref.tenant_id) as db:
            row = await _locked(db, ref)
            run = await runs_write.newest(db, row.id)
            is_open = run is not None and run.status == RunStatus.RUNNING
            children = await agent_activities.subtasks(db, row.id)
            return Restored(
                status=ActivityStatus(row.status),
                wake_reason=WakeReason(row.wake_reason) if row.wake_reason else None,
                title=row.title,
                role=row.agent_role,
                parent_id=row.parent_id,
                approval_id=row.approval_id,
                generation=row.generation,
                auto_retries=row.auto_retries,
                run_id=run.id if run is not None and is_open else None,
                next_turn=await runs_write.next_turn(db, run.id) if run and is_open else 1,
                waits_for=tuple(one.id for one in children if one.status not in _AT_REST),
                archived=row.campaign_status == CampaignStatus.ARCHIVED,
                paused=row.campaign_status == CampaignStatus.PAUSED,
            )

    @activity.defn(name="agent_activity.retry")
    async def retry(self, retry: Retry) -> None:
        """Enqueue a failed activity again; its automatic retries start anew."""
        async with self._database.tenant(retry.tenant_id) as db:
            row = await _locked(db, retry)
            if row.generation >= retry.generation:
                return
            _refuse_closed(row)
            if row.status != ActivityStatus.FAILED:
                raise Unprocessable("Only a failed activity can be retried.")
            await agent_activities.move(
                db,
                row.id,
                generation=retry.generation,
                status=ActivityStatus.ASSIGNED,
                wake_reason=WakeReason.MANUAL_RETRY,
                at=retry.at,
                auto_retries=0,
                workflow_run_id=workflow_run(),
            )
            await audit.record(
                db,
                retry.tenant_id,
                retry.retry.actor,
                entity="activity",
                entity_id=row.id,
                action="retried",
                changes={"runId": retry.run_id},
            )

    @activity.defn(name="agent_activity.complete")
    async def complete(self, complete: Complete) -> None:
        """Store a person's result and end the activity with it."""
        async with self._database.tenant(complete.tenant_id) as db:
            row = await _locked(db, complete)
            if row.generation >= complete.generation:
                return
            given = complete.complete
            _refuse_completion(row, given.actor.id, is_admin=given.is_admin)
            output_id, _ = await agent_activities.store_output(
                db,
                tenant_id=row.tenant_id,
                activity_id=row.id,
                run_id=None,
                text=given.output,
                format=given.format,
                at=complete.at,
            )
            await agent_activities.move(
                db,
                row.id,
                generation=complete.generation,
                status=ActivityStatus.DONE,
                wake_reason=None,
                at=complete.at,
                output_id=output_id,
                completed_at=complete.at,
                workflow_run_id=workflow_run(),
            )
            await audit.record(
                db,
                complete.tenant_id,
                given.actor,
                entity="activity",
                entity_id=row.id,
                action="completed",
                changes={"outputRef": output_id},
            )
            await agent_activities.announce_done(db, row)

    @activity.defn(name="agent_activity.comment")
    async def comment(self, comment: Comment) -> None:
        """Store a comment that wakes its activity."""
        async with self._database.tenant(comment.tenant_id) as db:
            await comments.add(db, comment.tenant_id, comment.activity_id, comment.comment)


async def _cancel_run(db: AsyncConnection, row: AnyRow, suspend: Suspend) -> None:
    """Close the run that nobody will go on with, and give back what it had reserved."""
    run = await runs_write.newest(db, row.id)
    if run is None or run.status != RunStatus.RUNNING:
        return
    await close_open_attempts(db, run.id, suspend.at)
    await runs_write.close_run(
        db,
        run.id,
        status=RunStatus.FAILED,
        at=suspend.at,
        error=RunError.CANCELLED,
        message="Campaign archived.",
    )


async def _locked(db: AsyncConnection, ref: ActivityRef) -> AnyRow:
    row = await agent_activities.locked(db, ref.activity_id)
    if row is None:
        raise NotFound("There is no such activity.")
    return row


def _refuse_closed(row: AnyRow) -> None:
    if row.campaign_status in _CLOSED:
        raise Unprocessable(f"The activity's campaign is {row.campaign_status}.")


def _refuse_completion(row: AnyRow, actor_id: str, *, is_admin: bool) -> None:
    if row.assignee_type != PrincipalType.HUMAN:
        raise Unprocessable("The activity is not assigned to a person.")
    if row.assignee_id != actor_id and not is_admin:
        raise Forbidden("Only its assignee or an admin can complete this activity.")
    _refuse_closed(row)
    if row.status != ActivityStatus.IN_PROGRESS:
        raise Unprocessable("The activity is not in progress.")
