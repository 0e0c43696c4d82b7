"""Runs of agents: opened with the configuration and the prompt they keep, closed with a cause."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from models.contracts.agent_activities import Ending
from models.db.rows import AnyRow
from models.errors import NotFound
from models.rules.roles import ROLES
from models.rules.vocabulary import RunError, RunStatus
from models.tables.agent_activities import AgentActivity
from models.tables.agent_runs import AgentConfig, AgentRun, LlmTurn, ToolCall, TranscriptMessage

# Built once: building a statement costs more than sending it.
_OPEN_RUN = insert(AgentRun.__table__).on_conflict_do_nothing()  # type: ignore[arg-type]
_ADD_MESSAGE = insert(TranscriptMessage.__table__).on_conflict_do_nothing()  # type: ignore[arg-type]
_CONFIG = select(AgentConfig.__table__).where(
    AgentConfig.tenant_id == bindparam("tenant"), AgentConfig.role == bindparam("of_role")
)
_NEWEST = (
    select(AgentRun.__table__)
    .where(AgentRun.activity_id == bindparam("activity"))
    .order_by(AgentRun.number.desc())
    .limit(1)
)
_CLOSE_RUN = update(AgentRun).where(
    AgentRun.id == bindparam("run"), AgentRun.status == RunStatus.RUNNING
)
_MESSAGES = (
    select(
        TranscriptMessage.seq,
        TranscriptMessage.run_id,
        TranscriptMessage.role,
        TranscriptMessage.blocks,
    )
    .where(
        TranscriptMessage.activity_id == bindparam("activity"),
        TranscriptMessage.thread == bindparam("of_thread"),
    )
    .order_by(TranscriptMessage.seq)
)
_MESSAGES_OF_RUN = (
    select(TranscriptMessage.role, TranscriptMessage.blocks)
    .where(
        TranscriptMessage.activity_id == bindparam("activity"),
        TranscriptMessage.run_id == bindparam("run"),
    )
    .order_by(TranscriptMessage.thread, TranscriptMessage.seq)
)
_TOOL_CALLS = (
    select(ToolCall.__table__)
    .where(ToolCall.run_id == bindparam("run"))
    .order_by(ToolCall.turn, ToolCall.position)
)
_TOOL_CALLS_OF_TURN = _TOOL_CALLS.where(ToolCall.turn == bindparam("of_turn"))
_ANSWER = update(ToolCall).where(
    ToolCall.run_id == bindparam("run"), ToolCall.id == bindparam("call"), ToolCall.output.is_(None)
)
_NOTE = insert(AgentConfig)
_NOTE_OK = _NOTE.on_conflict_do_update(
    index_elements=["tenant_id", "role"], set_={"last_ok_at": _NOTE.excluded.last_ok_at}
)
_NOTE_ERROR = _NOTE.on_conflict_do_update(
    index_elements=["tenant_id", "role"],
    set_={
        "last_error_at": _NOTE.excluded.last_error_at,
        "last_error_message": _NOTE.excluded.last_error_message,
    },
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectiveConfig:
    """A role's configuration in a tenant: its own overrides over the shipped defaults."""

    role: str
    model: str | None
    tool_names: tuple[str, ...]
    max_cost_usd: Decimal | None
    concurrency: int
    timeout_sec: int
    max_turns: int
    prompt_template: str | None


async def effective_config(db: AsyncConnection, tenant_id: str, role: str) -> EffectiveConfig:
    """Put a tenant's overrides over the role's defaults."""
    default = ROLES.get(role)
    if default is None:
        raise NotFound(f"There is no agent with the role {role}.")
    found = await db.execute(_CONFIG, {"tenant": tenant_id, "of_role": role})
    own = found.one_or_none()
    if own is None or not own.customised:
        return EffectiveConfig(
            role=role,
            model=None,
            tool_names=default.tool_names,
            max_cost_usd=default.max_cost_usd,
            concurrency=default.concurrency,
            timeout_sec=default.timeout_sec,
            max_turns=default.max_turns,
            prompt_template=None,
        )
    return EffectiveConfig(
        role=role,
        model=own.model,
        tool_names=default.tool_names if own.tool_names is None else tuple(own.tool_names),
        max_cost_usd=own.max_cost_usd,
        concurrency=own.concurrency or default.concurrency,
        timeout_sec=own.timeout_sec or default.timeout_sec,
        max_turns=own.max_turns or default.max_turns,
        prompt_template=own.prompt_template,
    )


async def newest(db: AsyncConnection, activity_id: str) -> AnyRow | None:
    """The activity's newest run."""
    return (await db.execute(_NEWEST, {"activity": activity_id})).one_or_none()


async def one(db: AsyncConnection, run_id: str) -> AnyRow:
    """A run that is known to exist."""
    found = await db.execute(select(AgentRun.__table__).where(AgentRun.id == run_id))
    return found.one()


async def open_run(db: AsyncConnection, values: Mapping[str, Any]) -> None:
    """Insert a run; one that is there already stays as it is."""
    await db.execute(_OPEN_RUN, values)


async def close_run(
    db: AsyncConnection,
    run_id: str,
    *,
    status: RunStatus,
    at: datetime,
    error: RunError | None = None,
    message: str = "",
) -> None:
    """Close a run. One that its time-out cut off gets no end on the wire, but keeps one here."""
    values = {"ended_at": at, "error": error, "error_message": message[:2000] or None}
    await db.execute(_CLOSE_RUN, {"run": run_id, "status": status, **values})


async def next_turn(db: AsyncConnection, run_id: str) -> int:
    """The number of the turn that comes next in a run."""
    found = await db.execute(
        select(func.coalesce(func.max(LlmTurn.number), 0)).where(
            LlmTurn.run_id == run_id, LlmTurn.status == "settled"
        )
    )
    return int(found.scalar_one()) + 1


async def messages(db: AsyncConnection, activity_id: str, thread: int) -> Sequence[AnyRow]:
    """A transcript in order: rows of seq, run_id, role and blocks."""
    return (await db.execute(_MESSAGES, {"activity": activity_id, "of_thread": thread})).all()


async def messages_of_run(db: AsyncConnection, activity_id: str, run_id: str) -> Sequence[AnyRow]:
    """What a run added to its transcript, in order: rows of role and blocks."""
    return (await db.execute(_MESSAGES_OF_RUN, {"activity": activity_id, "run": run_id})).all()


async def next_seq(db: AsyncConnection, activity_id: str, thread: int) -> int:
    """The number of the message that comes next in a transcript."""
    found = await db.execute(
        select(func.coalesce(func.max(TranscriptMessage.seq), 0)).where(
            TranscriptMessage.activity_id == activity_id, TranscriptMessage.thread == thread
        )
    )
    return int(found.scalar_one()) + 1


async def add_message(
    db: AsyncConnection,
    *,
    tenant_id: str,
    activity_id: str,
    thread: int,
    run_id: str,
    role: str,
    blocks: Sequence[Mapping[str, Any]],
    seq: int,
) -> None:
    """Append a message to a transcript; one that is there already stays as it is."""
    await db.execute(
        _ADD_MESSAGE,
        {
            "tenant_id": tenant_id,
            "activity_id": activity_id,
            "thread": thread,
            "seq": seq,
            "run_id": run_id,
            "role": role,
            "blocks": list(blocks),
        },
    )


async def tool_calls(db: AsyncConnection, run_id: str, turn: int | None = None) -> Sequence[AnyRow]:
    """The tool calls of a run (or of one of its turns), in the order they were asked for."""
    if turn is None:
        return (await db.execute(_TOOL_CALLS, {"run": run_id})).all()
    return (await db.execute(_TOOL_CALLS_OF_TURN, {"run": run_id, "of_turn": turn})).all()


async def tool_call(db: AsyncConnection, run_id: str, call_id: str) -> AnyRow:
    """One tool call that is known to exist, with its run's role, type of activity and config."""
    return (await db.execute(_tool_call(), {"run": run_id, "call": call_id})).one()


@cache
def _tool_call() -> Select[*tuple[Any, ...]]:
    return (
        select(
            ToolCall.name, ToolCall.input, ToolCall.turn, ToolCall.output, ToolCall.is_error,
            ToolCall.ending, AgentRun.agent_role, AgentRun.config,
            AgentActivity.type.label("activity_type"),
        )
        .join(AgentRun, AgentRun.id == ToolCall.run_id)
        .join(AgentActivity, AgentActivity.id == AgentRun.activity_id)
        .where(ToolCall.run_id == bindparam("run"), ToolCall.id == bindparam("call"))
    )  # fmt: skip


async def answer_tool_call(
    db: AsyncConnection,
    run_id: str,
    call_id: str,
    *,
    output: str,
    is_error: bool,
    ending: Ending,
    at: datetime,
) -> bool:
    """Store what a tool call gave; False when it has an answer already, which stays."""
    values = {"output": output, "is_error": is_error, "ending": ending, "ended_at": at}
    answered = await db.execute(_ANSWER, {"run": run_id, "call": call_id, **values})
    return bool(answered.rowcount)


async def note_outcome(
    db: AsyncConnection, tenant_id: str, role: str, *, at: datetime, error: str | None
) -> None:
    """Remember how an agent's last run or test ended, for its status."""
    agent = {"tenant_id": tenant_id, "role": role}
    if error is None:
        await db.execute(_NOTE_OK, {**agent, "last_ok_at": at})
    else:
        noted = {"last_error_at": at, "last_error_message": error[:500]}
        await db.execute(_NOTE_ERROR, {**agent, **noted})
