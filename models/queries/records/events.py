"""The tenant's events: appended in order, announced by NOTIFY, read after an id."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from models.db.rows import AnyRow
from models.rules.vocabulary import EventKind
from models.tables.records import Event, EventCounter

CHANNEL = "throughline"
"""The one NOTIFY channel; payloads are `events:<tenant id>` and `activity:<activity id>`."""

_NOTIFY = text("select pg_notify(:channel, :payload)")


async def announce(db: AsyncConnection, payload: str) -> None:
    """Tell listening processes, once the transaction commits, where to look."""
    await db.execute(_NOTIFY, {"channel": CHANNEL, "payload": payload})


async def publish(
    db: AsyncConnection, tenant_id: str, kind: EventKind, payload: Mapping[str, Any]
) -> None:
    """Append an event; the counter's row lock makes the order of commits the order of ids."""
    counter = (
        upsert(EventCounter)
        .values(tenant_id=tenant_id, next_seq=2)
        .on_conflict_do_update(
            index_elements=["tenant_id"], set_={"next_seq": EventCounter.next_seq + 1}
        )
        .returning(EventCounter.next_seq - 1)
    )
    seq = (await db.execute(counter)).scalar_one()
    await db.execute(
        insert(Event).values(tenant_id=tenant_id, seq=seq, kind=kind, payload=dict(payload))
    )
    await announce(db, f"events:{tenant_id}")


async def last_seq(db: AsyncConnection, tenant_id: str) -> int:
    """The id of the newest event, 0 when there is none."""
    newest = select(func.coalesce(func.max(EventCounter.next_seq) - 1, 0))
    return int((await db.execute(newest.where(EventCounter.tenant_id == tenant_id))).scalar_one())


async def after(
    db: AsyncConnection, tenant_id: str, seq: int, *, limit: int = 500
) -> Sequence[AnyRow]:
    """The events after an id, oldest first: rows of seq, kind, payload."""
    found = await db.execute(
        select(Event.seq, Event.kind, Event.payload)
        .where(Event.tenant_id == tenant_id, Event.seq > seq)
        .order_by(Event.seq)
        .limit(limit)
    )
    return found.all()


async def forget(db: AsyncConnection, *, before: datetime) -> int:
    """Delete the events that are older than what the feed keeps."""
    return (await db.execute(delete(Event).where(Event.created_on < before))).rowcount
