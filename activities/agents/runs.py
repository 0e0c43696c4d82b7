"""How an agent's run begins: the slot, the budget's word, the prompt, the transcript."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection
from temporalio import activity

from activities.agents.followups import followup_of
from activities.prompts import render
from activities.tools.registry import Toolbox
from models.contracts.agent_activities import BeginOutcome, BeginRun, Begun
from models.db.database import Database, at_once
from models.db.rows import AnyRow
from models.errors import NotFound
from models.queries.agents import agent_activities_write as agent_activities
from models.queries.agents import prompt_facts, runs_write, slots
from models.queries.agents.runs_write import EffectiveConfig
from models.queries.records.notifications import notify
from models.rules import activities as rules
from models.rules.vocabulary import (
    ActivityStatus,
    ActivityType,
    ApprovalStatus,
    ApprovalType,
    CampaignStatus,
    PrincipalType,
    RunError,
    RunStatus,
    WakeReason,
)

_HOLDS = {
    CampaignStatus.PAUSED: WakeReason.CAMPAIGN_PAUSED,
    CampaignStatus.ARCHIVED: WakeReason.CAMPAIGN_ARCHIVED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """The deployment's model: the adapter that answers and the model it is asked for."""

    adapter: str
    model: str


class RunSteps:
    """Opens runs; `writer` says which adapter and model a role without its own model gets."""

    def __init__(
        self, database: Database, toolbox: Toolbox, writer: Callable[[str | None], Writer]
    ) -> None:
        self._database = database
        self._toolbox = toolbox
        self._writer = writer

    @activity.defn(name="agent_activity.begin")
    async def begin(self, begin: BeginRun) -> Begun:
        """Let an assigned activity run, finish, be a person's, queue, or be held."""
        async with self._database.tenant(begin.tenant_id) as db:
            row = await agent_activities.locked(db, begin.activity_id)
            if row is None:
                raise NotFound("There is no such activity.")
            if row.status == ActivityStatus.DONE:
                # A reset parent starts its subtasks anew; what they made is there.
                return Begun(outcome=BeginOutcome.FINISHED)
            held_by = _HOLDS.get(CampaignStatus(row.campaign_status))
            if held_by is not None:
                return await _hold(db, row, begin, held_by)
            if row.assignee_type == PrincipalType.HUMAN:
                return await _hand_to_human(db, row, begin)
            if await _is_approved_content(db, row, begin):
                return await _finish(db, row, begin)
            if _budget_is_exhausted(row):
                held = await _hold(db, row, begin, WakeReason.BUDGET_EXHAUSTED)
                return replace(held, cap=row.budget_cap_usd)
            return await self._run(db, row, begin)

    async def _run(self, db: AsyncConnection, row: AnyRow, begin: BeginRun) -> Begun:
        config = await runs_write.effective_config(db, row.tenant_id, row.agent_role)
        if not await slots.take(
            db,
            tenant_id=row.tenant_id,
            role=row.agent_role,
            activity_id=row.id,
            concurrency=config.concurrency,
            at=begin.at,
        ):
            return Begun(outcome=BeginOutcome.QUEUED)
        last = await runs_write.newest(db, row.id)
        # A run that is open is gone on with, whoever opened it: it may be this very step, before
        # its worker died or its workflow was set back.
        run_id, next_turn = begin.run_id, 1
        if last is not None and last.status == RunStatus.RUNNING:
            run_id, next_turn = last.id, await runs_write.next_turn(db, last.id)
            limits = (int(last.config["max_turns"]), int(last.config["timeout_sec"]))
        else:
            await self._open(db, row, begin, config, last)
            limits = (config.max_turns, config.timeout_sec)
        async with at_once(db):
            await _start(db, row, begin)
            if row.generation < begin.generation and begin.cause is not WakeReason.AUTO_RETRY:
                await agent_activities.announce_started(db, row)
        return Begun(
            outcome=BeginOutcome.RUN,
            run_id=run_id,
            next_turn=next_turn,
            max_turns=limits[0],
            timeout_sec=limits[1],
        )

    async def _open(
        self,
        db: AsyncConnection,
        row: AnyRow,
        begin: BeginRun,
        config: EffectiveConfig,
        last: AnyRow | None,
    ) -> None:
        before = last if last is not None and await _goes_on(db, last, row, begin) else None
        tools = self._toolbox.offered(
            ActivityType(row.type), config.tool_names, row.reviews_id is not None
        )
        facts = await prompt_facts.gather(db, row, tools=[tool.name for tool in tools], at=begin.at)
        if begin.cause is WakeReason.HANDED_OVER:
            facts["inputs"] += await prompt_facts.own_output(db, row)
        if begin.approval_id is not None:
            decision = await prompt_facts.decision(db, begin.approval_id)
            facts["decision"] = None if decision is None else decision.selected_option
        thread = 1 if last is None else last.thread + (before is None)
        text = (
            render.first_message(facts)
            if before is None
            else await followup_of(db, row, begin, before.id, thread, facts)
        )
        run = {
            "id": begin.run_id,
            "tenant_id": row.tenant_id,
            "activity_id": row.id,
            "number": 1 if last is None else last.number + 1,
            "thread": thread,
            "status": RunStatus.RUNNING,
            "agent_role": row.agent_role,
            "config": _config_json(config, [tool.name for tool in tools]),
            "system_prompt": render.system_prompt(facts, config.prompt_template),
            "started_at": begin.at,
            **self._written_by(config, facts),
        }
        seq = 1 if before is None else await runs_write.next_seq(db, row.id, thread)
        async with at_once(db):
            await runs_write.open_run(db, run)
            await runs_write.add_message(
                db,
                tenant_id=row.tenant_id,
                activity_id=row.id,
                thread=thread,
                run_id=begin.run_id,
                role="user",
                blocks=[{"kind": "text", "text": text}],
                seq=seq,
            )

    def _written_by(self, config: EffectiveConfig, facts: dict[str, Any]) -> dict[str, Any]:
        """The adapter and the model; the offline writer gets the facts themselves."""
        writer = self._writer(config.model)
        kept = facts if writer.adapter == "offline" else {}
        return {"adapter": writer.adapter, "model": writer.model, "facts": kept}


async def _goes_on(db: AsyncConnection, last: AnyRow, row: AnyRow, begin: BeginRun) -> bool:
    last_error = RunError(last.error) if last.error else None
    if last.agent_role != row.agent_role or not rules.keeps_transcript(begin.cause, last_error):
        return False
    if last_error is not RunError.MODEL_ERROR:
        return True
    # A run that has used up its turns went in circles; its transcript would lead there again.
    return await runs_write.next_turn(db, last.id) <= int(last.config["max_turns"])


def _config_json(config: EffectiveConfig, tools: list[str]) -> dict[str, Any]:
    return {
        "max_turns": config.max_turns,
        "timeout_sec": config.timeout_sec,
        "max_cost_usd": None if config.max_cost_usd is None else str(config.max_cost_usd),
        "tools": tools,
    }


def _budget_is_exhausted(row: AnyRow) -> bool:
    cap: Decimal | None = row.budget_cap_usd
    if cap is None or row.beyond_cap:
        return False
    return bool(row.campaign_spent_usd >= cap or row.asked_cap == cap)


async def _hold(db: AsyncConnection, row: AnyRow, begin: BeginRun, held_by: WakeReason) -> Begun:
    next_in_line = None
    if row.agent_role is not None:
        next_in_line = await leave_slot(db, row, begin.at)
    await agent_activities.move(
        db,
        row.id,
        generation=begin.generation,
        status=ActivityStatus.BLOCKED,
        wake_reason=held_by,
        at=begin.at,
        workflow_run_id=workflow_run(),
    )
    return Begun(outcome=BeginOutcome.HELD, held_by=held_by, next_in_line=next_in_line)


async def leave_slot(db: AsyncConnection, row: AnyRow, at: datetime) -> str | None:
    """Give back the activity's slot; answers who holds it now."""
    config = await runs_write.effective_config(db, row.tenant_id, row.agent_role)
    return await slots.give_back(
        db,
        tenant_id=row.tenant_id,
        role=row.agent_role,
        activity_id=row.id,
        concurrency=config.concurrency,
        at=at,
    )


def workflow_run() -> str | None:
    """The Temporal run that this step works for."""
    return activity.info().workflow_run_id if activity.in_activity() else None


async def _start(db: AsyncConnection, row: AnyRow, begin: BeginRun) -> bool:
    values: dict[str, Any] = {} if row.started_at else {"started_at": begin.at}
    return await agent_activities.move(
        db,
        row.id,
        generation=begin.generation,
        status=ActivityStatus.IN_PROGRESS,
        wake_reason=None,
        at=begin.at,
        workflow_run_id=workflow_run(),
        **values,
    )


async def _hand_to_human(db: AsyncConnection, row: AnyRow, begin: BeginRun) -> Begun:
    if await _start(db, row, begin):
        await notify(
            db,
            tenant_id=row.tenant_id,
            principal_id=row.assignee_id,
            kind="activity_assigned",
            subject=f"Yours to do: {row.title}",
            payload={"activityId": row.id, "campaignId": row.campaign_id},
            once=f"{row.id}:{begin.generation}",
        )
        await agent_activities.announce_started(db, row)
    return Begun(outcome=BeginOutcome.HUMAN)


async def _is_approved_content(db: AsyncConnection, row: AnyRow, begin: BeginRun) -> bool:
    if begin.cause is not WakeReason.REVIEW_APPROVED or begin.resumes:
        return False
    decision = await prompt_facts.decision(db, begin.approval_id)
    if decision is None or decision.type != ApprovalType.CONTENT_REVIEW:
        return False
    if decision.selected_option is not None:
        # What was approved is one of several ways to go on, and the agent must go it.
        return False
    newest = await agent_activities.output_hash(db, row.output_id)
    # A changed output has another hash: what was approved is not what would go out.
    return bool(decision.status == ApprovalStatus.APPROVED and decision.content_hash == newest)


async def _finish(db: AsyncConnection, row: AnyRow, begin: BeginRun) -> Begun:
    moved = await agent_activities.move(
        db,
        row.id,
        generation=begin.generation,
        status=ActivityStatus.DONE,
        wake_reason=None,
        at=begin.at,
        workflow_run_id=workflow_run(),
        completed_at=begin.at,
    )
    if moved:
        await agent_activities.announce_started(db, row)
        await agent_activities.announce_done(db, row)
    return Begun(outcome=BeginOutcome.FINISHED)
