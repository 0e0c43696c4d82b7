"""The whole stack as a user runs it: real processes, killed at will."""

import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from workers.processes import free_port
from workers.stack import StackRecord, running_stack

pytestmark = pytest.mark.slow


class Stack:
    """`python -m workers up` in a data folder."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self._up: subprocess.Popen[bytes] | None = None

    def start(self) -> StackRecord:
        argv = [sys.executable, "-m", "workers", "up", "--no-demo"]
        with (self.data_dir / "up.log").open("ab") as log:
            self._up = subprocess.Popen(
                [*argv, "--data-dir", str(self.data_dir)], stdout=log, stderr=log
            )
        until(self.is_ready, lambda: (self.data_dir / "up.log").read_text())
        return self.record

    @property
    def record(self) -> StackRecord:
        record = StackRecord.load(self.data_dir)
        assert record is not None
        return record

    @property
    def up(self) -> "subprocess.Popen[bytes]":
        assert self._up is not None
        return self._up

    @property
    def is_up(self) -> bool:
        return self._up is not None and self._up.poll() is None

    def stop(self) -> int:
        if self.is_up:
            self.up.send_signal(signal.SIGINT)
        return self.up.wait(40)

    def is_ready(self) -> bool:
        assert self.up.poll() is None, (self.data_dir / "up.log").read_text()
        record = running_stack(self.data_dir)
        if record is None or len(record.children) < 4:
            return False
        with contextlib.suppress(httpx.TransportError):
            return httpx.get(f"{record.api_url}/readyz").is_success
        return False

    def alive(self) -> list[str]:
        children = self.record.children
        return [name for name, child in children.items() if child.find() is not None]

    def kill(self, *names: str) -> None:
        for name in names:
            child = self.record.children[name].find()
            if child is not None:
                child.kill()

    def kill_everything(self) -> None:
        names = list(self.record.children)
        self.up.kill()
        self.up.wait()
        self.kill(*names)


def until(condition: Callable[[], bool], explain: Callable[[], str] = str) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline, explain()
        time.sleep(0.05)


@pytest.fixture(scope="module")
def folder_of_a_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    data_dir = tmp_path_factory.mktemp("stack")
    # Ports of its own: other tests look for the usual ones at the same time.
    ports = [free_port() for _ in range(4)]
    StackRecord(
        pid=0,
        postgres_port=ports[0],
        temporal_port=ports[1],
        temporal_ui_port=ports[2],
        api_port=ports[3],
    ).save(data_dir)
    stack = Stack(data_dir)
    yield stack
    stack.stop()


@pytest.fixture
def stack(folder_of_a_stack: Stack) -> Stack:
    """A stack that runs, started only when an earlier test has ended it."""
    if not folder_of_a_stack.is_up:
        folder_of_a_stack.start()
    return folder_of_a_stack


def test_after_a_kill_of_everything_the_next_start_goes_on(stack: Stack):
    before = stack.record
    stack.kill_everything()
    after = stack.start()
    assert (after.api_port, after.postgres_port) == (before.api_port, before.postgres_port)


def test_a_start_after_its_supervisor_alone_was_killed_ends_the_orphans(stack: Stack):
    orphans = stack.record.children
    stack.up.kill()
    stack.up.wait()
    until(lambda: running_stack(stack.data_dir) is None)
    assert sorted(stack.alive()) == sorted(orphans)
    stack.start()
    assert [name for name, child in orphans.items() if child.find() is not None] == []


def test_a_second_start_says_where_the_first_one_is(stack: Stack):
    argv = [sys.executable, "-m", "workers", "up", "--data-dir", str(stack.data_dir)]
    second = subprocess.run(argv, capture_output=True, text=True, timeout=40, check=False)
    assert second.returncode == 1
    assert stack.record.api_url in second.stdout


def test_it_fits_into_half_a_gigabyte(stack: Stack):
    names = ("api", "worker-1")
    found = [psutil.Process(stack.record.children[name].pid) for name in names]
    assert sum(process.memory_info().rss for process in found) < 500 * 1024 * 1024


def test_it_comes_up_on_its_ports_heals_and_leaves_nothing_behind(stack: Stack):
    before = stack.record
    stack.kill("api", "worker-1", "postgres")
    until(lambda: all(
        stack.record.children[name] != before.children[name] for name in before.children
        if name != "temporal"
    ))  # fmt: skip
    until(stack.is_ready)
    assert stack.record.api_port == before.api_port

    children = list(stack.record.children.values())
    assert stack.stop() == 0
    assert [child.pid for child in children if child.find() is not None] == []
    assert running_stack(stack.data_dir) is None
