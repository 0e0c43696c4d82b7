"""One campaign, from its brief to the archive."""

import asyncio
import contextlib
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import TypedDict

from temporalio import workflow

from activities.agents.campaigns import CampaignSteps
from models.contracts.actors import Actor
from models.contracts.agent_activities import ActivityEnded, BudgetHold, CarryOutActivity
from models.contracts.approvals import AwaitApproval, CloseApproval
from models.contracts.campaigns import (
    AdvanceCampaign,
    ApplyChange,
    AskBudget,
    CampaignFacts,
    CampaignRef,
    ChangeCampaign,
    CreateCampaign,
    LaunchCampaign,
    PutAway,
    StartOrder,
    SubmitCampaign,
)
from models.ids import workflow_id
from models.rules.periods import begun, next_start
from models.rules.roles import PLANNER
from models.rules.vocabulary import ActivityStatus, CampaignStatus, WakeReason
from workflows import policies
from workflows.agents.children import start_activity, start_approval
from workflows.steps import record
from workflows.telling import tell, tell_all
from workflows.visibility import STATE, activity_workflow, approval_workflow


class Where(TypedDict):
    """The arguments that name a campaign and a moment of the workflow's clock."""

    tenant_id: str
    campaign_id: str
    at: datetime


@workflow.defn(name="campaign")
class CampaignWorkflow:
    """Plans the campaign, then keeps its pipeline going until it is archived."""

    @workflow.init
    def __init__(self, launch: LaunchCampaign) -> None:
        self._launch = launch
        self._created = launch.resume
        self._refused = False
        self._facts: CampaignFacts | None = None
        self._status = CampaignStatus.DRAFT
        self._planned = False
        self._dirty = True
        self._round = 0
        self._begun = False
        self._turn = asyncio.Lock()

    @workflow.run
    async def run(self, launch: LaunchCampaign) -> str:
        """Live as long as the campaign does; answers the status in which it ended."""
        await workflow.wait_condition(lambda: self._created or self._refused)
        if not self._refused:
            await self._begin()
            while self._status is not CampaignStatus.ARCHIVED:
                opened = await self._keep_up()
                if opened or workflow.info().is_continue_as_new_suggested():
                    await self._continue_as_new()
        await workflow.wait_condition(workflow.all_handlers_finished)
        return "refused" if self._refused else str(self._status)

    async def _begin(self) -> None:
        facts = await self._learn()
        self._planned = self._planned or facts.planned
        self._say(facts.status)
        if facts.status is CampaignStatus.DRAFT and not self._planned:
            order = StartOrder(
                activity_id=facts.planner_id,
                title=f"Plan {facts.name}",
                role=PLANNER,
                wake_reason=WakeReason.PLANNED,
            )
            await self._start_activity(order)
        self._begun = True

    async def _keep_up(self) -> bool:
        """Do what is due, then wait for the next event or date; True when a period was opened."""
        opened = False
        self._dirty = False
        async with self._turn:
            if self._is_ready_to_activate():
                await record(CampaignSteps.activate, self._ref())
                self._say(CampaignStatus.ACTIVE)
        if self._status is CampaignStatus.ACTIVE:
            opened = await self._open_periods()
            await self._advance()
        if not opened:
            await self._wait()
        return opened

    async def _open_periods(self) -> bool:
        """Open every period that has begun and is not open; True when there was one."""
        facts = await self._learn()
        today = workflow.now().date()
        if facts.anchor_date is None:
            return False
        if len(begun(facts.anchor_date, today, facts.end_date)) <= facts.periods_open:
            return False
        bulk = policies.with_summary(policies.BULK, "Open a period")
        await workflow.execute_activity_method(CampaignSteps.open_periods, self._ref(), **bulk)
        return True

    async def _advance(self) -> None:
        more = True
        unsettled: int | None = None
        while more and self._status is CampaignStatus.ACTIVE:
            self._round += 1
            name = f"{workflow.info().run_id}:{self._round}"
            batch = await record(
                CampaignSteps.advance, AdvanceCampaign(**self._where(), batch=name)
            )
            for order in batch.start:
                await self._start_activity(order)
            more, unsettled = batch.more, batch.unsettled
        async with self._turn:
            is_active = self._status is CampaignStatus.ACTIVE
            if is_active and unsettled == 0 and self._is_over():
                await record(CampaignSteps.complete, self._ref())
                self._say(CampaignStatus.COMPLETED)

    async def _wait(self) -> None:
        before = self._status
        boundary = self._next_boundary()
        timeout = None
        if boundary is not None and before is CampaignStatus.ACTIVE:
            timeout = max((boundary - workflow.now()).total_seconds(), 0.001)
        with contextlib.suppress(TimeoutError):
            await workflow.wait_condition(
                lambda: (
                    self._dirty
                    or self._status is not before
                    or self._status is CampaignStatus.ARCHIVED
                    or self._is_ready_to_activate()
                ),
                timeout=timeout,
                timeout_summary="next date of the campaign",
            )

    def _is_ready_to_activate(self) -> bool:
        return self._planned and self._status is CampaignStatus.DRAFT

    async def _continue_as_new(self) -> None:
        await workflow.wait_condition(workflow.all_handlers_finished)
        if self._status is not CampaignStatus.ARCHIVED:
            workflow.continue_as_new(replace(self._launch, resume=True))

    async def _learn(self) -> CampaignFacts:
        self._facts = await record(CampaignSteps.facts, self._ref())
        return self._facts

    async def _start_activity(self, order: StartOrder) -> None:
        await start_activity(
            CarryOutActivity(
                tenant_id=self._launch.tenant_id,
                campaign_id=self._launch.campaign_id,
                activity_id=order.activity_id,
                title=order.title,
                role=order.role,
                wake_reason=WakeReason(order.wake_reason),
            )
        )

    # What can be said to a campaign

    @workflow.update
    async def submit(self, brief: SubmitCampaign) -> None:
        """Store the brief; answers once the campaign is a draft in the record."""
        if self._created:
            return
        create = CreateCampaign(**self._where(), submitted=brief)
        try:
            await record(CampaignSteps.create, create)
        except BaseException:
            self._refused = True
            raise
        self._created = True

    @workflow.update
    async def change(self, change: ChangeCampaign) -> None:
        """Change metadata, the cap, or pause and resume; answers once it is recorded."""
        await workflow.wait_condition(lambda: self._begun or self._refused)
        async with self._turn:
            before = self._status
            changed = await record(
                CampaignSteps.change, ApplyChange(**self._where(), change=change)
            )
            if change.name is not None:
                await self._learn()
            self._say(changed.status)
            if changed.status is not before:
                live = map(activity_workflow, changed.live)
                await tell_all(live, "campaign_changed", changed.status)
            closing = CloseApproval(wake_reason=WakeReason.BUDGET_RAISED, actor=change.actor)
            await tell_all(map(approval_workflow, changed.approved), "close", closing)
            await tell_all(map(activity_workflow, changed.wake), "budget_raised")
            self._dirty = True

    @workflow.update
    async def archive(self, actor: Actor) -> None:
        """Put the campaign away for good; answers once everything of it is told."""
        await workflow.wait_condition(lambda: self._begun or self._refused)
        async with self._turn:
            changed = await record(CampaignSteps.archive, PutAway(**self._where(), actor=actor))
            live = map(activity_workflow, changed.live)
            await tell_all(live, "campaign_changed", CampaignStatus.ARCHIVED)
            closing = CloseApproval(wake_reason=WakeReason.CAMPAIGN_ARCHIVED)
            await tell_all(map(approval_workflow, changed.pending), "close", closing)
            self._say(CampaignStatus.ARCHIVED)

    @workflow.signal
    def activity_ended(self, ended: ActivityEnded) -> None:
        """One of the campaign's activities came to rest."""
        is_planner = self._facts is not None and ended.activity_id == self._facts.planner_id
        if is_planner and ended.status is ActivityStatus.DONE:
            self._planned = True
        self._dirty = True

    @workflow.signal
    async def budget_hold(self, hold: BudgetHold) -> None:
        """An activity is held because the cap is reached: ask for more, once."""
        async with self._turn:
            ask = AskBudget(
                **self._where(),
                hold=hold,
                approval_id=workflow_id(
                    workflow.info().workflow_start_time, workflow.random().getrandbits(80)
                ),
            )
            answer = await record(CampaignSteps.ask_budget, ask)
            if answer.wake:
                await tell(activity_workflow(hold.activity_id), "budget_raised")
            if answer.approval_id is None:
                return
            await start_approval(
                AwaitApproval(
                    tenant_id=self._launch.tenant_id,
                    campaign_id=self._launch.campaign_id,
                    approval_id=answer.approval_id,
                    title=answer.title,
                    expires_at=answer.expires_at,
                )
            )

    @workflow.signal
    async def relearn(self) -> None:
        """Go by the record again: the reconciler found that this workflow was set back."""
        facts = await self._learn()
        self._planned = self._planned or facts.planned
        self._say(facts.status)
        self._dirty = True

    @workflow.query
    def status(self) -> str:
        """Where the campaign stands, as its workflow has it."""
        return str(self._status)

    # Its dates and its words

    def _next_boundary(self) -> datetime | None:
        """The next moment at which something falls due: a start, a period, the end."""
        facts = self._facts
        if facts is None or facts.anchor_date is None:
            return None
        today = workflow.now().date()
        if facts.anchor_date > today:
            return _midnight(facts.anchor_date)
        days = [next_start(facts.anchor_date, today, facts.end_date)]
        if facts.end_date is not None and facts.end_date >= today:
            days.append(facts.end_date + timedelta(days=1))
        ahead = [day for day in days if day is not None]
        return _midnight(min(ahead)) if ahead else None

    def _is_over(self) -> bool:
        end = self._facts.end_date if self._facts else None
        return end is not None and end < workflow.now().date()

    def _say(self, status: CampaignStatus) -> None:
        self._status = status
        workflow.upsert_search_attributes([STATE.value_set(status.value)])
        name = self._facts.name if self._facts else self._launch.campaign_id
        workflow.set_current_details(f"{name}: {status.value}")

    def _where(self) -> Where:
        return {
            "tenant_id": self._launch.tenant_id,
            "campaign_id": self._launch.campaign_id,
            "at": workflow.now(),
        }

    def _ref(self) -> CampaignRef:
        return CampaignRef(**self._where())


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
