"""`up` and `demo`: the stack around a demonstration, from the first start to Ctrl-C."""

import asyncio
import contextlib
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from rich.console import Console

from models.db.database import Database
from models.settings import Settings
from workers.api_client import ApiRefused
from workers.briefs import BriefUnusable, read_brief
from workers.demo import Demo, DemoOptions, command, results_api
from workers.demo_clients import ensure_demo_clients
from workers.demo_results import ResultsDemo
from workers.embedded import EmbeddedStack
from workers.stack import (
    StackRecord,
    StackRunning,
    embedded_environment,
    open_data_dir,
    running_stack,
    sole_stack,
)
from workers.tenants import ensure_demo_tenant
from workers.tokens import signing_key

NOTHING_MOVES = timedelta(minutes=30)
INTERRUPTED = 130


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What `up` and `demo` share."""

    settings: Settings
    options: DemoOptions
    console: Console
    workers: int = 1

    async def up(self, *, demo: bool = True) -> int:
        """Start the stack, show the demo, and serve until Ctrl-C."""
        self._check_brief()
        data_dir = open_data_dir(self.settings)
        try:
            with sole_stack(data_dir):
                async with self._stack(data_dir, demo=demo) as record:
                    self._where(record)
                    if demo:
                        await self._show(record)
                    await asyncio.Event().wait()
        except StackRunning as running:
            self._say(f"Not started: {running}.")
            if running.record is not None:
                self._where(running.record)
            return 1
        return 0

    async def once(self) -> int:
        """Run the demo to its end; start the stack and stop it again unless it runs already."""
        self._check_brief()
        data_dir = open_data_dir(self.settings)
        record = running_stack(data_dir)
        if record is not None:
            return await self._to_the_end(record)
        with sole_stack(data_dir):
            async with self._stack(data_dir, demo=True) as started:
                return await self._to_the_end(started)

    @asynccontextmanager
    async def _stack(self, data_dir: Path, *, demo: bool) -> AsyncIterator[StackRecord]:
        stack = EmbeddedStack(
            self.settings, data_dir, say=self._say, workers=self.workers, platforms=demo
        )
        self._say(f"Starting PostgreSQL, Temporal, the API and a worker in {data_dir} ...")
        try:
            signing_key(self.settings)  # The API looks for it with the first token.
            record = await stack.start()
            await self._tenant(data_dir, record)
            parts = ", ".join(
                f"{name} {seconds:.1f} s"
                for name, seconds in stack.seconds.items()
                if name != "ready"
            )
            self._say(f"Ready in {stack.seconds['ready']:.1f} s ({parts}).")
            yield record
        finally:
            begin = time.monotonic()
            self._say("Stopping: workers, API, Temporal, PostgreSQL ...")
            await stack.stop()
            self._say(f"Stopped in {time.monotonic() - begin:.1f} s; the next start goes on here.")

    async def _tenant(self, data_dir: Path, record: StackRecord) -> None:
        url = embedded_environment(data_dir, record)["THROUGHLINE_DATABASE_URL"]
        database = Database(url, 1)
        try:
            await ensure_demo_tenant(database)
            await ensure_demo_clients(database)
        finally:
            await database.close()

    async def _show(self, record: StackRecord) -> None:
        await self._results(record)
        demo = self._demo(record)
        try:
            await demo.report(await demo.run())
        except ApiRefused as error:
            self._say(f"The API refused: {error}")
        self._where(record)
        self._say("Serving until Ctrl-C.")

    async def _to_the_end(self, record: StackRecord) -> int:
        await self._results(record)
        demo = self._demo(record)
        try:
            async with asyncio.timeout(NOTHING_MOVES.total_seconds()):
                outcome = await demo.run()
        except TimeoutError:
            self._say(f"Not finished after {NOTHING_MOVES}.")
            return 1
        except ApiRefused as error:
            self._say(f"The API refused: {error}")
            return 1
        await demo.report(outcome)
        return 1 if outcome.reasons else 0

    async def _results(self, record: StackRecord) -> None:
        """Show the client's results, where the stack has the platforms of the demo."""
        if record.platforms_port is None:
            return
        api = results_api(self._here(), record)
        try:
            await ResultsDemo(api, self._say).run()
        finally:
            await api.close()

    def _demo(self, record: StackRecord) -> Demo:
        return Demo(self._here(), record, self.options, self.console)

    def _here(self) -> Settings:
        """The settings, with the folder's full path."""
        return self.settings.model_copy(update={"data_dir": open_data_dir(self.settings)})

    def _where(self, record: StackRecord) -> None:
        here = self._here()
        self._say(f"  API docs     {record.api_url}/docs")
        self._say(f"  Temporal UI  {record.temporal_ui_url}")
        self._say(f"  A token      {command(here, 'token', '--role', 'admin')}")

    def _check_brief(self) -> None:
        if self.options.brief is not None:
            read_brief(self.options.brief)

    def _say(self, text: str) -> None:
        with contextlib.suppress(OSError):  # The terminal may be gone; stopping goes on.
            self.console.print(text, markup=False, highlight=False, soft_wrap=True)


async def until_stopped(work: "asyncio.Task[int]") -> int:
    """Await `work`; the first SIGINT or SIGTERM cancels it, so that everything stops in order.

    Later ones change nothing: a stop that is cut short would leave processes behind.
    """
    loop = asyncio.get_running_loop()
    stopping = False

    def stop() -> None:
        nonlocal stopping
        if not stopping:
            stopping = True
            work.cancel()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop)
    with contextlib.suppress(asyncio.CancelledError):
        return await work
    return INTERRUPTED


def run(session: Session, *, once: bool, demo: bool = True) -> int:
    """Run a session to its exit status."""

    async def main() -> int:
        coroutine = session.once() if once else session.up(demo=demo)
        return await until_stopped(asyncio.create_task(coroutine))

    try:
        status = asyncio.run(main())
        # Ctrl-C is how serving ends; a demonstration that is cut short has not succeeded.
        return 0 if status == INTERRUPTED and not once else status
    except (BriefUnusable, RuntimeError, OSError) as error:
        session.console.print(
            str(error), markup=False, highlight=False, soft_wrap=True, style="red"
        )
        return 1
