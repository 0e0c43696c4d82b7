"""One approval: the wait, the reminders, the expiry, and the one decision that counts."""

import asyncio
from datetime import datetime

from temporalio import workflow

from activities.agents.approvals import ApprovalSteps
from models.contracts.approvals import (
    ApprovalSettled,
    AwaitApproval,
    CloseApproval,
    Decide,
    Opened,
    Remind,
    Reopen,
    ReopenApproval,
    ResolveApproval,
    ResolvedApproval,
)
from models.errors import Conflict, ProblemItem, Unprocessable
from models.rules.approvals import reminders_due
from models.rules.vocabulary import ApprovalStatus, Resolution, WakeReason
from workflows.steps import record
from workflows.telling import tell_all
from workflows.visibility import STATE, activity_workflow


@workflow.defn(name="approval")
class ApprovalWorkflow:
    """Waits for a person; the first terminal decision wins, the expiry's timer included."""

    @workflow.init
    def __init__(self, awaited: AwaitApproval) -> None:
        self._awaited = awaited
        self._opened: Opened | None = None
        if awaited.expires_at is not None:
            self._opened = Opened(
                title=awaited.title, expires_at=awaited.expires_at, options=awaited.options
            )
        self._refused = False
        self._ending = asyncio.Lock()
        self._settled = False
        self._closing: CloseApproval | None = None

    @workflow.run
    async def run(self, awaited: AwaitApproval) -> str:
        """Remind, expire, or end as decided; answers how it ended."""
        await workflow.wait_condition(lambda: self._opened is not None or self._refused)
        if self._opened is not None:
            workflow.set_current_details(f"Waits for a decision on: {self._opened.title}")
            await self._wait(self._opened)
        await workflow.wait_condition(workflow.all_handlers_finished)
        return "refused" if self._refused else "settled"

    async def _wait(self, opened: Opened) -> None:
        for at, hours_left in reminders_due(opened.expires_at, workflow.now()):
            if await self._ended_before(at, f"reminder, {hours_left} h left"):
                return
            await record(
                ApprovalSteps.remind,
                Remind(
                    tenant_id=self._awaited.tenant_id,
                    approval_id=self._awaited.approval_id,
                    at=workflow.now(),
                    hours_left=hours_left,
                ),
            )
        if not await self._ended_before(opened.expires_at, "expiry"):
            await self._end(CloseApproval(wake_reason=WakeReason.APPROVAL_EXPIRED))

    async def _ended_before(self, moment: datetime, summary: str) -> bool:
        """Wait until the moment; True when the approval ended (or was told to) before it."""
        left = moment - workflow.now()
        try:
            await workflow.wait_condition(
                lambda: self._settled or self._closing is not None,
                timeout=max(left.total_seconds(), 0.001),
                timeout_summary=summary,
            )
        except TimeoutError:
            return self._settled
        if self._closing is not None:
            await self._end(self._closing)
        return True

    async def _end(self, closing: CloseApproval) -> None:
        async with self._ending:
            if self._settled:
                return
            ended = await record(ApprovalSteps.close, self._decide(closing=closing))
            self._settled = True
        raised = closing.wake_reason is WakeReason.BUDGET_RAISED
        status = ApprovalStatus.APPROVED if raised else ApprovalStatus.EXPIRED
        words = _words_of(ended.resolution) if ended.found else (status, closing.wake_reason)
        await self._tell(ended, *words)

    async def _tell(
        self, ended: ResolvedApproval, status: ApprovalStatus, reason: WakeReason
    ) -> None:
        workflow.upsert_search_attributes([STATE.value_set(status.value)])
        workflow.set_current_details(f"Ended: {status.value}, {reason.value}")
        settled = ApprovalSettled(approval_id=ended.approval_id, wake_reason=reason)
        await tell_all(map(activity_workflow, ended.activity_ids), "approval_settled", settled)

    def _decide(
        self, decision: ResolveApproval | None = None, closing: CloseApproval | None = None
    ) -> Decide:
        return Decide(
            tenant_id=self._awaited.tenant_id,
            approval_id=self._awaited.approval_id,
            at=workflow.now(),
            decision=decision,
            closing=closing,
        )

    @workflow.update
    async def resolve(self, decision: ResolveApproval) -> ResolvedApproval:
        """Take an admin's decision; answers once it is recorded and its activities are told."""
        async with self._ending:
            resolved = await record(ApprovalSteps.resolve, self._decide(decision=decision))
            first, self._settled = not self._settled, True
        if first:
            await self._tell(resolved, *_words_of(resolved.resolution))
        if resolved.found:
            raise Conflict("The approval is not pending any more.")
        return resolved

    @resolve.validator
    def _may_resolve(self, decision: ResolveApproval) -> None:
        if self._refused:
            raise Conflict("The approval is not pending any more.")
        options = self._opened.options if self._opened else ()
        chosen = decision.selected_option
        location = "body.selectedOption"
        if decision.resolution is Resolution.APPROVED and options and chosen is None:
            raise Unprocessable(
                "This approval has options; choose one.",
                ProblemItem(location=location, message="is required: one of the options"),
            )
        if chosen is not None and chosen not in options:
            raise Unprocessable(
                "That is not one of the approval's options.",
                ProblemItem(location=location, message="is not an option", value=chosen),
            )

    @workflow.update
    async def reopen(self, asked: ReopenApproval) -> None:
        """Ask an expired approval anew: makes this approval's row from the old one."""
        if self._opened is not None:
            return
        assert self._awaited.reopens_id is not None
        try:
            opened = await record(
                ApprovalSteps.reopen,
                Reopen(
                    tenant_id=self._awaited.tenant_id,
                    approval_id=self._awaited.approval_id,
                    at=workflow.now(),
                    reopens_id=self._awaited.reopens_id,
                    asked=asked,
                ),
            )
        except BaseException:
            self._refused = True
            raise
        self._opened = opened
        await tell_all(
            map(activity_workflow, opened.activity_ids),
            "approval_reopened",
            self._awaited.approval_id,
        )

    @workflow.signal
    def close(self, closing: CloseApproval) -> None:
        """End without a decision: the campaign was archived, or its cap was raised."""
        self._closing = closing

    @workflow.query
    def status(self) -> str:
        """Tell pending from settled, for the reconciler."""
        return "settled" if self._settled else "pending"


def _words_of(resolution: Resolution) -> tuple[ApprovalStatus, WakeReason]:
    """What a decision makes of the approval, and how its activities hear of it."""
    if resolution is Resolution.APPROVED:
        return ApprovalStatus.APPROVED, WakeReason.REVIEW_APPROVED
    return ApprovalStatus.REJECTED, WakeReason.REVIEW_FEEDBACK
