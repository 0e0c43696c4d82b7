"""Turns of a run: opened with a reservation, settled with what they cost, once."""

from collections.abc import Sequence
from datetime import date
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    bindparam,
    func,
    insert,
    select,
    type_coerce,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncConnection

from models.db.rows import AnyRow
from models.rules.money import Price
from models.rules.vocabulary import CommentType
from models.tables.agent_activities import AgentActivity, Comment
from models.tables.agent_runs import AgentRun, LlmTurn, RunEvent, ToolCall, TranscriptMessage
from models.tables.agent_runs import Price as PriceRow
from models.tables.campaigns import Campaign

OPEN, SETTLED, CUT_OFF = "open", "settled", "cut_off"
# Built once: building a statement costs more than sending it.
_OPEN_ATTEMPT = insert(LlmTurn.__table__)  # type: ignore[arg-type]
_ADD_CALLS = insert(ToolCall.__table__)  # type: ignore[arg-type]
_RUN_WITH_STATE = (
    AgentRun.__table__,
    AgentActivity.campaign_id,
    AgentActivity.type.label("activity_type"),
    AgentActivity.reviews_id,
    AgentActivity.title,
    Campaign.status.label("campaign_status"),
)


async def run_with_state(db: AsyncConnection, run_id: str) -> AnyRow:
    """A run with its activity's and its campaign's state, the run's row locked."""
    found = await db.execute(
        select(*_RUN_WITH_STATE)
        .join(AgentActivity, AgentActivity.id == AgentRun.activity_id)
        .join(Campaign, Campaign.id == AgentActivity.campaign_id)
        .where(AgentRun.id == run_id)
        .with_for_update(of=AgentRun)
    )
    return found.one()


async def opening_state(db: AsyncConnection, run_id: str, number: int) -> AnyRow:
    """As `run_with_state`, with what a new turn has to know: everything in one round trip.

    `tried` counts the attempts at this turn, `refused_plans` those sent back in this run;
    `has_notes` tells that somebody left the agent a note. `transcript` is a list of messages
    {seq, role, blocks}, `given` what the tools of the turn before gave: {id: {output, is_error}}.
    """
    return (await db.execute(_opening_state(), {"run": run_id, "turn": number})).one()


@cache
def _opening_state() -> Select[*tuple[Any, ...]]:
    tried = select(func.count()).where(
        LlmTurn.run_id == AgentRun.id, LlmTurn.number == bindparam("turn", type_=Integer)
    )
    refused = select(func.count()).where(
        ToolCall.run_id == AgentRun.id, ToolCall.name == "submit_plan", ToolCall.is_error
    )
    notes = select(Comment.id).where(
        Comment.activity_id == AgentRun.activity_id,
        Comment.read_in_run.is_(None),
        Comment.type == CommentType.INTERVENTION_NOTE,
    )
    message = func.jsonb_build_object(
        "seq", TranscriptMessage.seq, "role", TranscriptMessage.role,
        "blocks", TranscriptMessage.blocks,
    )  # fmt: skip
    transcript = select(
        func.coalesce(
            func.jsonb_agg(aggregate_order_by(message, TranscriptMessage.seq)),
            func.jsonb_build_array(),
        )
    ).where(
        TranscriptMessage.activity_id == AgentRun.activity_id,
        TranscriptMessage.thread == AgentRun.thread,
    )
    answer = func.jsonb_build_object("output", ToolCall.output, "is_error", ToolCall.is_error)
    given = select(
        func.coalesce(func.jsonb_object_agg(ToolCall.id, answer), func.jsonb_build_object())
    ).where(ToolCall.run_id == AgentRun.id, ToolCall.turn == bindparam("turn", type_=Integer) - 1)
    return (
        select(
            *_RUN_WITH_STATE,
            type_coerce(transcript.correlate(AgentRun).scalar_subquery(), JSONB).label(
                "transcript"
            ),
            type_coerce(given.correlate(AgentRun).scalar_subquery(), JSONB).label("given"),
            tried.correlate(AgentRun).scalar_subquery().label("tried"),
            refused.correlate(AgentRun).scalar_subquery().label("refused_plans"),
            notes.correlate(AgentRun).exists().label("has_notes"),
        )
        .join(AgentActivity, AgentActivity.id == AgentRun.activity_id)
        .join(Campaign, Campaign.id == AgentActivity.campaign_id)
        .where(AgentRun.id == bindparam("run"))
        .with_for_update(of=AgentRun)
    )


async def attempts(db: AsyncConnection, run_id: str, number: int) -> Sequence[AnyRow]:
    """All attempts at one turn, oldest first."""
    found = await db.execute(
        select(LlmTurn.__table__)
        .where(LlmTurn.run_id == run_id, LlmTurn.number == number)
        .order_by(LlmTurn.attempt)
    )
    return found.all()


async def open_attempts(db: AsyncConnection, run_id: str) -> Sequence[AnyRow]:
    """The attempts of a run that never came to an end."""
    found = await db.execute(
        select(LlmTurn.__table__).where(LlmTurn.run_id == run_id, LlmTurn.status == OPEN)
    )
    return found.all()


async def open_attempt(db: AsyncConnection, values: dict[str, Any]) -> None:
    """Insert the row that a crash leaves behind, before the vendor is asked."""
    await db.execute(_OPEN_ATTEMPT, {"status": OPEN, **values})


async def note_usage(
    db: AsyncConnection, run_id: str, number: int, attempt: int, counters: dict[str, int]
) -> bool:
    """Keep the vendor's counters up to here, for a turn that may be cut off; False if it was."""
    noted = await db.execute(
        update(LlmTurn).where(*_open(run_id, number, attempt)).values(**counters)
    )
    return bool(noted.rowcount)


async def hold_open(db: AsyncConnection, run_id: str, number: int, attempt: int) -> bool:
    """Keep an attempt from being cut off until the transaction ends; False if it was."""
    held = await db.execute(
        select(LlmTurn.number).where(*_open(run_id, number, attempt)).with_for_update(read=True)
    )
    return held.first() is not None


def _open(run_id: str, number: int, attempt: int) -> tuple[ColumnElement[bool], ...]:
    return (
        LlmTurn.run_id == run_id,
        LlmTurn.number == number,
        LlmTurn.attempt == attempt,
        LlmTurn.status == OPEN,
    )


async def add_tool_calls(db: AsyncConnection, rows: Sequence[dict[str, Any]]) -> None:
    """Store what the model asked for, before any of it is done."""
    if rows:
        await db.execute(_ADD_CALLS, list(rows))


async def known_prices(db: AsyncConnection, day: date) -> list[Price]:
    """Every price that is in effect on a day or was before it."""
    found = await db.execute(select(PriceRow.__table__).where(PriceRow.effective_from <= day))
    return [Price(**row._mapping) for row in found]


async def streamed_bytes(db: AsyncConnection, row: Any) -> int:
    """How many bytes of words an attempt streamed before it was cut off."""
    delta = RunEvent.payload["delta"].astext
    found = await db.execute(
        select(func.coalesce(func.sum(func.octet_length(delta)), 0)).where(
            RunEvent.run_id == row.run_id,
            RunEvent.turn == row.number,
            RunEvent.attempt == row.attempt,
            RunEvent.kind == "text_delta",
        )
    )
    return int(found.scalar_one())
