"""The streamed log of an activity: appended in order, announced once a batch."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import insert
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from models.queries.records import events
from models.tables.agent_runs import ActivityStream, RunEvent


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
    """Append (kind, payload) entries; the counter's row lock makes commit order seq order."""
    if not entries:
        return
    count = len(entries)
    counter = (
        upsert(ActivityStream)
        .values(activity_id=activity_id, tenant_id=tenant_id, next_seq=1 + count)
        .on_conflict_do_update(
            index_elements=["activity_id"], set_={"next_seq": ActivityStream.next_seq + count}
        )
        .returning(ActivityStream.next_seq)
    )
    after_last = (await db.execute(counter)).scalar_one()
    await db.execute(
        insert(RunEvent),
        [
            {
                "tenant_id": tenant_id,
                "activity_id": activity_id,
                "seq": after_last - count + position,
                "run_id": run_id,
                "turn": turn,
                "attempt": attempt,
                "kind": kind,
                "payload": {**payload, "activityId": activity_id},
            }
            for position, (kind, payload) in enumerate(entries)
        ],
    )
    await events.announce(db, f"activity:{activity_id}")
