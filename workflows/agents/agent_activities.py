"""One agent activity: its runs, its retries, and all that it waits for."""

from dataclasses import replace

from temporalio import workflow

from activities.agents.agent_activities import AgentActivitySteps
from activities.agents.runs import RunSteps
from models.contracts.agent_activities import (
    ActivityRef,
    BeginOutcome,
    BeginRun,
    Begun,
    CarryOutActivity,
    RunEnd,
    SubtaskOrder,
)
from models.contracts.approvals import AwaitApproval, CloseApproval
from models.rules import activities as rules
from models.rules.vocabulary import ActivityStatus, WakeReason
from workflows import policies
from workflows.agents.activity_messages import ActivityMessages
from workflows.agents.activity_state import Wake
from workflows.agents.agent_runs import AgentRunLoop, Suspended
from workflows.agents.children import start_activity, start_approval
from workflows.steps import record
from workflows.telling import tell
from workflows.visibility import approval_workflow

_KEEPS_ITS_CAUSE = {WakeReason.CAMPAIGN_PAUSED, WakeReason.BUDGET_EXHAUSTED}


@workflow.defn(name="agent_activity")
class AgentActivityWorkflow(ActivityMessages):
    """Carries one activity through to done, or until its campaign ends."""

    @workflow.init
    def __init__(self, order: CarryOutActivity) -> None:
        super().__init__(order)

    @workflow.run
    async def run(self, order: CarryOutActivity) -> str:
        """Work and wait in turn; answers the status in which the activity ended."""
        if order.resume:
            ref = ActivityRef(**self._where())
            self._take_up(await record(AgentActivitySteps.restore, ref))
        while self._status is not ActivityStatus.DONE and not self._archived:
            if self._status in rules.RUNNABLE:
                await self._work()
            else:
                await self._wait()
            if workflow.info().is_continue_as_new_suggested() and not self._wakes:
                await workflow.wait_condition(workflow.all_handlers_finished)
                workflow.continue_as_new(replace(self._order, resume=True))
        if self._archived:
            await self._put_away()
        await workflow.wait_condition(workflow.all_handlers_finished)
        return str(self._status)

    # Working

    async def _work(self) -> None:
        if self._paused:
            await self._hold(WakeReason.CAMPAIGN_PAUSED)
            return
        run_id = self._run_id or self._next_run_id or self._new_id()
        begun = await record(
            RunSteps.begin,
            BeginRun(
                **self._where(),
                generation=self._next_generation(),
                cause=self._cause,
                run_id=run_id,
                resumes=self._run_id is not None,
                approval_id=self._approval_id,
            ),
        )
        await self._pass_slot_on(begun.next_in_line)
        await self._take(begun)

    async def _take(self, begun: Begun) -> None:
        match begun.outcome:
            case BeginOutcome.QUEUED:
                await self._wait_for_slot()
            case BeginOutcome.HELD:
                assert begun.held_by is not None
                self._now(ActivityStatus.BLOCKED, begun.held_by)
                self._archived |= begun.held_by is WakeReason.CAMPAIGN_ARCHIVED
                await self._tell_of_hold(begun.held_by, begun.cap)
            case BeginOutcome.FINISHED:
                self._now(ActivityStatus.DONE)
                await self._come_to_rest(None)
            case BeginOutcome.HUMAN:
                self._now(ActivityStatus.IN_PROGRESS)
                self._human = True
            case BeginOutcome.RUN:
                assert begun.run_id is not None
                self._now(ActivityStatus.IN_PROGRESS)
                self._next_run_id = None
                self._run_id = begun.run_id
                loop = AgentRunLoop(self, begun, begun.run_id)
                await self._after(await loop.run())

    async def _after(self, ended: RunEnd | Suspended) -> None:
        if isinstance(ended, Suspended):
            await self._hold(ended.held_by)
            await self._tell_of_hold(ended.held_by, ended.cap)
            return
        self._run_id = None
        self._now(ended.status, ended.wake_reason)
        await self._pass_slot_on(ended.next_in_line)
        match ended.status:
            case ActivityStatus.AWAITING_APPROVAL:
                await self._start_approval(ended)
            case ActivityStatus.BLOCKED:
                self._archived = True
            case ActivityStatus.AWAITING_SUBTASK | ActivityStatus.AWAITING_REVIEW:
                self._wait_for({order.activity_id for order in ended.subtasks})
                for order in ended.subtasks:
                    await self._start_subtask(order)
            case ActivityStatus.ASSIGNED:
                await self._pause_before_retry()
            case ActivityStatus.REASSIGNED:
                self._cause, self._approval_id = WakeReason.HANDED_OVER, None
            case ActivityStatus.DONE | ActivityStatus.FAILED:
                await self._come_to_rest(ended.agrees)

    async def _pause_before_retry(self) -> None:
        self._cause, self._approval_id = WakeReason.AUTO_RETRY, None
        last = len(policies.AUTO_RETRY_PAUSES) - 1
        pause = policies.AUTO_RETRY_PAUSES[min(self._auto_retries, last)]
        self._auto_retries += 1
        await self._until(lambda: self._paused or self._archived, pause, "pause before a retry")

    async def _wait_for_slot(self) -> None:
        workflow.set_current_details(f"Waits for a free slot of {self._order.role}.")
        await self._until(
            lambda: self._slot or self._paused or self._archived,
            policies.SLOT_RECHECK,
            "slot of the agent",
        )
        self._slot = False

    # Waiting

    async def _wait(self) -> None:
        await workflow.wait_condition(
            lambda: (
                bool(self._wakes)
                or self._archived
                or (self._human and self._paused)
                or self._status in rules.RUNNABLE
                or self._status is ActivityStatus.DONE
            )
        )
        if self._archived or self._status in rules.RUNNABLE | {ActivityStatus.DONE}:
            return
        if self._wakes:
            await self._consider(self._wakes.popleft())
        else:
            await self._hold(WakeReason.CAMPAIGN_PAUSED)

    async def _consider(self, wake: Wake) -> None:
        status = self._status
        assert status is not None
        if not rules.wakes(status, self._held_by, wake.reason) or self._is_stray(wake):
            return
        if rules.blocks(wake.reason):
            await self._move(ActivityStatus.BLOCKED, wake.reason)
            return
        is_money = wake.reason is WakeReason.BUDGET_RAISED
        if self._run_id is None and self._held_by not in _KEEPS_ITS_CAUSE and not is_money:
            self._cause, self._approval_id = wake.reason, wake.approval_id
        if self._paused and wake.reason is not WakeReason.CAMPAIGN_RESUMED:
            self._after_pause = wake
            await self._move(ActivityStatus.BLOCKED, WakeReason.CAMPAIGN_PAUSED)
            return
        remembered, self._after_pause = self._after_pause, None
        await self._move(ActivityStatus.ASSIGNED, (remembered or wake).reason)

    def _is_stray(self, wake: Wake) -> bool:
        """Tell whether this is word of an approval other than the one that is waited for."""
        waits = self._status is ActivityStatus.AWAITING_APPROVAL
        return waits and wake.approval_id not in {None, self._awaits}

    async def _put_away(self) -> None:
        """End for good, with the campaign: blocked, and with no run or question left open."""
        status, approval_id = self._status, self._awaits
        if status in rules.HELD_BY_ARCHIVE:
            await self._hold(WakeReason.CAMPAIGN_ARCHIVED)
        elif self._run_id is not None and self._held_by is not None:
            await self._hold(self._held_by)
        if status is ActivityStatus.AWAITING_APPROVAL and approval_id is not None:
            # Asked in the very moment of archiving, it was not among those that were closed.
            closing = CloseApproval(wake_reason=WakeReason.CAMPAIGN_ARCHIVED)
            await tell(approval_workflow(approval_id), "close", closing)

    # Starting others

    async def _start_approval(self, ended: RunEnd) -> None:
        assert ended.approval_id is not None
        self._awaits = ended.approval_id
        await start_approval(
            AwaitApproval(
                tenant_id=self._order.tenant_id,
                campaign_id=self._order.campaign_id,
                approval_id=ended.approval_id,
                title=ended.approval_title,
                expires_at=ended.expires_at,
                options=ended.approval_options,
            )
        )

    async def _start_subtask(self, order: SubtaskOrder) -> None:
        await start_activity(
            CarryOutActivity(
                tenant_id=self._order.tenant_id,
                campaign_id=self._order.campaign_id,
                activity_id=order.activity_id,
                title=order.title,
                role=order.role,
                parent_id=self._order.activity_id,
                wake_reason=WakeReason.PLANNED,
            )
        )
