"""The principals of a tenant: its people and its agents."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from models.rules.vocabulary import PrincipalStatus, PrincipalType
from models.tables.agent_runs import AgentConfig, AgentRun, AgentSlot
from models.tables.people import Principal


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberRow:
    """A person, or an agent with the number of its runs under way."""

    id: str
    type: str
    name: str
    email: str | None
    role: str
    status: str
    running: int
    last_active_at: datetime | None
    created_on: datetime


async def members(
    db: AsyncConnection,
    *,
    types: Sequence[str] = (),
    statuses: Sequence[str] = (),
    roles: Sequence[str] = (),
) -> Sequence[MemberRow]:
    """The principals that match, people first, each by name; terminated ones only if asked for."""
    statement, status = _everybody()
    if types:
        statement = statement.where(Principal.type.in_(types))
    if roles:
        statement = statement.where(Principal.role.in_(roles))
    if statuses:
        statement = statement.where(status.in_(statuses))
    else:
        statement = statement.where(status != PrincipalStatus.TERMINATED)
    return [MemberRow(**row._mapping) for row in await db.execute(statement)]


@cache
def _everybody() -> tuple[Select[*tuple[Any, ...]], ColumnElement[str]]:
    """Everybody in the order of the list, and the status that an agent's configuration gives it."""
    is_agent = Principal.type == PrincipalType.AGENT
    status: ColumnElement[str] = case(
        (AgentConfig.status == "paused", PrincipalStatus.INACTIVE.value),
        (AgentConfig.status == "terminated", PrincipalStatus.TERMINATED.value),
        else_=Principal.status,
    )
    running = (
        select(func.count().label("running"))
        .where(is_agent, AgentSlot.role == Principal.role, AgentSlot.held_since.is_not(None))
        .lateral("slots")
    )
    last_run = (
        select(AgentRun.started_at)
        .where(is_agent, AgentRun.agent_role == Principal.role)
        .order_by(AgentRun.started_at.desc())
        .limit(1)
        .lateral("last_run")
    )
    listed: Select[*tuple[Any, ...]] = (
        select(
            Principal.id, Principal.type, Principal.name, Principal.email, Principal.role,
            status.label("status"), running.c.running,
            func.greatest(Principal.last_active_at, last_run.c.started_at).label("last_active_at"),
            Principal.created_on,
        )
        .outerjoin(AgentConfig, and_(is_agent, AgentConfig.role == Principal.role))
        .join(running, true())
        .outerjoin(last_run, true())
        .order_by(Principal.type.desc(), Principal.name, Principal.id)
    )  # fmt: skip
    return listed, status
