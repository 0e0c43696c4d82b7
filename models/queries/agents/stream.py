"""The streamed log of an activity: appended in order, announced once a batch."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from models.queries.records import events

# The counter's row lock makes the order of commits the order of numbers.
_APPEND = text(
    """
    with counter as (
        insert into activity_stream (activity_id, tenant_id, next_seq)
        values (:activity_id, :tenant_id, 1 + cast(:count as bigint))
        on conflict (activity_id) do update set next_seq = activity_stream.next_seq + :count
        returning next_seq - :count as first
    ), appended as (
        insert into run_event (tenant_id, activity_id, seq, run_id, turn, attempt, kind, payload)
        select :tenant_id, :activity_id, first + position - 1, cast(:run_id as text),
               cast(:turn as integer), cast(:attempt as integer), kind, cast(payload as jsonb)
        from counter, unnest(cast(:kinds as text[]), cast(:payloads as text[]))
             with ordinality as entry (kind, payload, position)
    )
    select pg_notify(:channel, :topic)
    """
)


async def append(
    db: AsyncConnection,
    *,
    tenant_id: str,
    activity_id: str,
    run_id: str | None,
    turn: int | None,
    attempt: int | None,
    entries: Sequence[tuple[str, Mapping[str, Any]]],
) -> None:
    """Append (kind, payload) entries."""
    if not entries:
        return
    about = {"activityId": activity_id}
    await db.execute(
        _APPEND,
        {
            "tenant_id": tenant_id,
            "activity_id": activity_id,
            "run_id": run_id,
            "turn": turn,
            "attempt": attempt,
            "count": len(entries),
            "kinds": [str(kind) for kind, _ in entries],
            "payloads": [json.dumps({**payload, **about}) for _, payload in entries],
            "channel": events.CHANNEL,
            "topic": f"activity:{activity_id}",
        },
    )
