"""Agent roles as a tenant has configured them, and how they stand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, func, select, true
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from models.contracts.actors import Actor
from models.queries.records import audit
from models.rules.money import Price as DatedPrice
from models.rules.roles import ROLES
from models.rules.vocabulary import AgentStatus, PrincipalType
from models.tables.agent_runs import AgentConfig, AgentRun, AgentSlot, Price
from models.tables.people import Principal


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfiguredAgent:
    """An agent role of a tenant; None for `model` and `prompt_template` means the default."""

    id: str
    role: str
    status: AgentStatus
    running: int
    model: str | None
    tool_names: tuple[str, ...]
    max_cost_usd: Decimal | None
    concurrency: int
    prompt_template: str | None
    timeout_sec: int
    max_turns: int
    customised: bool
    last_error_at: datetime | None
    last_error_message: str | None
    updated_on: datetime


async def listed(db: AsyncConnection) -> Sequence[ConfiguredAgent]:
    """Every agent role of the tenant, by role."""
    return [_configured(row) for row in await db.execute(_agents()) if row.role in ROLES]


async def one(db: AsyncConnection, role: str) -> ConfiguredAgent | None:
    """One agent role of the tenant."""
    found = await db.execute(_agent(), {"of_role": role})
    row = found.one_or_none()
    return _configured(row) if row and row.role in ROLES else None


async def override(
    db: AsyncConnection,
    tenant_id: str,
    actor: Actor,
    agent: ConfiguredAgent,
    changes: Mapping[str, Any],
) -> None:
    """Give the tenant a configuration of its own, by the columns of `agent_config`.

    A customised row says what bounds the cost also where nothing does, so the bound in effect is
    written with the first change of anything.
    """
    values = {"customised": True, "updated_on": func.clock_timestamp(), **changes}
    values.setdefault("max_cost_usd", agent.max_cost_usd)
    await db.execute(
        insert(AgentConfig)
        .values(tenant_id=tenant_id, role=agent.role, **values)
        .on_conflict_do_update(index_elements=["tenant_id", "role"], set_=values)
    )
    await audit.record(
        db,
        tenant_id,
        actor,
        entity="agent",
        entity_id=agent.id,
        action="updated",
        changes=changes,
    )


async def prices(db: AsyncConnection, adapter: str) -> Sequence[DatedPrice]:
    """The dated prices of what an adapter offers."""
    found = await db.execute(select(Price.__table__).where(Price.adapter == adapter))
    return [DatedPrice(**row._mapping) for row in found]


@cache
def _agent() -> Select[*tuple[Any, ...]]:
    return _agents().where(Principal.role == bindparam("of_role"))


@cache
def _agents() -> Select[*tuple[Any, ...]]:
    running = (
        select(func.count().label("running"))
        .where(AgentSlot.role == Principal.role, AgentSlot.held_since.is_not(None))
        .lateral("slots")
    )
    # Ordered, so that the newest entry of an index answers and not a look through all runs.
    last_run = (
        select(AgentRun.id)
        .where(AgentRun.agent_role == Principal.role)
        .order_by(AgentRun.started_at.desc())
        .limit(1)
        .lateral("last_run")
    )
    return (
        select(
            Principal.id, Principal.role.label("role"), Principal.created_on, running.c.running,
            last_run.c.id.is_not(None).label("has_run"),
            AgentConfig.status, AgentConfig.customised, AgentConfig.model,
            AgentConfig.tool_names, AgentConfig.max_cost_usd, AgentConfig.concurrency,
            AgentConfig.prompt_template, AgentConfig.timeout_sec, AgentConfig.max_turns,
            AgentConfig.last_error_at, AgentConfig.last_error_message, AgentConfig.last_ok_at,
            AgentConfig.updated_on,
        )
        .select_from(Principal)
        .outerjoin(AgentConfig, AgentConfig.role == Principal.role)
        .join(running, true())
        .outerjoin(last_run, true())
        .where(Principal.type == PrincipalType.AGENT)
        .order_by(Principal.role)
    )  # fmt: skip


def _configured(row: Any) -> ConfiguredAgent:
    default = ROLES[row.role]
    own = bool(row.customised)
    failed = row.last_error_at is not None and (
        row.last_ok_at is None or row.last_error_at > row.last_ok_at
    )
    return ConfiguredAgent(
        id=row.id,
        role=row.role,
        status=_status(row, failed=failed),
        running=row.running,
        model=row.model if own else None,
        tool_names=tuple(row.tool_names)
        if own and row.tool_names is not None
        else default.tool_names,
        max_cost_usd=row.max_cost_usd if own else default.max_cost_usd,
        concurrency=(row.concurrency if own else None) or default.concurrency,
        prompt_template=row.prompt_template if own else None,
        timeout_sec=(row.timeout_sec if own else None) or default.timeout_sec,
        max_turns=(row.max_turns if own else None) or default.max_turns,
        customised=own,
        last_error_at=row.last_error_at,
        last_error_message=row.last_error_message,
        updated_on=row.updated_on if own else row.created_on,
    )


def _status(row: Any, *, failed: bool) -> AgentStatus:
    if row.status is not None:
        return AgentStatus(row.status)
    if row.running:
        return AgentStatus.RUNNING
    if failed:
        return AgentStatus.ERROR
    return AgentStatus.IDLE if row.has_run else AgentStatus.ACTIVE
