"""One LISTEN connection a process, and whoever wants to know that a log has grown.

NOTIFY carries where to look, never what there is. A lost notification costs latency alone: every
second all watchers are told to look anyway.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress

import psycopg
import structlog
from sqlalchemy.engine import make_url

_log = structlog.get_logger(__name__)

Wake = Callable[[], None]

_PAUSE_S = 0.2
_LONGEST_PAUSE_S = 5.0
_LOOKS_A_SECOND = 200


class Hub:
    """Tells watchers of a topic (`events:<tenant>`, `activity:<id>`) that there may be news."""

    def __init__(self, url: str, channel: str, *, safety_poll: float = 1.0) -> None:
        self._conninfo = _conninfo(url)
        self._channel = channel
        self._safety_poll = safety_poll
        self._watchers: defaultdict[str, set[Wake]] = defaultdict(set)
        self._tasks: list[asyncio.Task[None]] = []
        self._closers: set[Wake] = set()
        self.listening = False
        self.draining = False

    async def start(self) -> None:
        """Begin to listen; PostgreSQL need not be there yet."""
        self.draining = False
        self._tasks = [
            asyncio.create_task(self._listen(), name="hub.listen"),
            asyncio.create_task(self._poll(), name="hub.poll"),
        ]

    async def stop(self) -> None:
        """End every stream and stop listening."""
        self.drain()
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with suppress(asyncio.CancelledError):
                await task
        self._tasks = []

    def drain(self) -> None:
        """End every stream and take no new one: the process is about to leave."""
        self.draining = True
        for close in tuple(self._closers):
            close()

    def watch(self, topic: str, wake: Wake, close: Wake) -> None:
        """Call `wake` when the topic may have news, and `close` when the process leaves."""
        self._watchers[topic].add(wake)
        self._closers.add(close)

    def unwatch(self, topic: str, wake: Wake, close: Wake) -> None:
        """Stop telling."""
        self._closers.discard(close)
        self._watchers[topic].discard(wake)
        if not self._watchers[topic]:
            del self._watchers[topic]

    def _tell_all(self) -> None:
        for wakes in tuple(self._watchers.values()):
            for wake in tuple(wakes):
                wake()

    async def _poll(self) -> None:
        while True:
            topics = tuple(self._watchers)
            # Spread over the second, and over more than one where there are very many.
            pause = max(self._safety_poll / max(len(topics), 1), 1 / _LOOKS_A_SECOND)
            for topic in topics:
                for wake in tuple(self._watchers.get(topic, ())):
                    wake()
                await asyncio.sleep(pause)
            if not topics:
                await asyncio.sleep(self._safety_poll)

    async def _listen(self) -> None:
        pause = _PAUSE_S
        while True:
            try:
                await self._follow()
            except (psycopg.Error, OSError) as error:
                _log.warning("hub.disconnected", error=str(error))
            pause = _PAUSE_S if self.listening else min(pause * 2, _LONGEST_PAUSE_S)
            self.listening = False
            await asyncio.sleep(pause)

    async def _follow(self) -> None:
        connection = await psycopg.AsyncConnection.connect(
            self._conninfo, autocommit=True, connect_timeout=5
        )
        async with connection:
            await connection.execute(
                psycopg.sql.SQL("listen {}").format(psycopg.sql.Identifier(self._channel))
            )
            self.listening = True
            # Whatever was announced while nobody listened is found by looking once.
            self._tell_all()
            async for notice in connection.notifies():
                for wake in tuple(self._watchers.get(notice.payload, ())):
                    wake()


def _conninfo(url: str) -> str:
    """The address of SQLAlchemy's URL as libpq takes it."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
