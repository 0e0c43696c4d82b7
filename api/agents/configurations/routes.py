"""Agents: how a tenant has configured them, and whether their adapter answers."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Body, Path

from activities.prompts.render import default_template
from api.agents.configurations.overrides import checked_overrides
from api.agents.configurations.schemas import (
    AgentDetailOut,
    AgentPatch,
    AgentSummaryOut,
    AgentTestIn,
    AgentTestOut,
)
from api.http.auth import Admin, Reader, Writer
from api.http.commands import Commands
from api.http.db import ReadDb, WriteDb
from api.http.problems import problems
from api.http.services import Given, Services
from api.http.wire import Listed
from models.contracts.agent_checks import CheckAgent, unanswered
from models.errors import NotFound
from models.queries.agents import agent_configs
from models.queries.agents.agent_configs import ConfiguredAgent
from models.settings import Settings
from workflows.agents.agent_checks import AgentCheckWorkflow

router = APIRouter(prefix="/agents", tags=["Agents"])

RolePath = Annotated[str, Path(pattern="^[a-z][a-z0-9_]{1,63}$", examples=["copywriter"])]
_PATIENCE = timedelta(seconds=30)
_ENV = {"claude": "ANTHROPIC_API_KEY", "openai": "OPENAI_API_KEY", "ollama": "OLLAMA_BASE_URL"}


@router.get("", summary="List agents")
async def list_agents(reader: Reader, db: ReadDb, services: Given) -> Listed[AgentSummaryOut]:
    """List the tenant's agents, one for each role, by role."""
    agents = await agent_configs.listed(db)
    return Listed(data=[_summary(agent, services.settings) for agent in agents])


@router.get("/{agent_role}", summary="Show an agent", responses=problems(404))
async def get_agent(
    agent_role: RolePath, reader: Reader, db: ReadDb, services: Given
) -> AgentDetailOut:
    """Show the whole configuration of one agent; values of its environment are redacted."""
    agent = await _agent(db, agent_role)
    settings = services.settings
    return AgentDetailOut.in_full(
        agent,
        adapter=settings.llm,
        model=settings.default_model,
        prompt_template=agent.prompt_template or default_template(agent.role),
        env={_ENV[settings.llm]: "[redacted]"},
    )


@router.patch(
    "/{agent_role}",
    summary="Override an agent's configuration",
    responses=problems(
        404, 422, why={422: "The adapter does not offer the model, or a tool is unknown."}
    ),
)
async def override_agent(
    agent_role: RolePath, patch: AgentPatch, admin: Admin, db: WriteDb, services: Given
) -> AgentSummaryOut:
    """Give the tenant a configuration of its own; runs under way keep the one they began with."""
    agent = await _agent(db, agent_role)
    changes = await checked_overrides(db, patch, services.settings.llm)
    await agent_configs.override(db, admin.tenant_id, admin.actor, agent, changes)
    return _summary(await _agent(db, agent_role), services.settings)


@router.post("/{agent_role}/test", summary="Test an agent's adapter", responses=problems(404))
async def run_agent_test(
    agent_role: RolePath,
    writer: Writer,
    services: Given,
    commands: Commands,
    asked: Annotated[AgentTestIn | None, Body()] = None,
) -> AgentTestOut:
    """Try the adapter for real, for half a minute at most; what fails is said, not an error."""
    await _refuse_unknown(services, writer.tenant_id, agent_role)
    result = await commands.run(
        AgentCheckWorkflow.run,
        CheckAgent(tenant_id=writer.tenant_id, role=agent_role),
        id=f"agent-check:{writer.tenant_id}:{agent_role}",
        kind="agent-check",
        patience=_PATIENCE,
    )
    return AgentTestOut.of(result or unanswered(_PATIENCE.seconds))


def _summary(agent: ConfiguredAgent, settings: Settings) -> AgentSummaryOut:
    return AgentSummaryOut.of(agent, adapter=settings.llm, model=settings.default_model)


async def _agent(db: ReadDb, role: str) -> ConfiguredAgent:
    agent = await agent_configs.one(db, role)
    if agent is None:
        raise NotFound("The tenant has no agent with this role.")
    return agent


async def _refuse_unknown(services: Services, tenant_id: str, role: str) -> None:
    async with services.database.tenant(tenant_id) as db:
        await _agent(db, role)
