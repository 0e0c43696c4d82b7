"""How an activity's changes of state are projected into the record."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from models.db.rows import AnyRow
from models.ids import derived_id
from models.queries.records import events
from models.rules.vocabulary import (
    ActivityStatus,
    CampaignStatus,
    EventKind,
    OutputFormat,
    RunError,
    WakeReason,
)
from models.tables.agent_activities import AgentActivity, Output
from models.tables.campaigns import Campaign
from models.tables.people import Principal

_COLUMNS = (
    AgentActivity.__table__,
    Campaign.status.label("campaign_status"),
    Campaign.name.label("campaign_name"),
    Campaign.budget_cap_usd,
    Campaign.spent_usd.label("campaign_spent_usd"),
    Campaign.asked_cap,
    Principal.type.label("assignee_type"),
)
# Built once: building a statement costs more than sending it.
_LOCKED = (
    select(*_COLUMNS)
    .join(Campaign, Campaign.id == AgentActivity.campaign_id)
    .join(Principal, Principal.id == AgentActivity.assignee_id)
    .where(AgentActivity.id == bindparam("activity"))
    .with_for_update(of=AgentActivity)
)
_MOVE = update(AgentActivity).where(
    AgentActivity.id == bindparam("activity"), AgentActivity.generation < bindparam("newer")
)
_CREATE = upsert(AgentActivity).on_conflict_do_nothing()
_STORE_OUTPUT = upsert(Output).on_conflict_do_nothing()


async def locked(db: AsyncConnection, activity_id: str) -> AnyRow | None:
    """The activity with what its campaign and assignee say, its own row locked."""
    return (await db.execute(_LOCKED, {"activity": activity_id})).one_or_none()


async def move(
    db: AsyncConnection,
    activity_id: str,
    *,
    generation: int,
    status: ActivityStatus,
    wake_reason: WakeReason | None,
    at: datetime,
    **values: Any,
) -> bool:
    """Project a change of state, unless a newer one is there already."""
    if wake_reason is not None:
        values["wake_reason"] = wake_reason
    values |= {"status": status, "generation": generation, "updated_on": at}
    moved = await db.execute(_MOVE, {"activity": activity_id, "newer": generation, **values})
    return bool(moved.rowcount)


async def await_approval(
    db: AsyncConnection, activity_ids: Sequence[str], approval_id: str, at: datetime
) -> None:
    """Let activities wait for an approval that was reopened."""
    await db.execute(
        update(AgentActivity)
        .where(AgentActivity.id.in_(activity_ids))
        .values(status=ActivityStatus.AWAITING_APPROVAL, approval_id=approval_id, updated_on=at)
    )


async def store_output(
    db: AsyncConnection,
    *,
    tenant_id: str,
    activity_id: str,
    run_id: str | None,
    text: str,
    format: OutputFormat,
    at: datetime,
) -> tuple[str, str]:
    """Store an output; answers its id and content hash. The same run's output is stored once."""
    output_id = derived_id("output", activity_id, run_id or at.isoformat())
    content_hash = hashlib.sha256(text.encode()).hexdigest()
    await db.execute(
        _STORE_OUTPUT,
        {
            "id": output_id,
            "tenant_id": tenant_id,
            "activity_id": activity_id,
            "run_id": run_id,
            "text": text,
            "format": format,
            "content_hash": content_hash,
            "created_on": at,
        },
    )
    return output_id, content_hash


async def output_hash(db: AsyncConnection, output_id: str | None) -> str | None:
    """The content hash of an output."""
    if output_id is None:
        return None
    found = await db.execute(select(Output.content_hash).where(Output.id == output_id))
    return found.scalar_one_or_none()


async def announce_started(db: AsyncConnection, row: AnyRow) -> None:
    """Send `activity_started`."""
    payload = {"activityId": row.id, "title": row.title, "agentRole": row.agent_role}
    await events.publish(db, row.tenant_id, EventKind.ACTIVITY_STARTED, payload)


async def announce_done(db: AsyncConnection, row: AnyRow) -> None:
    """Send `activity_completed`."""
    payload = {
        "activityId": row.id,
        "status": ActivityStatus.DONE,
        "campaignId": row.campaign_id,
    }
    await events.publish(db, row.tenant_id, EventKind.ACTIVITY_COMPLETED, payload)


async def announce_failed(db: AsyncConnection, row: AnyRow, error: RunError, retries: int) -> None:
    """Send `activity_failed` with the number of automatic retries."""
    payload = {"activityId": row.id, "error": error, "retryCount": retries}
    await events.publish(db, row.tenant_id, EventKind.ACTIVITY_FAILED, payload)


async def subtasks(
    db: AsyncConnection, parent_id: str, *, statuses: Sequence[ActivityStatus] | None = None
) -> Sequence[AnyRow]:
    """An activity's subtasks, oldest first: id, title, status, role, verdict and output id."""
    statement = (
        select(
            AgentActivity.id,
            AgentActivity.title,
            AgentActivity.status,
            AgentActivity.agent_role,
            AgentActivity.output_id,
            AgentActivity.verdict,
            AgentActivity.reviews_id,
        )
        .where(AgentActivity.parent_id == parent_id)
        .order_by(AgentActivity.created_on, AgentActivity.id)
    )
    if statuses is not None:
        statement = statement.where(AgentActivity.status.in_(statuses))
    return (await db.execute(statement)).all()


async def assign(
    db: AsyncConnection,
    ids: Sequence[str],
    reason: WakeReason,
    at: datetime,
    *,
    by: str | None,
) -> None:
    """Hand created activities to their assignees; `by` is the Temporal run that does it."""
    await db.execute(
        update(AgentActivity)
        .where(AgentActivity.id.in_(ids), AgentActivity.status == ActivityStatus.CREATED)
        .values(
            status=ActivityStatus.ASSIGNED, wake_reason=reason, updated_on=at, workflow_run_id=by
        )
    )


async def assignee(db: AsyncConnection, activity_id: str) -> str:
    """Whose an activity is that is known to exist."""
    found = await db.execute(
        select(AgentActivity.assignee_id).where(AgentActivity.id == activity_id)
    )
    return str(found.scalar_one())


async def unsettled(db: AsyncConnection, campaign_id: str) -> int:
    """How many of a campaign's activities are neither done nor failed."""
    at_rest = (ActivityStatus.DONE, ActivityStatus.FAILED)
    found = await db.execute(
        select(func.count()).where(
            AgentActivity.campaign_id == campaign_id, AgentActivity.status.not_in(at_rest)
        )
    )
    return int(found.scalar_one())


async def campaign_status(db: AsyncConnection, campaign_id: str) -> CampaignStatus:
    """The status of a campaign that is known to exist."""
    found = await db.execute(select(Campaign.status).where(Campaign.id == campaign_id))
    return CampaignStatus(found.scalar_one())


async def create(db: AsyncConnection, rows: Sequence[dict[str, Any]]) -> None:
    """Insert activities; those that are there already stay as they are."""
    for start in range(0, len(rows), 500):
        await db.execute(_CREATE, list(rows[start : start + 500]))
