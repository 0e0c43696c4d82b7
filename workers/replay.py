"""`replay`: would today's code go on with what ran before? Histories are run through it."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Final

from rich.console import Console
from temporalio import workflow
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer, WorkflowRunner

from models.errors import DomainError
from models.settings import Settings
from workers.registry import WORKFLOWS
from workers.sandbox import production_runner
from workflows.client import connect, data_converter
from workflows.interceptors import DomainErrors

_OPEN: Final = 'ExecutionStatus = "Running"'


def replayer(settings: Settings, runner: WorkflowRunner) -> Replayer:
    """A replayer with the workflows and the settings of our workers."""
    return Replayer(
        workflows=list(WORKFLOWS),
        workflow_runner=runner,
        data_converter=data_converter(settings),
        interceptors=[DomainErrors()],
        workflow_failure_exception_types=[DomainError],
    )


async def saved(files: Sequence[Path]) -> AsyncIterator[WorkflowHistory]:
    """Histories from files, as the UI and the CLI export them."""
    for file in files:
        yield WorkflowHistory.from_json(file.stem, file.read_text())


async def running(settings: Settings) -> AsyncIterator[WorkflowHistory]:
    """The histories of all workflows that run now."""
    temporal = await connect(settings)
    known = {workflow._Definition.must_from_class(kind).name for kind in WORKFLOWS}
    async for one in temporal.list_workflows(_OPEN):
        if one.workflow_type in known:
            handle = temporal.get_workflow_handle(one.id, run_id=one.run_id)
            yield await handle.fetch_history()


async def replay(
    settings: Settings, histories: AsyncIterator[WorkflowHistory], console: Console
) -> int:
    """Replay them all; 1 when any of them would not go on."""
    good, bad = 0, 0
    machine = replayer(settings, production_runner())
    async with machine.workflow_replay_iterator(histories) as results:
        async for result in results:
            if result.replay_failure is None:
                good += 1
                continue
            bad += 1
            name = result.history.workflow_id
            console.print(f"{name}: {result.replay_failure}", markup=False, highlight=False)
    console.print(f"{good} replayed, {bad} would not go on.", highlight=False)
    return 1 if bad else 0
