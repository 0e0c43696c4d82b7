"""A tenant's whole record of agents' work, read at once, for those who must prove that it is sound.

Only `prove` and the crash tests read so much; nothing that serves people does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models.tables.agent_activities import AgentActivity, Output
from models.tables.agent_runs import (
    ActivityStream,
    AgentRun,
    LedgerEntry,
    LlmTurn,
    RunEvent,
    TenantSpend,
    ToolCall,
    TranscriptMessage,
)
from models.tables.approvals import Approval, ApprovalActivity
from models.tables.campaigns import Campaign, DeliverablePeriod
from models.tables.records import AuditEntry, Event, EventCounter

Rows = Sequence[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What the tables say of one tenant; rows as they are, in the order of their keys."""

    campaigns: Rows
    periods: Rows
    activities: Rows
    outputs: Rows
    runs: Rows
    turns: Rows
    tool_calls: Rows
    answers: Rows
    """The transcripts' messages that models wrote."""
    ledger: Rows
    months: Rows
    approvals: Rows
    links: Rows
    decisions: Rows
    """The audit log's entries about approvals."""
    events: Rows
    event_counters: Rows
    run_events: Rows
    streams: Rows


async def read(db: AsyncConnection) -> Record:
    """Read the tenant's record in one transaction."""

    async def rows(statement: Select[Any]) -> Rows:
        found: Rows = (await db.execute(statement)).all()
        return found

    answers = select(TranscriptMessage.__table__).where(TranscriptMessage.role == "assistant")
    decisions = select(AuditEntry.__table__).where(AuditEntry.entity_type == "approval")
    return Record(
        campaigns=await rows(select(Campaign.__table__).where(Campaign.is_system.is_(False))),
        periods=await rows(select(DeliverablePeriod.__table__)),
        activities=await rows(select(AgentActivity.__table__).order_by(AgentActivity.id)),
        outputs=await rows(select(Output.__table__)),
        runs=await rows(select(AgentRun.__table__).order_by(AgentRun.activity_id, AgentRun.number)),
        turns=await rows(
            select(LlmTurn.__table__).order_by(LlmTurn.run_id, LlmTurn.number, LlmTurn.attempt)
        ),
        tool_calls=await rows(select(ToolCall.__table__)),
        answers=await rows(
            answers.order_by(
                TranscriptMessage.activity_id, TranscriptMessage.thread, TranscriptMessage.seq
            )
        ),
        ledger=await rows(select(LedgerEntry.__table__).order_by(LedgerEntry.id)),
        months=await rows(select(TenantSpend.__table__)),
        approvals=await rows(select(Approval.__table__)),
        links=await rows(select(ApprovalActivity.__table__)),
        decisions=await rows(decisions),
        events=await rows(select(Event.__table__).order_by(Event.seq)),
        event_counters=await rows(select(EventCounter.__table__)),
        run_events=await rows(
            select(RunEvent.__table__).order_by(RunEvent.activity_id, RunEvent.seq)
        ),
        streams=await rows(select(ActivityStream.__table__)),
    )


async def unfinished(db: AsyncConnection) -> int:
    """How much is still to come: campaigns without their period, activities that are not done."""
    opened = select(DeliverablePeriod.campaign_id)
    waiting = select(func.count()).where(Campaign.is_system.is_(False), Campaign.id.not_in(opened))
    undone = select(func.count()).where(AgentActivity.status != "done")
    planned = (await db.execute(waiting)).scalar_one()
    return int(planned) + int((await db.execute(undone)).scalar_one())
