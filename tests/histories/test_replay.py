"""Whatever ran before a change of the code goes on after it: saved histories replay."""

from pathlib import Path

import pytest
from temporalio import workflow
from temporalio.client import WorkflowHistory

from models.settings import Settings
from tests.histories.record import TRACE
from workers.registry import WORKFLOWS
from workers.replay import replayer
from workers.sandbox import production_runner, sandboxed_runner

HERE = Path(__file__).parent
SAVED = sorted(HERE.glob("*/*.json"))


def history(path: Path) -> WorkflowHistory:
    return WorkflowHistory.from_json(path.stem, path.read_text())


@pytest.mark.parametrize("path", SAVED, ids=lambda path: f"{path.parent.name}/{path.stem}")
async def test_a_saved_history_replays(path: Path) -> None:
    await replayer(Settings(), production_runner()).replay_workflow(history(path))


@pytest.mark.parametrize("path", SAVED, ids=lambda path: f"{path.parent.name}/{path.stem}")
async def test_a_saved_history_replays_in_the_sandbox(path: Path) -> None:
    await replayer(Settings(), sandboxed_runner()).replay_workflow(history(path))


@pytest.mark.parametrize("path", SAVED, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_saved_history_names_no_file_of_the_machine_it_was_recorded_on(path: Path) -> None:
    assert TRACE.search(path.read_text()) is None


def test_every_registered_workflow_has_a_saved_history() -> None:
    names = {workflow._Definition.must_from_class(kind).name for kind in WORKFLOWS}
    assert names == {path.parent.name for path in SAVED}


async def test_a_history_of_other_code_is_refused() -> None:
    """The replayer is not blind: another workflow's decisions do not pass for this one's."""
    approved = HERE / "approval" / "approved.json"
    mixed = approved.read_text().replace('"approval.resolve"', '"approval.remind"')
    altered = mixed.replace("EVENT_TYPE_TIMER_STARTED", "EVENT_TYPE_MARKER_RECORDED")
    with pytest.raises(Exception):  # noqa: B017, PT011 - any refusal will do
        await replayer(Settings(), production_runner()).replay_workflow(
            WorkflowHistory.from_json("approved", altered)
        )
