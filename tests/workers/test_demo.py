"""The demonstration, against an API that plays one campaign through."""

import asyncio
import io
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import uvicorn
from rich.console import Console

from models.settings import Settings
from tests.workers.fake_api import APPROVAL, FakeApi
from workers.demo import Demo, DemoOptions, command, demo_api
from workers.processes import free_port
from workers.stack import StackRecord, sole_stack


@asynccontextmanager
async def serving(api: FakeApi) -> AsyncIterator[StackRecord]:
    record = StackRecord(
        pid=os.getpid(), postgres_port=1, temporal_port=1, temporal_ui_port=1, api_port=free_port()
    )
    config = uvicorn.Config(
        api.app, port=record.api_port, log_config=None, timeout_graceful_shutdown=1, ws="none"
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    yield record
    server.should_exit = True
    await task


class Shown:
    """What a run of the demonstration printed, and how it ended."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.file = io.StringIO()

    async def run(self, record: StackRecord, options: DemoOptions) -> list[str]:
        demo = Demo(self.settings, record, options, Console(file=self.file, width=100))
        async with asyncio.timeout(30):
            outcome = await demo.run()
        await demo.report(outcome)
        return list(outcome.reasons)

    @property
    def text(self) -> str:
        return self.file.getvalue()


@pytest.fixture
def shown(tmp_path: Path) -> Shown:
    return Shown(Settings(data_dir=tmp_path))


APPROVE = DemoOptions(approve_all=True, again=True)


async def test_it_approves_what_is_asked_and_prints_what_was_made(shown: Shown):
    api = FakeApi()
    async with serving(api) as record:
        assert await shown.run(record, APPROVE) == []
    assert api.resolutions == [{"resolution": "approved"}]
    for text in (
        "copywriter | Slow mornings",
        "Approved: Publish the post?",
        "2 of 2 activities done, spent $0.2500",
    ):
        assert text in shown.text


async def test_of_several_options_it_takes_the_first(shown: Shown):
    api = FakeApi(options=["warm", "dry"])
    async with serving(api) as record:
        await shown.run(record, APPROVE)
    assert api.resolutions == [{"resolution": "approved", "selectedOption": "warm"}]


async def test_a_failed_activity_is_a_reason(shown: Shown):
    async with serving(FakeApi(fails=True)) as record:
        assert await shown.run(record, APPROVE) == ["Post: failed (model_error)"]
    assert "not done: Post: failed (model_error)" in shown.text


async def test_who_is_asked_is_told_how_to_answer(shown: Shown):
    api = FakeApi()
    async with serving(api) as record:
        running = asyncio.create_task(shown.run(record, DemoOptions()))
        while "Your approval is asked" not in shown.text:
            await asyncio.sleep(0.05)
        assert command(shown.settings, "approve", APPROVAL) in shown.text
        with sole_stack(shown.settings.data_dir):
            record.save(shown.settings.data_dir)
            assert await approve(APPROVAL, "--data-dir", str(shown.settings.data_dir)) == 0
        assert await running == []
    assert api.resolutions == [{"resolution": "approved"}]


async def test_the_same_brief_is_not_submitted_twice(shown: Shown):
    api = FakeApi()
    async with serving(api) as record:
        await shown.run(record, DemoOptions(approve_all=True))
        await shown.run(record, DemoOptions(approve_all=True))
        assert len(api.submitted) == 1
        await shown.run(record, APPROVE)
    keys = [key for key, _ in api.submitted]
    assert len(set(keys)) == 2


async def test_the_api_s_own_words_say_what_is_wrong_with_a_brief(shown: Shown, tmp_path: Path):
    brief = tmp_path / "brief.json"
    brief.write_text("{}")
    async with serving(FakeApi()) as record:
        with pytest.raises(RuntimeError, match=r"does not validate\.; body\.name: is required"):
            await shown.run(record, DemoOptions(brief=brief))


async def test_a_stream_ends_with_its_last_event(shown: Shown):
    api = FakeApi()
    async with serving(api) as record:
        client = demo_api(shown.settings, record)
        names = [event.name async for event in client.events("/activities/X/stream")]
        await client.close()
    assert names == ["text_delta", "text_delta", "text_delta", "completed"]


async def approve(*arguments: str) -> int:
    """The real command, in a process of its own: it brings its own event loop."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "workers", "approve", *arguments
    )
    return await process.wait()
