"""What an activity's workflow knows, and how it is projected into the record."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TypedDict

from temporalio import workflow

from activities.agents.agent_activities import AgentActivitySteps
from models.contracts.agent_activities import (
    ActivityEnded,
    BudgetHold,
    CarryOutActivity,
    Move,
    Restored,
    Suspend,
)
from models.ids import workflow_id
from models.rules.vocabulary import ActivityStatus, WakeReason
from workflows.steps import record
from workflows.telling import tell
from workflows.visibility import STATE, activity_workflow, campaign_workflow


@dataclass(frozen=True, slots=True, kw_only=True)
class Wake:
    """An event that may concern the activity, in the order in which it came."""

    reason: WakeReason
    approval_id: str | None = None


class Where(TypedDict):
    """The arguments that name an activity and a moment of the workflow's clock."""

    tenant_id: str
    campaign_id: str
    activity_id: str
    at: datetime


class ActivityState:
    """The state of one activity; the record follows it, never the other way round."""

    def __init__(self, order: CarryOutActivity) -> None:
        self._order = order
        self._status: ActivityStatus | None = None if order.resume else ActivityStatus.ASSIGNED
        self._held_by: WakeReason | None = None
        self._generation = 0
        self._cause = order.wake_reason or WakeReason.PLANNED
        self._approval_id: str | None = None
        self._awaits: str | None = None
        self._run_id: str | None = None
        self._next_run_id: str | None = None
        self._auto_retries = 0
        self._waits_for: set[str] = set()
        self._wakes: deque[Wake] = deque()
        self._after_pause: Wake | None = None
        self._paused = False
        self._archived = False
        self._slot = False
        self._human = False

    def _take_up(self, restored: Restored) -> None:
        """Go on from what the record says, for a workflow that is new to its activity."""
        self._order = replace(
            self._order,
            title=restored.title,
            role=restored.role,
            parent_id=restored.parent_id,
            wake_reason=restored.wake_reason,
        )
        self._generation = restored.generation
        self._auto_retries = restored.auto_retries
        self._run_id = restored.run_id
        self._waits_for = set(restored.waits_for)
        self._paused, self._archived = restored.paused, restored.archived
        self._approval_id = self._awaits = restored.approval_id
        self._cause = restored.wake_reason or self._cause
        self._status = restored.status
        if self._status is ActivityStatus.BLOCKED:
            self._held_by = restored.wake_reason
        if self._status is ActivityStatus.IN_PROGRESS:
            # Whoever worked on it is gone with the old workflow; begin again where it stood.
            self._status = ActivityStatus.ASSIGNED
        if self._status is ActivityStatus.AWAITING_SUBTASK and not self._waits_for:
            self._wakes.append(Wake(reason=WakeReason.SUBTASKS_DONE))

    # The state and its projection

    def _where(self) -> Where:
        """What every step of this activity is told."""
        return {
            "tenant_id": self._order.tenant_id,
            "campaign_id": self._order.campaign_id,
            "activity_id": self._order.activity_id,
            "at": workflow.now(),
        }

    def _new_id(self) -> str:
        """Mint an id: the same one when a failed workflow task is tried again at another time."""
        return workflow_id(workflow.info().workflow_start_time, workflow.random().getrandbits(80))

    def _next_generation(self) -> int:
        self._generation += 1
        return self._generation

    async def _move(self, status: ActivityStatus, reason: WakeReason | None) -> None:
        move = Move(
            **self._where(),
            generation=self._next_generation(),
            status=status,
            wake_reason=reason,
        )
        await record(AgentActivitySteps.move, move)
        self._now(status, reason)

    def _now(self, status: ActivityStatus, reason: WakeReason | None = None) -> None:
        """Take a state that a step has projected."""
        self._status = status
        self._held_by = reason if status is ActivityStatus.BLOCKED else None
        if status is not ActivityStatus.IN_PROGRESS:
            self._human = False
        workflow.upsert_search_attributes([STATE.value_set(status.value)])
        words = f"{status.value}, because of {reason.value}" if reason else status.value
        workflow.set_current_details(f"{self._order.title}: {words}")

    def _wait_for(self, activity_ids: set[str]) -> None:
        """Wait for subtasks; what earlier ones have said is past."""
        self._waits_for = activity_ids
        past = {WakeReason.SUBTASKS_DONE, WakeReason.SUBTASK_FAILED}
        self._wakes = deque(wake for wake in self._wakes if wake.reason not in past)

    async def _hold(self, reason: WakeReason) -> None:
        self._human = False
        next_in_line = await record(
            AgentActivitySteps.suspend,
            Suspend(
                **self._where(),
                generation=self._next_generation(),
                held_by=reason,
                for_good=self._archived,
            ),
        )
        self._now(ActivityStatus.BLOCKED, reason)
        await self._pass_slot_on(next_in_line)

    # Telling others

    async def _tell_of_hold(self, reason: WakeReason, cap: Decimal | None) -> None:
        if reason is WakeReason.BUDGET_EXHAUSTED:
            hold = BudgetHold(activity_id=self._order.activity_id, cap=cap)
            await tell(campaign_workflow(self._order.campaign_id), "budget_hold", hold)

    async def _come_to_rest(self, agrees: bool | None) -> None:
        assert self._status is not None
        ended = ActivityEnded(
            activity_id=self._order.activity_id, status=self._status, agrees=agrees
        )
        if self._order.parent_id is not None:
            await tell(activity_workflow(self._order.parent_id), "subtask_ended", ended)
        await tell(campaign_workflow(self._order.campaign_id), "activity_ended", ended)

    async def _pass_slot_on(self, activity_id: str | None) -> None:
        if activity_id is not None and activity_id != self._order.activity_id:
            await tell(activity_workflow(activity_id), "slot_granted")

    async def _until(self, met: Callable[[], bool], limit: timedelta, summary: str) -> None:
        try:
            await workflow.wait_condition(
                met, timeout=limit.total_seconds(), timeout_summary=summary
            )
        except TimeoutError:
            return
