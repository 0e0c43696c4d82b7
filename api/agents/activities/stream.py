"""The live output of an activity's agent, as its readers get it.

Without Last-Event-ID the current run is sent from its start; with it, everything since. Words of
a turn that was cut off are left out of what is sent again, and a `turn_reset` tells readers who
have them to drop them. The stream closes after `completed` or `error`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy.engine import Row
from starlette.responses import Response

from api.http.auth import Principal
from api.http.feeds import BATCH, Entry
from api.http.sse import Ended, Streams, frame
from models.db.database import Database
from models.errors import NotFound
from models.queries.agents import streamed
from models.rules.vocabulary import ActivityStatus, RunError

_ENDINGS: Final = frozenset({streamed.COMPLETED, streamed.ERROR})
_Attempts = frozenset[tuple[str | None, int | None, int | None]]


@dataclass(slots=True)
class ActivityLog:
    """Reads the streamed log of one activity; `void` are the attempts whose words are dropped."""

    database: Database
    tenant_id: str
    activity_id: str
    void: _Attempts

    @property
    def topic(self) -> str:
        return f"activity:{self.activity_id}"

    async def last(self) -> int:
        """The number of the newest row."""
        async with self.database.tenant(self.tenant_id) as db:
            standing = await streamed.standing(db, self.activity_id)
        return standing.last_seq if standing else 0

    async def read(self, after: int, *, upto: int | None = None) -> Sequence[Entry]:
        """The rows after a number; those beyond `upto` come by the feed."""
        async with self.database.tenant(self.tenant_id) as db:
            rows = await streamed.after(db, self.activity_id, after, limit=BATCH)
        return [self._entry(row) for row in rows if upto is None or row.seq <= upto]

    def _entry(self, row: Row[Any]) -> Entry:
        if row.kind == streamed.TEXT_DELTA and (row.run_id, row.turn, row.attempt) in self.void:
            # An empty frame still moves the reader's position on.
            return Entry(row.seq, b"")
        payload = {**row.payload, "activityId": self.activity_id}
        return Entry(row.seq, frame(row.seq, row.kind, payload), row.kind in _ENDINGS)


async def activity_stream(
    streams: Streams, reader: Principal, activity_id: str, last_event_id: int | None
) -> Response:
    """Follow the activity; one that is at rest says so at once and is done."""
    async with streams.database.tenant(reader.tenant_id) as db:
        standing = await streamed.standing(db, activity_id)
        if standing is None:
            raise NotFound("There is no such activity.")
        seen = _position(standing, last_event_id)
        void = await streamed.resets(db, activity_id, seen)
    if standing.status in (ActivityStatus.DONE, ActivityStatus.FAILED) and (
        last_event_id is None or seen >= standing.ended_at
    ):
        return Ended(_last_word(standing, activity_id))
    log = ActivityLog(streams.database, reader.tenant_id, activity_id, void)
    return streams.follow(log, reader, after=seen)


def _position(standing: streamed.Standing, last_event_id: int | None) -> int:
    if last_event_id is not None:
        return min(last_event_id, standing.last_seq)
    if standing.current_from is not None:
        return standing.current_from - 1
    return standing.last_seq


def _last_word(standing: streamed.Standing, activity_id: str) -> bytes:
    seq = standing.ended_at or standing.last_seq
    if standing.status == ActivityStatus.FAILED:
        error = standing.last_error or RunError.INTERNAL_ERROR
        return frame(seq, streamed.ERROR, {"error": error, "activityId": activity_id})
    done = {"status": standing.status, "activityId": activity_id}
    return frame(seq, streamed.COMPLETED, done)
