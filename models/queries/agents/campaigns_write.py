"""How campaigns are submitted, activated, advanced, changed and put away in the record."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import and_, bindparam, exists, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import aliased

from models.db.rows import AnyRow
from models.rules.vocabulary import (
    ActivityStatus,
    ApprovalStatus,
    ApprovalType,
    CampaignStatus,
    WakeReason,
)
from models.tables.agent_activities import ActivityDependency, AgentActivity
from models.tables.approvals import Approval
from models.tables.campaigns import (
    ActivityTemplate,
    Attachment,
    Campaign,
    Channel,
    Deliverable,
    DeliverablePeriod,
)

_LIVE = (
    ActivityStatus.ASSIGNED,
    ActivityStatus.IN_PROGRESS,
    ActivityStatus.AWAITING_APPROVAL,
    ActivityStatus.AWAITING_SUBTASK,
    ActivityStatus.AWAITING_REVIEW,
    ActivityStatus.BLOCKED,
    ActivityStatus.REASSIGNED,
    ActivityStatus.FAILED,
)


# Built once: building a statement costs more than sending it.
_LOCKED = select(Campaign.__table__).where(Campaign.id == bindparam("campaign")).with_for_update()
_INSERT_CAMPAIGN = insert(Campaign).on_conflict_do_nothing()
_INSERT_DELIVERABLES = insert(Deliverable)
_CHANGE = update(Campaign).where(Campaign.id == bindparam("campaign"))


async def locked(db: AsyncConnection, campaign_id: str) -> AnyRow | None:
    """The campaign's row, locked until the transaction ends."""
    return (await db.execute(_LOCKED, {"campaign": campaign_id})).one_or_none()


async def unknown_ids(
    db: AsyncConnection, kind: type[Channel | ActivityTemplate | Attachment], ids: Sequence[str]
) -> set[str]:
    """Which of the ids name nothing of this kind in the tenant."""
    if not ids:
        return set()
    known = await db.execute(select(kind.id).where(kind.id.in_(ids)))
    return set(ids) - set(known.scalars())


async def taken_attachments(db: AsyncConnection, ids: Sequence[str]) -> set[str]:
    """Which of the attachments another campaign names already."""
    if not ids:
        return set()
    taken = select(Attachment.id).where(Attachment.id.in_(ids), Attachment.campaign_id.is_not(None))
    return set((await db.execute(taken)).scalars())


async def insert_campaign(
    db: AsyncConnection,
    values: Mapping[str, Any],
    deliverables: Sequence[Mapping[str, Any]],
    attachments: Sequence[str],
) -> bool:
    """Insert a draft with its deliverables; False when it is there already."""
    inserted = await db.execute(_INSERT_CAMPAIGN, values)
    if not inserted.rowcount:
        return False
    await db.execute(_INSERT_DELIVERABLES, list(deliverables))
    if attachments:
        await db.execute(
            update(Attachment)
            .where(Attachment.id.in_(attachments))
            .values(campaign_id=values["id"])
        )
    return True


async def deliverables(db: AsyncConnection, campaign_id: str) -> Sequence[AnyRow]:
    """A campaign's deliverables in the order of the brief."""
    found = await db.execute(
        select(Deliverable.__table__)
        .where(Deliverable.campaign_id == campaign_id)
        .order_by(Deliverable.position)
    )
    return found.all()


async def change(db: AsyncConnection, campaign_id: str, at: datetime, **values: Any) -> None:
    """Write changed columns."""
    await db.execute(_CHANGE, {"campaign": campaign_id, "updated_on": at, **values})


async def open_periods(db: AsyncConnection, campaign_id: str) -> int:
    """How many periods of a campaign are open."""
    found = await db.execute(
        select(func.coalesce(func.max(DeliverablePeriod.number) + 1, 0)).where(
            DeliverablePeriod.campaign_id == campaign_id
        )
    )
    return int(found.scalar_one())


async def insert_periods(db: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Open periods; those that are open stay as they are."""
    if rows:
        await db.execute(insert(DeliverablePeriod).on_conflict_do_nothing(), list(rows))


async def insert_dependencies(db: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Let activities wait for others."""
    for start in range(0, len(rows), 500):
        await db.execute(
            insert(ActivityDependency).on_conflict_do_nothing(), list(rows[start : start + 500])
        )


async def ready(db: AsyncConnection, campaign_id: str, *, limit: int) -> Sequence[AnyRow]:
    """Created activities whose dependencies are all done, oldest first.

    Rows of id, title, agent_role and depends (whether there are dependencies at all).
    """
    needed = aliased(AgentActivity)
    unmet = exists().where(
        ActivityDependency.activity_id == AgentActivity.id,
        needed.id == ActivityDependency.needs_id,
        needed.status != ActivityStatus.DONE,
    )
    depends = exists().where(ActivityDependency.activity_id == AgentActivity.id)
    found = await db.execute(
        select(
            AgentActivity.id,
            AgentActivity.title,
            AgentActivity.agent_role,
            depends.label("depends"),
        )
        .where(
            AgentActivity.campaign_id == campaign_id,
            AgentActivity.parent_id.is_(None),
            AgentActivity.status == ActivityStatus.CREATED,
            ~unmet,
        )
        .order_by(AgentActivity.created_on, AgentActivity.id)
        .limit(limit)
    )
    return found.all()


async def handed_out(db: AsyncConnection, campaign_id: str, batch: str) -> Sequence[AnyRow]:
    """What a batch has handed out already: rows of id, title, agent_role and wake_reason."""
    found = await db.execute(
        select(
            AgentActivity.id,
            AgentActivity.title,
            AgentActivity.agent_role,
            AgentActivity.wake_reason,
        )
        .where(AgentActivity.campaign_id == campaign_id, AgentActivity.workflow_run_id == batch)
        .order_by(AgentActivity.created_on, AgentActivity.id)
    )
    return found.all()


async def is_done(db: AsyncConnection, activity_id: str) -> bool:
    """Tell whether an activity is done."""
    found = await db.execute(select(AgentActivity.status).where(AgentActivity.id == activity_id))
    return found.scalar_one_or_none() == ActivityStatus.DONE


async def running(db: AsyncConnection, campaign_id: str) -> int:
    """How many of a campaign's activities have a workflow at work or waiting (not failed)."""
    found = await db.execute(
        select(func.count()).where(
            AgentActivity.campaign_id == campaign_id,
            AgentActivity.status.in_(_LIVE[:-1]),
            AgentActivity.workflow_run_id.is_not(None),
        )
    )
    return int(found.scalar_one())


async def live(db: AsyncConnection, campaign_id: str) -> list[str]:
    """The activities of a campaign that have a workflow: they must hear of its changes."""
    found = await db.execute(
        select(AgentActivity.id).where(
            AgentActivity.campaign_id == campaign_id, AgentActivity.status.in_(_LIVE)
        )
    )
    return list(found.scalars())


async def held_for_budget(db: AsyncConnection, campaign_id: str) -> list[str]:
    """The activities that more budget sets going again, expired authorizations included."""
    expired = exists().where(
        Approval.id == AgentActivity.approval_id,
        Approval.type == ApprovalType.BUDGET_AUTHORIZATION,
        Approval.status == ApprovalStatus.EXPIRED,
    )
    found = await db.execute(
        select(AgentActivity.id).where(
            AgentActivity.campaign_id == campaign_id,
            AgentActivity.status == ActivityStatus.BLOCKED,
            or_(
                AgentActivity.wake_reason == WakeReason.BUDGET_EXHAUSTED,
                and_(AgentActivity.wake_reason == WakeReason.APPROVAL_EXPIRED, expired),
            ),
        )
    )
    return list(found.scalars())


async def wait_for_authorization(
    db: AsyncConnection, activity_ids: Sequence[str], approval_id: str
) -> None:
    """Let held activities wait for a budget authorization."""
    await db.execute(
        update(AgentActivity)
        .where(AgentActivity.id.in_(activity_ids))
        .values(approval_id=approval_id)
    )


async def archive(db: AsyncConnection, campaign_id: str, at: datetime) -> None:
    """Put a campaign away for good."""
    await change(db, campaign_id, at, status=CampaignStatus.ARCHIVED)


def period_rows(
    *,
    tenant_id: str,
    campaign_id: str,
    deliverable: AnyRow,
    number: int,
    start: date,
    end: date,
    period_id: str,
) -> dict[str, Any]:
    """One deliverable's row for one period; its target is always the full quantity."""
    return {
        "id": period_id,
        "tenant_id": tenant_id,
        "campaign_id": campaign_id,
        "deliverable_id": deliverable.id,
        "number": number,
        "period_start": start,
        "period_end": end,
        "target": deliverable.quantity,
    }
