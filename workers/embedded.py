"""The whole stack on one machine: PostgreSQL, Temporal, the API and workers, kept running.

PostgreSQL and Temporal start together, then the schema, then the API and the workers. Whatever
dies is started again on its port. The stop goes the other way round, so that a worker can still
report what it finished.
"""

import asyncio
import os
import sys
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from models.settings import Settings
from workers.fakes.serving import demo_settings
from workers.migrate import migrate
from workers.postgres import Postgres, end_leftover_server
from workers.processes import Child, end_leftovers, spawn, wait_for_port
from workers.stack import (
    StackRecord,
    StackSecrets,
    choose_ports,
    embedded_environment,
    owner_url,
)
from workers.temporal_server import TemporalServer

ROOT = Path(__file__).resolve().parent.parent
READY_PATH = "/readyz"
_PATIENCE = 60.0
_LOG_LIMIT = 20 * 1024 * 1024
_STOP_ORDER = ("worker", "api", "platforms", "temporal", "postgres")

Say = Callable[[str], None]


@dataclass(slots=True, kw_only=True)
class _Part:
    """One supervised program, and how often it died soon after its start."""

    start: Callable[[], Child]
    stop: Callable[[Child], None]
    child: Child | None = None
    started_at: float = 0.0
    quick_deaths: int = 0
    is_patient: bool = True

    def pause(self) -> float:
        """How long to wait before the next start: not at all, unless it keeps dying."""
        if not self.is_patient:
            return 0.0
        lived = time.monotonic() - self.started_at
        self.quick_deaths = self.quick_deaths + 1 if lived < 10 else 0
        return 0.0 if self.quick_deaths < 2 else min(0.25 * 2**self.quick_deaths, 10.0)


class EmbeddedStack:
    """Starts, watches and stops the stack of a data folder; hold `stack.sole_stack` meanwhile."""

    record: StackRecord

    def __init__(
        self,
        settings: Settings,
        data_dir: Path,
        *,
        say: Say = print,
        workers: int = 1,
        environment: Mapping[str, str] | None = None,
        restart_at_once: bool = False,
        platforms: bool = False,
    ) -> None:
        self._settings = settings
        self._environment = environment or {}
        self._is_patient = not restart_at_once
        self._data_dir = data_dir
        self._say = say
        self._workers = workers
        self._has_platforms = platforms
        self._logs = data_dir / "logs"
        self._parts: dict[str, _Part] = {}
        self._watching: asyncio.Task[None] | None = None
        self.seconds: dict[str, float] = {}
        """How long each part took to start, and the whole under `ready`."""

    async def start(self) -> StackRecord:
        """Bring everything up; returns once the API says that it is ready."""
        begin = time.monotonic()
        await asyncio.to_thread(self._clear_up)
        self.record = choose_ports(self._data_dir, self._settings, platforms=self._has_platforms)
        self._parts = self._describe()
        try:
            await _together(self._prepare_database(), self._launch("temporal"))
            await _together(*(self._launch(name) for name in self._applications()))
            await self._wait_for_api()
            await self._wait_for_platforms()
        except BaseException:
            await self.stop()
            raise
        self.seconds["ready"] = time.monotonic() - begin
        self._watching = asyncio.create_task(self._watch())
        return self.record

    async def stop(self) -> None:
        """Stop everything in order, giving each part its time to finish."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
        for kind in _STOP_ORDER:
            parts = [part for name, part in self._parts.items() if name.split("-")[0] == kind]
            await asyncio.gather(*(self._end(part) for part in parts))

    def _clear_up(self) -> None:
        """End what a killed supervisor left behind, and roll over long logs."""
        earlier = StackRecord.load(self._data_dir)
        children = earlier.children if earlier else {}
        # PostgreSQL is ended in its own way, without waiting for its clients.
        ours = [child for name, child in children.items() if name != "postgres"]
        if ended := end_leftovers(ours):
            self._say(f"Ended {len(ended)} processes of a supervisor that was killed.")
        end_leftover_server(self._data_dir / "postgres")
        for log in self._logs.glob("*.log"):
            if log.stat().st_size > _LOG_LIMIT:
                log.replace(log.with_suffix(".log.1"))

    def _describe(self) -> dict[str, _Part]:
        secrets = StackSecrets.of(self._data_dir)
        database = Postgres(
            data=self._data_dir / "postgres",
            log=self._logs / "postgres.log",
            port=self.record.postgres_port,
            owner_password=secrets.owner_password,
        )
        temporal = TemporalServer(
            port=self.record.temporal_port,
            ui_port=self.record.temporal_ui_port,
            database=self._data_dir / "temporal.db",
            log=self._logs / "temporal.log",
        )
        parts = {
            "postgres": _Part(start=database.start, stop=database.stop),
            "temporal": _Part(start=temporal.start, stop=temporal.stop),
            "api": self._application("api", patience=10),
        }
        if self.record.platforms_port is not None:
            parts["platforms"] = self._platforms(self.record.platforms_port)
        for number in range(1, self._workers + 1):
            parts[f"worker-{number}"] = self._application("worker", number, patience=25)
        self._database = database
        return parts

    def _application(self, command: str, number: int | None = None, *, patience: float) -> _Part:
        name = command if number is None else f"{command}-{number}"

        def start() -> Child:
            here = embedded_environment(self._data_dir, self.record)
            return spawn(
                name,
                [sys.executable, "-m", "workers", command],
                self._logs / f"{name}.log",
                env={**os.environ, **self._demo_settings(), **here, **self._environment},
                cwd=ROOT,
            )

        return _Part(
            start=start,
            stop=lambda child: child.stop(patience=patience),
            is_patient=self._is_patient,
        )

    def _platforms(self, port: int) -> _Part:
        argv = [sys.executable, "-m", "workers.fakes.serving", str(port)]
        log = self._logs / "platforms.log"
        return _Part(
            start=lambda: spawn("platforms", argv, log, cwd=ROOT),
            stop=lambda child: child.stop(patience=5),
            is_patient=self._is_patient,
        )

    def _demo_settings(self) -> Mapping[str, str]:
        port = self.record.platforms_port
        return {} if port is None else demo_settings(self._settings, port)

    def _applications(self) -> list[str]:
        return [name for name in self._parts if name not in ("postgres", "temporal")]

    async def _prepare_database(self) -> None:
        await self._launch("postgres")
        begin = time.monotonic()
        secrets = StackSecrets.of(self._data_dir)
        await asyncio.to_thread(self._database.ensure_application, secrets.app_password)
        await asyncio.to_thread(migrate, owner_url(self._data_dir, self.record))
        self.seconds["schema"] = time.monotonic() - begin

    async def _launch(self, name: str) -> None:
        part = self._parts[name]
        part.started_at = time.monotonic()
        starting = asyncio.ensure_future(asyncio.to_thread(part.start))
        try:
            part.child = await asyncio.shield(starting)
        except asyncio.CancelledError:
            # The thread goes on; what it starts must be known to whoever stops everything.
            part.child = await starting
            raise
        self.seconds[name] = time.monotonic() - part.started_at
        self.record.children[name] = part.child.identity
        self.record.save(self._data_dir)

    async def _end(self, part: _Part) -> None:
        if part.child is not None:
            await asyncio.to_thread(part.stop, part.child)
            part.child = None

    async def _wait_for_api(self) -> None:
        begin = time.monotonic()
        api = self._parts["api"].child
        assert api is not None
        async with httpx.AsyncClient(base_url=self.record.api_url, timeout=5) as http:
            while time.monotonic() - begin < _PATIENCE:
                if not api.alive:
                    raise RuntimeError(f"The API ended at its start:\n{api.last_words()}")
                try:
                    if (await http.get(READY_PATH)).is_success:
                        self.seconds["api"] = time.monotonic() - begin
                        return
                except httpx.TransportError:
                    pass
                await asyncio.sleep(0.05)
        raise RuntimeError(f"The API is not ready after {_PATIENCE:.0f} s:\n{api.last_words()}")

    async def _wait_for_platforms(self) -> None:
        part, port = self._parts.get("platforms"), self.record.platforms_port
        if part is not None and part.child is not None and port is not None:
            await asyncio.to_thread(wait_for_port, port, part.child, _PATIENCE)

    async def _watch(self) -> None:
        """Start again what died, each part for itself."""
        await asyncio.gather(*(self._keep(name, part) for name, part in self._parts.items()))

    async def _keep(self, name: str, part: _Part) -> None:
        while True:
            await asyncio.sleep(0.1)
            if part.child is None or part.child.alive:
                continue
            pause = part.pause()
            self._say(f"{name} ended with {part.child.process.returncode}; it starts again.")
            await asyncio.sleep(pause)
            try:
                await self._launch(name)
            except (RuntimeError, OSError) as error:
                self._say(f"{name} did not start: {error}")


async def _together(*work: Coroutine[Any, Any, None]) -> None:
    """Run side by side; when one fails, the others are ended before its error goes on."""
    try:
        async with asyncio.TaskGroup() as group:
            for one in work:
                group.create_task(one)
    except* Exception as failed:
        raise failed.exceptions[0] from None
