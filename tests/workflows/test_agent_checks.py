"""The health check as a workflow, commanded as the API does."""

from datetime import timedelta

from api.http.commands import Desk
from api.http.services import Temporal
from models.contracts.agent_checks import CheckAgent
from models.ids import new_id
from models.settings import Settings
from tests.workflows.harness import Engine
from workflows.agents.agent_checks import AgentCheckWorkflow


def desk(engine: Engine) -> Desk:
    return Desk(Temporal(Settings(), engine.temporal), engine.tenant_id)


async def test_a_check_answers_what_the_adapter_says(engine: Engine) -> None:
    result = await desk(engine).run(
        AgentCheckWorkflow.run,
        CheckAgent(tenant_id=engine.tenant_id, role="editor"),
        id=f"agent-check:{engine.tenant_id}:editor",
        kind="agent-check",
        patience=timedelta(seconds=20),
        task_queue=engine.queue_name,
    )
    assert result is not None
    assert result.ok is True


async def test_a_check_that_no_worker_takes_is_given_up(engine: Engine) -> None:
    result = await desk(engine).run(
        AgentCheckWorkflow.run,
        CheckAgent(tenant_id=engine.tenant_id, role="editor"),
        id=f"agent-check:{engine.tenant_id}:editor",
        kind="agent-check",
        patience=timedelta(seconds=1),
        task_queue=f"nobody-{new_id()}",
    )
    assert result is None
