"""The tenant's own events as a log that can be followed."""

from collections.abc import Sequence
from dataclasses import dataclass

from api.http.auth import Principal
from api.http.feeds import BATCH, Entry
from api.http.sse import EventStream, Streams, frame
from models.db.database import Database
from models.queries.records import events


@dataclass(slots=True)
class TenantEvents:
    """Reads the events of one tenant."""

    database: Database
    tenant_id: str

    @property
    def topic(self) -> str:
        return f"events:{self.tenant_id}"

    async def last(self) -> int:
        """The number of the newest event."""
        async with self.database.tenant(self.tenant_id) as db:
            return await events.last_seq(db, self.tenant_id)

    async def read(self, after: int, *, upto: int | None = None) -> Sequence[Entry]:
        """The events after a number; those beyond `upto` come by the feed."""
        async with self.database.tenant(self.tenant_id) as db:
            rows = await events.after(db, self.tenant_id, after, limit=BATCH)
        return [
            Entry(row.seq, frame(row.seq, row.kind, row.payload))
            for row in rows
            if upto is None or row.seq <= upto
        ]


def event_stream(streams: Streams, reader: Principal, last_event_id: int | None) -> EventStream:
    """Follow the reader's tenant: new events, or those since the last one that was seen."""
    log = TenantEvents(streams.database, reader.tenant_id)
    return streams.follow(log, reader, after=last_event_id)
