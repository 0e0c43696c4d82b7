"""Following a log: each new row is read and formatted once a process, however many watch.

A viewer joins first and learns the position that the feed has reached. It reads what lies between
its own position and that one from PostgreSQL, then takes what the feed brings. So nothing is
missing, nothing comes twice, and the order is the log's. A viewer that cannot keep up is told so,
drops what waits for it, and catches up from PostgreSQL in the same way.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import structlog

from models.db.listen import Hub
from models.errors import Unavailable

_log = structlog.get_logger(__name__)

KEEP_ALIVE: Final = b": keep-alive\n\n"
KEEP_ALIVE_S: Final = 15.0
BATCH: Final = 500
_QUEUE_BYTES: Final = 256 * 1024
_PAUSE_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of a log as it is sent; `ends` closes the streams that it is sent on."""

    seq: int
    frame: bytes
    ends: bool = False


class Log(Protocol):
    """An append-only log whose order of commits is the order of its numbers."""

    @property
    def topic(self) -> str:
        """What the hub announces it by."""
        ...

    async def last(self) -> int:
        """The number of the newest row."""
        ...

    async def read(self, after: int, *, upto: int | None = None) -> Sequence[Entry]:
        """At most `BATCH` rows after a number, oldest first."""
        ...


class Viewer:
    """One follower's queue; `behind` says that it overflowed and must be read up again."""

    __slots__ = ("_bytes", "_news", "_queue", "behind", "closed", "since")

    def __init__(self) -> None:
        self._queue: deque[Entry] = deque()
        self._bytes = 0
        self._news = asyncio.Event()
        self.behind = False
        self.closed = False
        self.since = 0

    def begin(self, position: int) -> None:
        """Take everything after `position` from now on."""
        self._queue.clear()
        self._bytes, self.behind, self.since = 0, False, position

    def push(self, entry: Entry) -> None:
        """Queue what has come, or give the queue up when it holds too much."""
        if self.behind:
            return
        self._bytes += len(entry.frame)
        if self._bytes > _QUEUE_BYTES:
            self._queue.clear()
            self.behind = True
        else:
            self._queue.append(entry)
        self._news.set()

    def close(self) -> None:
        """End the following, as soon as it next looks."""
        self.closed = True
        self._news.set()

    async def next(self) -> Entry | None:
        """What comes next; None when the viewer is closed or behind."""
        while not self._queue:
            if self.closed or self.behind:
                return None
            self._news.clear()
            await self._news.wait()
        entry = self._queue.popleft()
        self._bytes -= len(entry.frame)
        return None if self.closed else entry


class Feed:
    """The one reader of a log in this process."""

    def __init__(self, hub: Hub, log: Log) -> None:
        self._hub = hub
        self._log = log
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._opened = asyncio.Lock()
        self._position: int | None = None
        self.viewers: set[Viewer] = set()

    async def join(self, viewer: Viewer) -> None:
        """Let the viewer have everything after the position that it learns here."""
        if self._hub.draining:
            raise Unavailable("The server is shutting down.", retry_after=1)
        self.viewers.add(viewer)
        async with self._opened:
            if self._position is None:
                await self._open()
        assert self._position is not None
        # No await between these two: what the feed reads from here on reaches the viewer.
        viewer.begin(self._position)

    async def _open(self) -> None:
        self._hub.watch(self._log.topic, self._news.set, self._close)
        try:
            self._position = await self._log.last()
        except BaseException:
            self._hub.unwatch(self._log.topic, self._news.set, self._close)
            raise
        self._task = asyncio.create_task(self._run(), name=f"feed.{self._log.topic}")

    def end(self) -> None:
        """Stop reading: nobody watches any more."""
        if self._task is not None:
            self._task.cancel()
            self._hub.unwatch(self._log.topic, self._news.set, self._close)

    def _close(self) -> None:
        for viewer in self.viewers:
            viewer.close()

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        keep_alive_at = loop.time() + KEEP_ALIVE_S
        while True:
            try:
                async with asyncio.timeout_at(keep_alive_at):
                    await self._news.wait()
            except TimeoutError:
                keep_alive_at = loop.time() + KEEP_ALIVE_S
                self._send(Entry(0, KEEP_ALIVE))
                continue
            self._news.clear()
            try:
                await self._drain()
            except Exception as error:  # Whatever it was, the viewers still wait for news.
                _log.warning("feed.failed", topic=self._log.topic, error=repr(error))
                await asyncio.sleep(_PAUSE_S)
                self._news.set()

    async def _drain(self) -> None:
        while True:
            assert self._position is not None
            entries = await self._log.read(self._position)
            for batch in _batches(entries):
                self._position = batch.seq
                self._send(batch)
            if len(entries) < BATCH:
                return

    def _send(self, entry: Entry) -> None:
        for viewer in self.viewers:
            viewer.push(entry)


def _batches(entries: Sequence[Entry]) -> list[Entry]:
    """Join the rows up to each that ends streams, so that a viewer wakes once for all of them."""
    batches: list[Entry] = []
    frames: list[bytes] = []
    for entry in entries:
        frames.append(entry.frame)
        if entry.ends or entry is entries[-1]:
            batches.append(Entry(entry.seq, b"".join(frames), entry.ends))
            frames = []
    return batches


class Feeds:
    """The feeds of a process: made for the first viewer of a log, ended with the last."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._feeds: dict[str, Feed] = {}

    async def join(self, log: Log, viewer: Viewer) -> None:
        """Attach the viewer to the log's feed."""
        feed = self._feeds.get(log.topic)
        if feed is None:
            feed = self._feeds[log.topic] = Feed(self._hub, log)
        try:
            await feed.join(viewer)
        except BaseException:
            self.leave(log, viewer)
            raise

    def leave(self, log: Log, viewer: Viewer) -> None:
        """Detach the viewer."""
        feed = self._feeds.get(log.topic)
        if feed is None:
            return
        feed.viewers.discard(viewer)
        if not feed.viewers:
            del self._feeds[log.topic]
            feed.end()
