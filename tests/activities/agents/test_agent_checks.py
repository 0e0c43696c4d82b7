"""Health checks of adapters."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from activities.agents import agent_checks
from activities.agents.agent_checks import AgentCheckSteps
from activities.ports import Check, StreamPart, TurnRequest
from models.contracts.agent_checks import AgentCheckResult, CheckAgent
from models.db.database import Database
from models.queries.agents import agent_configs
from models.rules.vocabulary import AgentStatus
from tests.factories.agents import make_tenant


class Vendor:
    """An adapter whose checks are given; None means that it never answers."""

    name = "claude"

    def __init__(self, *checks: Check, silent: bool = False) -> None:
        self._checks = checks
        self._silent = silent
        self.asked: list[str] = []

    def stream_turn(self, request: TurnRequest) -> AsyncIterator[StreamPart]:
        raise AssertionError("a check takes no turn")

    async def check(self, model: str) -> Sequence[Check]:
        self.asked.append(model)
        if self._silent:
            await asyncio.Event().wait()
        return self._checks


async def check(
    db: Database, vendor: Vendor | None
) -> tuple[AgentCheckResult, agent_configs.ConfiguredAgent]:
    """What the check answers, and how the agent stands after it."""
    tenant = await make_tenant(db)
    llms = {} if vendor is None else {"claude": vendor}
    steps = AgentCheckSteps(db, llms, adapter="claude", model="claude-haiku-4-5")
    result = await steps.check(CheckAgent(tenant_id=tenant.id, role="editor"))
    async with db.tenant(tenant.id) as session:
        agent = await agent_configs.one(session, "editor")
    assert agent is not None
    return result, agent


async def test_an_adapter_that_answers_is_well(db: Database) -> None:
    vendor = Vendor(Check(name="api_key_set", ok=True), Check(name="model_reachable", ok=True))
    result, agent = await check(db, vendor)
    assert (result.ok, result.message) == (True, "claude-haiku-4-5 answers.")
    assert [line.name for line in result.checks] == ["api_key_set", "model_reachable"]
    assert vendor.asked == ["claude-haiku-4-5"]
    assert agent.status is AgentStatus.ACTIVE


async def test_a_failing_check_puts_the_agent_in_error(db: Database) -> None:
    refused = Check(name="model_reachable", ok=False, detail="The key is not valid.")
    result, agent = await check(db, Vendor(Check(name="api_key_set", ok=True), refused))
    assert (result.ok, result.message) == (False, "The key is not valid.")
    assert agent.status is AgentStatus.ERROR
    assert agent.last_error_message == "The key is not valid."


async def test_an_adapter_that_does_not_answer_in_time_has_failed(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agent_checks, "PATIENCE_S", 0.05)
    result, agent = await check(db, Vendor(silent=True))
    assert result.ok is False
    assert [line.name for line in result.checks] == ["model_reachable"]
    assert agent.status is AgentStatus.ERROR


async def test_an_adapter_that_is_not_there_lacks_its_key(db: Database) -> None:
    result, _ = await check(db, None)
    assert [(line.name, line.ok) for line in result.checks] == [("api_key_set", False)]
