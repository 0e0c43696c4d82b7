"""The Temporal dev server keeps what it has acknowledged, and has what operators filter by."""

import uuid
from datetime import timedelta
from pathlib import Path

from temporalio import workflow
from temporalio.client import Client
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from models.settings import Settings
from workers.processes import free_port
from workers.temporal_server import SEARCH_ATTRIBUTES, TemporalServer
from workflows.client import connect


@workflow.defn(name="test.patient")
class Patient:
    def __init__(self) -> None:
        self._told = False

    @workflow.run
    async def run(self) -> str:
        await workflow.wait_condition(lambda: self._told)
        return "told"

    @workflow.signal
    def tell(self) -> None:
        self._told = True


async def test_an_acknowledged_start_survives_a_kill(tmp_path: Path):
    server = TemporalServer(
        port=free_port(), log=tmp_path / "temporal.log", database=tmp_path / "temporal.db"
    )
    child = server.start()
    try:
        temporal = await connect(Settings(temporal_address=server.address))
        handle = await temporal.start_workflow(Patient.run, id="kept", task_queue="q")
        child.process.kill()
        child.process.wait()
        child = server.start()
        temporal = await connect(Settings(temporal_address=server.address))
        runner = UnsandboxedWorkflowRunner()
        async with Worker(temporal, task_queue="q", workflows=[Patient], workflow_runner=runner):
            handle = temporal.get_workflow_handle_for(Patient.run, "kept")
            await handle.signal(Patient.tell, rpc_timeout=timedelta(seconds=10))
            assert await handle.result() == "told"
    finally:
        server.stop(child)


async def test_workflows_are_found_by_every_attribute_of_ours(temporal: Client):
    value = str(uuid.uuid4())
    pairs = [
        SearchAttributePair(SearchAttributeKey.for_keyword(name), value)
        for name in SEARCH_ATTRIBUTES
    ]
    handle = await temporal.start_workflow(
        Patient.run, id=value, task_queue=value, search_attributes=TypedSearchAttributes(pairs)
    )
    described = await handle.describe()
    assert set(described.typed_search_attributes) == set(pairs)
    await handle.terminate()
