"""Whatever ran before a change of the code goes on after it: saved histories replay."""

from pathlib import Path
from unittest.mock import MagicMock

import pytest
from temporalio import workflow
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer, WorkflowRunner

from models.errors import DomainError
from models.settings import Settings
from workers.container import Container
from workers.registry import queues
from workers.sandbox import production_runner, sandboxed_runner
from workflows.interceptors import DomainErrors

HERE = Path(__file__).parent
SAVED = sorted(HERE.glob("*/*.json"))


def registered() -> list[type]:
    container = Container(settings=Settings(), db=MagicMock(), temporal=MagicMock(), llms={})
    return [kind for queue in queues(container) for kind in queue.workflows]


def replayer(runner: WorkflowRunner) -> Replayer:
    return Replayer(
        workflows=registered(),
        workflow_runner=runner,
        data_converter=pydantic_data_converter,
        interceptors=[DomainErrors()],
        workflow_failure_exception_types=[DomainError],
    )


def history(path: Path) -> WorkflowHistory:
    return WorkflowHistory.from_json(path.stem, path.read_text())


@pytest.mark.parametrize("path", SAVED, ids=lambda path: f"{path.parent.name}/{path.stem}")
async def test_a_saved_history_replays(path: Path) -> None:
    await replayer(production_runner()).replay_workflow(history(path))


@pytest.mark.parametrize("path", SAVED, ids=lambda path: f"{path.parent.name}/{path.stem}")
async def test_a_saved_history_replays_in_the_sandbox(path: Path) -> None:
    await replayer(sandboxed_runner()).replay_workflow(history(path))


def test_every_registered_workflow_has_a_saved_history() -> None:
    names = {workflow._Definition.must_from_class(kind).name for kind in registered()}
    assert names == {path.parent.name for path in SAVED}


async def test_a_history_of_other_code_is_refused() -> None:
    """The replayer is not blind: another workflow's decisions do not pass for this one's."""
    approved = HERE / "approval" / "approved.json"
    mixed = approved.read_text().replace('"approval.resolve"', '"approval.remind"')
    altered = mixed.replace("EVENT_TYPE_TIMER_STARTED", "EVENT_TYPE_MARKER_RECORDED")
    with pytest.raises(Exception):  # noqa: B017, PT011 - any refusal will do
        await replayer(production_runner()).replay_workflow(
            WorkflowHistory.from_json("approved", altered)
        )
