"""Runs of agents: transcripts, turns with their price, tool calls, and the streamed log."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base, Created, Money, TenantRow


class AgentRun(TenantRow, Base):
    """One attempt of an agent at an activity, with the configuration it began with.

    `thread` names the transcript: runs that go on from a question share one.
    """

    __tablename__ = "agent_run"
    id: Mapped[str] = mapped_column(primary_key=True)
    activity_id: Mapped[str] = mapped_column(ForeignKey("agent_activity.id"))
    number: Mapped[int]
    thread: Mapped[int]
    status: Mapped[str]
    agent_role: Mapped[str]
    adapter: Mapped[str]
    model: Mapped[str]
    config: Mapped[dict[str, Any]] = mapped_column(JSONB)
    system_prompt: Mapped[str]
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB)
    input_tokens: Mapped[int] = mapped_column(BigInteger, server_default="0")
    output_tokens: Mapped[int] = mapped_column(BigInteger, server_default="0")
    cost_usd: Mapped[Money] = mapped_column(server_default="0")
    started_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    error: Mapped[str | None]
    error_message: Mapped[str | None]

    __table_args__ = (
        UniqueConstraint("activity_id", "number"),
        Index("ix_agent_run_role", "tenant_id", "agent_role", "started_at"),
    )


class TranscriptMessage(TenantRow, Base):
    """One message of a thread, in the blocks of `activities.ports`."""

    __tablename__ = "transcript_message"
    activity_id: Mapped[str] = mapped_column(ForeignKey("agent_activity.id"), primary_key=True)
    thread: Mapped[int] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[str]
    role: Mapped[str]
    blocks: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    created_on: Mapped[Created]


class LlmTurn(TenantRow, Base):
    """One turn of a run: what it reserved, used and cost. A settled turn is never asked again.

    `status` is open, settled, or cut_off: the worker died or the stream broke, and the row holds
    what had been used by then. `number` counts turns of the run, `attempt` the tries at one turn.
    """

    __tablename__ = "llm_turn"
    run_id: Mapped[str] = mapped_column(ForeignKey("agent_run.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    attempt: Mapped[int] = mapped_column(primary_key=True)
    activity_id: Mapped[str]
    status: Mapped[str]
    model: Mapped[str]
    reserved_usd: Mapped[Money]
    beyond_cap: Mapped[bool] = mapped_column(server_default=text("false"))
    reserved_month: Mapped[date | None]
    input_tokens: Mapped[int] = mapped_column(BigInteger, server_default="0")
    output_tokens: Mapped[int] = mapped_column(BigInteger, server_default="0")
    cache_write_tokens: Mapped[int] = mapped_column(BigInteger, server_default="0")
    cache_read_tokens: Mapped[int] = mapped_column(BigInteger, server_default="0")
    cost_usd: Mapped[Money] = mapped_column(server_default="0")
    stop_reason: Mapped[str | None]
    started_at: Mapped[Created]
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class ToolCall(TenantRow, Base):
    """One tool call of a turn; a call with an output is never made again."""

    __tablename__ = "tool_call"
    run_id: Mapped[str] = mapped_column(ForeignKey("agent_run.id"), primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    turn: Mapped[int]
    position: Mapped[int]
    name: Mapped[str]
    input: Mapped[dict[str, Any]] = mapped_column(JSONB)
    output: Mapped[str | None]
    is_error: Mapped[bool] = mapped_column(server_default=text("false"))
    ending: Mapped[str | None]
    """What the call does to its run (`Ending`)."""
    created_on: Mapped[Created]
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    __table_args__ = (Index("ix_tool_call_turn", "run_id", "turn", "position"),)


class ActivityStream(TenantRow, Base):
    """The counter of an activity's streamed log; its row lock makes commit order seq order."""

    __tablename__ = "activity_stream"
    activity_id: Mapped[str] = mapped_column(ForeignKey("agent_activity.id"), primary_key=True)
    next_seq: Mapped[int] = mapped_column(BigInteger, server_default="1")


class RunEvent(TenantRow, Base):
    """One event of the streamed log. `attempt` tells deltas of a cut-off turn from its repeat."""

    __tablename__ = "run_event"
    activity_id: Mapped[str] = mapped_column(ForeignKey("agent_activity.id"), primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    run_id: Mapped[str | None]
    turn: Mapped[int | None]
    attempt: Mapped[int | None]
    kind: Mapped[str]
    payload: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_on: Mapped[Created]

    __table_args__ = (Index("ix_run_event_run", "run_id", "turn", "attempt"),)


class Price(Base):
    """A dated price, in US dollars for a million tokens; the same for every tenant."""

    __tablename__ = "price"
    model: Mapped[str] = mapped_column(primary_key=True)
    effective_from: Mapped[date] = mapped_column(primary_key=True)
    adapter: Mapped[str]
    input: Mapped[Money]
    output: Mapped[Money]
    cache_write: Mapped[Money]
    cache_read: Mapped[Money]


class LedgerEntry(TenantRow, Base):
    """One charge, exact to the micro-dollar; appended when a turn is settled or cut off.

    It belongs to an activity of a campaign, or to a company that a text was written about.
    """

    __tablename__ = "ledger_entry"
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=True)
    campaign_id: Mapped[str | None] = mapped_column(ForeignKey("campaign.id"))
    activity_id: Mapped[str | None] = mapped_column(ForeignKey("agent_activity.id"))
    company_id: Mapped[str | None] = mapped_column(ForeignKey("company.id"))
    run_id: Mapped[str]
    turn: Mapped[int]
    attempt: Mapped[int]
    agent_role: Mapped[str]
    model: Mapped[str]
    price_effective_from: Mapped[date]
    input_tokens: Mapped[int] = mapped_column(BigInteger)
    output_tokens: Mapped[int] = mapped_column(BigInteger)
    cache_write_tokens: Mapped[int] = mapped_column(BigInteger)
    cache_read_tokens: Mapped[int] = mapped_column(BigInteger)
    cost_usd: Mapped[Money]
    created_on: Mapped[Created]

    __table_args__ = (
        UniqueConstraint("run_id", "turn", "attempt"),
        CheckConstraint(
            "(campaign_id is null) = (activity_id is null)"
            " and (campaign_id is null) <> (company_id is null)",
            name="subject",
        ),
        Index("ix_ledger_entry_tenant", "tenant_id", "created_on"),
        Index("ix_ledger_entry_campaign", "campaign_id"),
    )


class TenantSpend(TenantRow, Base):
    """What a tenant has spent and reserved in a month; kept only where it has a monthly cap."""

    __tablename__ = "tenant_spend"
    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenant.id"), primary_key=True)
    month: Mapped[date] = mapped_column(primary_key=True)
    spent_usd: Mapped[Money] = mapped_column(server_default="0")
    reserved_usd: Mapped[Money] = mapped_column(server_default="0")


class AgentConfig(TenantRow, Base):
    """What a tenant changed in an agent role's default configuration; null means the default."""

    __tablename__ = "agent_config"
    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenant.id"), primary_key=True)
    role: Mapped[str] = mapped_column(primary_key=True)
    customised: Mapped[bool] = mapped_column(server_default=text("false"))
    status: Mapped[str | None]
    model: Mapped[str | None]
    max_cost_usd: Mapped[Money | None]
    tool_names: Mapped[list[str] | None] = mapped_column(JSONB)
    concurrency: Mapped[int | None]
    prompt_template: Mapped[str | None]
    timeout_sec: Mapped[int | None]
    max_turns: Mapped[int | None]
    last_error_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    last_error_message: Mapped[str | None]
    last_ok_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    updated_on: Mapped[Created]


class AgentSlot(TenantRow, Base):
    """An activity's place in the queue for one of its role's concurrent runs.

    `held_since` is null while it waits. Places are given out in the order of `queued_on`.
    """

    __tablename__ = "agent_slot"
    activity_id: Mapped[str] = mapped_column(ForeignKey("agent_activity.id"), primary_key=True)
    role: Mapped[str]
    queued_on: Mapped[Created]
    held_since: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    __table_args__ = (Index("ix_agent_slot_role", "tenant_id", "role", "queued_on"),)
