"""The tenant's events: appended in order, announced by NOTIFY, read after an id."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from models.db.rows import AnyRow
from models.rules.vocabulary import EventKind
from models.tables.records import Event, EventCounter

CHANNEL = "throughline"
"""The one NOTIFY channel; payloads are `events:<tenant id>` and `activity:<activity id>`."""

# The counter's row lock makes the order of commits the order of ids.
_PUBLISH = text(
    """
    with counter as (
        insert into event_counter (tenant_id, next_seq)
        values (:tenant_id, 1 + cast(:count as bigint))
        on conflict (tenant_id) do update set next_seq = event_counter.next_seq + :count
        returning next_seq - :count as first
    ), published as (
        insert into event (tenant_id, seq, kind, payload)
        select :tenant_id, first + nth - 1, :kind, payload
        from counter,
             jsonb_array_elements(cast(:payloads as jsonb)) with ordinality as news (payload, nth)
    )
    select pg_notify(:channel, :topic)
    """
)


async def publish(
    db: AsyncConnection, tenant_id: str, kind: EventKind, payload: Mapping[str, Any]
) -> None:
    """Append an event; listening processes are told once the transaction commits."""
    await publish_all(db, tenant_id, kind, [payload])


async def publish_all(
    db: AsyncConnection, tenant_id: str, kind: EventKind, payloads: Sequence[Mapping[str, Any]]
) -> None:
    """Append events of one kind in their order, in one statement."""
    if not payloads:
        return
    await db.execute(
        _PUBLISH,
        {
            "tenant_id": tenant_id,
            "kind": kind,
            "count": len(payloads),
            "payloads": json.dumps([dict(payload) for payload in payloads]),
            "channel": CHANNEL,
            "topic": f"events:{tenant_id}",
        },
    )


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
