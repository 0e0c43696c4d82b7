"""What can be said to an activity's workflow: signals, updates, and the query of the reconciler."""

from temporalio import workflow

from activities.agents.agent_activities import AgentActivitySteps
from models.contracts.agent_activities import (
    ActivityEnded,
    AddComment,
    Comment,
    Complete,
    CompleteActivity,
    Retry,
    RetryActivity,
)
from models.contracts.approvals import ApprovalSettled
from models.errors import Unprocessable
from models.rules.vocabulary import ActivityStatus, CampaignStatus, WakeReason
from workflows.agents.activity_state import ActivityState, Wake
from workflows.steps import record


class ActivityMessages(ActivityState):
    """Handlers only take note; the main loop decides what an event means in the state it finds."""

    @workflow.signal
    def approval_settled(self, settled: ApprovalSettled) -> None:
        """An approval that this activity waits for has ended."""
        wake = Wake(reason=settled.wake_reason, approval_id=settled.approval_id)
        if settled.wake_reason is not WakeReason.CAMPAIGN_ARCHIVED:
            self._wakes.append(wake)

    @workflow.signal
    async def approval_reopened(self, approval_id: str) -> None:
        """An expired approval of this activity is asked anew."""
        if self._status is ActivityStatus.BLOCKED:
            self._awaits = approval_id
            await self._move(ActivityStatus.AWAITING_APPROVAL, None)

    @workflow.signal
    def subtask_ended(self, ended: ActivityEnded) -> None:
        """A subtask, or the review of this activity, came to rest."""
        if self._status is not None and ended.activity_id not in self._waits_for:
            return
        self._waits_for.discard(ended.activity_id)
        if ended.status is ActivityStatus.FAILED:
            self._wakes.append(Wake(reason=WakeReason.SUBTASK_FAILED))
        elif self._status is ActivityStatus.AWAITING_REVIEW:
            agreed = WakeReason.REVIEW_APPROVED if ended.agrees else WakeReason.REVIEW_FEEDBACK
            self._wakes.append(Wake(reason=agreed))
        elif not self._waits_for:
            self._wakes.append(Wake(reason=WakeReason.SUBTASKS_DONE))

    @workflow.signal
    def campaign_changed(self, status: CampaignStatus) -> None:
        """The campaign was paused, resumed or archived."""
        self._paused = status is CampaignStatus.PAUSED
        self._archived = self._archived or status is CampaignStatus.ARCHIVED
        if status is CampaignStatus.ACTIVE:
            self._wakes.append(Wake(reason=WakeReason.CAMPAIGN_RESUMED))

    @workflow.signal
    def budget_raised(self) -> None:
        """The campaign's cap was raised or lifted."""
        self._wakes.append(Wake(reason=WakeReason.BUDGET_RAISED))

    @workflow.signal
    def slot_granted(self) -> None:
        """A place of the agent's concurrency is this activity's now."""
        self._slot = True

    @workflow.signal
    async def reproject(self) -> None:
        """Write the state into the record again: the reconciler found that they differ."""
        if self._status is not None:
            await self._move(self._status, self._held_by)

    @workflow.update
    async def retry(self, retry: RetryActivity) -> str:
        """Try a failed activity again; answers the id of the run to come."""
        await workflow.wait_condition(lambda: self._status is not None)
        if self._status is not ActivityStatus.FAILED:
            raise Unprocessable("Only a failed activity can be retried.")
        run_id = self._new_id()
        await record(
            AgentActivitySteps.retry,
            Retry(**self._where(), generation=self._next_generation(), retry=retry, run_id=run_id),
        )
        self._next_run_id, self._run_id = run_id, None
        self._cause, self._approval_id = WakeReason.MANUAL_RETRY, None
        self._auto_retries = 0
        self._now(ActivityStatus.ASSIGNED, WakeReason.MANUAL_RETRY)
        return run_id

    @retry.validator
    def _may_retry(self, retry: RetryActivity) -> None:
        if self._status not in {None, ActivityStatus.FAILED}:
            raise Unprocessable("Only a failed activity can be retried.")

    @workflow.update
    async def complete(self, complete: CompleteActivity) -> None:
        """End a person's activity with its result."""
        await workflow.wait_condition(lambda: self._status is not None)
        await record(
            AgentActivitySteps.complete,
            Complete(**self._where(), generation=self._next_generation(), complete=complete),
        )
        self._now(ActivityStatus.DONE)
        await self._come_to_rest(None)

    @workflow.update
    async def mention(self, comment: AddComment) -> None:
        """Take a comment that calls the activity's agent back to work."""
        await record(AgentActivitySteps.comment, Comment(**self._where(), comment=comment))
        self._wakes.append(Wake(reason=WakeReason.COMMENT_MENTION))

    @workflow.query
    def status(self) -> str:
        """Where the activity stands, as its workflow has it."""
        return str(self._status)
