"""Server-sent events: a response that follows a log until its reader, its token or we leave.

It holds no database connection while it waits, and what is wrong before the first byte is an
ordinary problem answer.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, suppress
from typing import Annotated, Any, Final

import orjson
from fastapi import Depends, Header
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api.http.auth import Principal
from api.http.feeds import Entry, Feeds, Log, Viewer
from api.http.services import Given
from models.db.database import Database
from models.errors import Invalid, ProblemItem

OPENING: Final = b": open\n\n"
_HEADERS: Final = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]


def frame(seq: int, event: str, payload: Mapping[str, Any]) -> bytes:
    """One event: its number, its name, one line of JSON."""
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (seq, event.encode(), orjson.dumps(payload))


async def _last_event_id(
    last_event_id: Annotated[
        str | None,
        Header(alias="Last-Event-ID", description="Go on after this event.", examples=["42"]),
    ] = None,
) -> int | None:
    if last_event_id is None or last_event_id == "":
        return None
    if not (last_event_id.isascii() and last_event_id.isdigit() and len(last_event_id) < 19):
        item = ProblemItem(
            location="header.Last-Event-ID", message="Not the id of an event", value=last_event_id
        )
        raise Invalid("Last-Event-ID is not the id of an event.", item)
    return int(last_event_id)


LastEventId = Annotated[int | None, Depends(_last_event_id)]


class EventStream(Response):
    """Follows `log` from behind `after` (None: from now on) until `until`, in epoch seconds."""

    media_type = "text/event-stream"

    def __init__(self, feeds: Feeds, log: Log, *, after: int | None, until: float) -> None:
        super().__init__()
        self._feeds = feeds
        self._log = log
        self._sent = after
        self._until = until
        self._viewer = Viewer()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        viewer = self._viewer
        # Joining comes before the first byte: a database that is away is then a plain 503.
        await self._feeds.join(self._log, viewer)
        leaving = asyncio.create_task(_until_gone(receive, viewer))
        expiry = asyncio.get_running_loop().call_later(
            max(self._until - time.time(), 0), viewer.close
        )
        try:
            await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
            await send({"type": "http.response.body", "body": OPENING, "more_body": True})
            async with aclosing(self._frames()) as frames:
                async for body in frames:
                    await send({"type": "http.response.body", "body": body, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        except OSError:
            pass  # The reader has gone in the middle of a write.
        finally:
            expiry.cancel()
            leaving.cancel()
            self._feeds.leave(self._log, viewer)
            with suppress(asyncio.CancelledError):
                await leaving

    async def _frames(self) -> AsyncGenerator[bytes]:
        viewer = self._viewer
        while True:
            if self._sent is None:
                self._sent = viewer.since
            async with aclosing(self._replay(viewer.since)) as missed:
                async for entry in missed:
                    yield entry.frame
                    if entry.ends:
                        return
            while (entry_now := await viewer.next()) is not None:
                yield entry_now.frame
                self._sent = max(self._sent, entry_now.seq)
                if entry_now.ends:
                    return
            if viewer.closed:
                return
            await self._feeds.join(self._log, viewer)

    async def _replay(self, upto: int) -> AsyncGenerator[Entry]:
        """What lies between the reader's position and the feed's, from PostgreSQL."""
        assert self._sent is not None
        while self._sent < upto and not self._viewer.closed:
            entries = await self._log.read(self._sent, upto=upto)
            if not entries:
                return
            frames: list[bytes] = []
            for entry in entries:
                self._sent = entry.seq
                frames.append(entry.frame)
                if entry.ends:
                    break
            yield Entry(entry.seq, b"".join(frames), entry.ends)


class Ended(Response):
    """A stream that has only its last event left to say."""

    media_type = "text/event-stream"

    def __init__(self, last: bytes) -> None:
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        super().__init__(last, headers=headers, media_type="text/event-stream")


async def _until_gone(receive: Receive, viewer: Viewer) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    viewer.close()


class Streams:
    """Opens the streams of signed-in readers."""

    def __init__(self, database: Database, feeds: Feeds) -> None:
        self.database = database
        self._feeds = feeds

    def follow(self, log: Log, principal: Principal, *, after: int | None) -> EventStream:
        """Follow a log on behalf of a reader, as long as their token holds."""
        return EventStream(self._feeds, log, after=after, until=principal.token_expires_at)


async def _streams(services: Given) -> Streams:
    return Streams(services.database, services.feeds)


Follow = Annotated[Streams, Depends(_streams)]
