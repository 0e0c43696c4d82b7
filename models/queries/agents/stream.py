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


_LOCK = text("select 1 from activity_stream where activity_id = :activity_id for update")

_LENGTH = text(
    """
    select coalesce(sum(length(payload ->> 'delta')), 0)
    from run_event
    where activity_id = :activity_id and run_id = :run_id and turn = :turn and attempt = :attempt
      and kind = 'text_delta'
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


async def length_of(
    db: AsyncConnection, activity_id: str, run_id: str, turn: int, attempt: int
) -> int:
    """How many characters of an attempt the log holds, once nobody else is writing to it."""
    of_activity = {"activity_id": activity_id}
    await db.execute(_LOCK, of_activity)
    found = await db.execute(
        _LENGTH, {**of_activity, "run_id": run_id, "turn": turn, "attempt": attempt}
    )
    return int(found.scalar_one())
