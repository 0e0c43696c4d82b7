"""The health check of an agent's adapter, tried for real."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from temporalio import activity

from activities.ports import Check, Llm
from models.contracts.agent_checks import AgentCheckResult, CheckAgent, CheckLine, unanswered
from models.db.database import Database
from models.queries.agents import runs_write
from models.rules.text import storable

PATIENCE_S = 25
"""How long an adapter may take; the caller waits for half a minute."""


class AgentCheckSteps:
    """Checks adapters; `adapter` is the deployment's and `model` what a role without one gets."""

    def __init__(
        self, database: Database, llms: Mapping[str, Llm], *, adapter: str, model: str
    ) -> None:
        self._database = database
        self._llms = llms
        self._adapter = adapter
        self._model = model

    @activity.defn(name="agent.check")
    async def check(self, asked: CheckAgent) -> AgentCheckResult:
        """Try the adapter with the role's model, and remember the outcome for its status."""
        async with self._database.tenant(asked.tenant_id) as db:
            config = await runs_write.effective_config(db, asked.tenant_id, asked.role)
        result = await self._try(config.model or self._model)
        async with self._database.tenant(asked.tenant_id) as db:
            await runs_write.note_outcome(
                db,
                asked.tenant_id,
                asked.role,
                at=datetime.now(UTC),
                error=None if result.ok else result.message,
            )
        return result

    async def _try(self, model: str) -> AgentCheckResult:
        llm = self._llms.get(self._adapter)
        if llm is None:
            missing = f"This deployment has no key for {self._adapter}."
            return _result([Check(name="api_key_set", ok=False, detail=missing)], model)
        try:
            async with asyncio.timeout(PATIENCE_S):
                return _result(await llm.check(model), model)
        except TimeoutError:
            return unanswered(PATIENCE_S)


def _result(checks: Sequence[Check], model: str) -> AgentCheckResult:
    lines = tuple(
        CheckLine(
            name=check.name,
            ok=check.ok,
            detail=None if check.detail is None else storable(check.detail),
        )
        for check in checks
    )
    failed = [line for line in lines if not line.ok]
    if not failed:
        said = " ".join(line.detail for line in lines if line.detail) or f"{model} answers."
        return AgentCheckResult(ok=True, message=said, checks=lines)
    said = "; ".join(line.detail or f"{line.name} failed" for line in failed)
    return AgentCheckResult(ok=False, message=said, checks=lines)
