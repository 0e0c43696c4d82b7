"""The stack as a user runs it, in processes that tests may kill."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import httpx
import psutil

from workers.processes import ProcessId, free_port
from workers.stack import StackRecord, running_stack

PATIENCE = 60.0
START_PATIENCE = 150.0
"""All journeys wait for one start, which on a machine that is busy otherwise takes a minute."""


class Stack:
    """`python -m workers up` in a data folder of its own, on ports of its own."""

    def __init__(self, data_dir: Path, environment: Mapping[str, str]) -> None:
        self.data_dir = data_dir
        self._environment = {**os.environ, **environment}
        self._up: subprocess.Popen[bytes] | None = None
        postgres, temporal, ui, api = (free_port() for _ in range(4))
        StackRecord(
            pid=0, postgres_port=postgres, temporal_port=temporal, temporal_ui_port=ui, api_port=api
        ).save(data_dir)

    @property
    def record(self) -> StackRecord:
        record = StackRecord.load(self.data_dir)
        assert record is not None
        return record

    def start(self) -> None:
        """Start everything, and wait until the API and a worker are ready."""
        argv = [sys.executable, "-m", "workers", "up", "--no-demo"]
        seen = self.worker_starts()
        with (self.data_dir / "up.log").open("ab") as log:
            self._up = subprocess.Popen(
                [*argv, "--data-dir", str(self.data_dir)],
                stdout=log,
                stderr=log,
                env=self._environment,
            )
        until(lambda: self._answers() and self.worker_starts() > seen, self.words, START_PATIENCE)

    def stop(self) -> None:
        if self._up is not None and self._up.poll() is None:
            self._up.send_signal(signal.SIGINT)
            self._up.wait(40)

    def process(self, name: str) -> psutil.Process:
        """A part of the stack, once it runs."""
        until(lambda: self.record.children[name].find() is not None, self.words)
        found = self.record.children[name].find()
        assert found is not None
        return found

    def kill(self, name: str) -> ProcessId:
        """Kill a part at once; answers which process it was."""
        before = self.record.children[name]
        self.process(name).kill()
        return before

    def is_replaced(self, name: str, before: ProcessId) -> bool:
        return self.record.children[name] != before

    def kill_everything(self) -> None:
        """Kill the supervisor first, so that it starts nothing again, and then all parts."""
        assert self._up is not None
        children = list(self.record.children.values())
        self._up.kill()
        self._up.wait()
        for child in children:
            if (process := child.find()) is not None:
                process.kill()

    def freeze(self, name: str, seconds: float) -> None:
        """Let a part and its children stand still for some seconds."""
        parent = self.process(name)
        family = [parent, *parent.children(recursive=True)]
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.suspend()
        time.sleep(seconds)
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.resume()

    def worker_starts(self) -> int:
        """How many times a worker has said that it is at work."""
        log = self.data_dir / "logs" / "worker-1.log"
        return log.read_bytes().count(b"worker started") if log.exists() else 0

    def words(self) -> str:
        """The ends of all logs, for a test that waited in vain."""
        logs = [self.data_dir / "up.log", *sorted((self.data_dir / "logs").glob("*.log"))]
        return "\n".join(
            f"== {log.name}\n" + "\n".join(log.read_text(errors="replace").splitlines()[-12:])
            for log in logs
            if log.exists()
        )

    def _answers(self) -> bool:
        assert self._up is not None
        assert self._up.poll() is None, self.words()
        record = running_stack(self.data_dir)
        if record is None:
            return False
        with contextlib.suppress(httpx.TransportError):
            return httpx.get(f"{record.api_url}/readyz").is_success
        return False


def until(
    condition: Callable[[], bool], explain: Callable[[], str], patience: float = PATIENCE
) -> None:
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, explain()
        time.sleep(0.05)
