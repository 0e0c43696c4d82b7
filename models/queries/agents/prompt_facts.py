"""What a prompt is rendered from: read in one go when a run begins."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    Select,
    Text,
    bindparam,
    exists,
    func,
    select,
    text,
    type_coerce,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncConnection

from models.db.rows import AnyRow
from models.rules.vocabulary import Resolution
from models.tables.agent_activities import ActivityDependency, AgentActivity, Comment, Output
from models.tables.approvals import Approval, ApprovalActivity
from models.tables.campaigns import ActivityTemplate, Attachment, Campaign, Deliverable
from models.tables.people import Principal

INPUT_CHARACTERS = 20_000
"""How much of another activity's output goes into a prompt; the rest is there to be read."""
_TEXT_TYPES = ("text/%", "application/json")


async def gather(
    db: AsyncConnection, row: AnyRow, *, tools: Sequence[str], at: datetime
) -> dict[str, Any]:
    """Everything that an activity's first prompt says, as JSON."""
    asked = {"campaign": row.campaign_id, "deliverable": row.deliverable_id, "activity": row.id}
    found = (await db.execute(_surroundings(), asked)).one()
    needs = found.has_inputs or row.reviews_id is not None
    return {
        "role": row.agent_role,
        "activity_type": row.type,
        "title": row.title,
        "prompt": row.input_prompt,
        "campaign_name": found.name,
        "brief": found.brief,
        "deliverables": found.deliverables,
        "inputs": await _inputs(db, row) if needs else [],
        "feedback": await feedback(db, row.id) if found.was_asked else [],
        "decision": None,
        "review_of": row.reviews_id,
        "template": found.template,
        "attachments": await _attachments(db, row.campaign_id) if found.has_attachments else [],
        "today": at.date().isoformat(),
        "tools": list(tools),
    }


@cache
def _surroundings() -> Select[*tuple[Any, ...]]:
    """The campaign, and whether there is more to read: most activities have nothing of the rest."""
    campaign: BindParameter[str] = bindparam("campaign", type_=Text)
    activity: BindParameter[str] = bindparam("activity", type_=Text)
    one = func.jsonb_build_object(
        "id", Deliverable.id, "type", Deliverable.type, "quantity", Deliverable.quantity
    )
    ordered = select(
        func.coalesce(
            func.jsonb_agg(aggregate_order_by(one, Deliverable.position)), text("'[]'::jsonb")
        )
    ).where(Deliverable.campaign_id == campaign)
    template = (
        select(ActivityTemplate.prompt)
        .join(Deliverable, Deliverable.template_id == ActivityTemplate.id)
        .where(Deliverable.id == bindparam("deliverable", type_=Text))
    )
    return select(
        Campaign.name,
        Campaign.brief,
        type_coerce(ordered.scalar_subquery(), JSONB).label("deliverables"),
        template.scalar_subquery().label("template"),
        exists().where(ActivityDependency.activity_id == activity).label("has_inputs"),
        exists().where(ApprovalActivity.activity_id == activity).label("was_asked"),
        exists().where(Attachment.campaign_id == campaign).label("has_attachments"),
    ).where(Campaign.id == campaign)


async def _inputs(db: AsyncConnection, row: AnyRow) -> list[dict[str, Any]]:
    needed = select(ActivityDependency.needs_id).where(ActivityDependency.activity_id == row.id)
    found = await db.execute(
        select(
            AgentActivity.id,
            AgentActivity.title,
            func.left(Output.text, INPUT_CHARACTERS).label("text"),
        )
        .join(Output, Output.id == AgentActivity.output_id)
        .where(AgentActivity.id.in_(needed) | (AgentActivity.id == row.reviews_id))
        .order_by(AgentActivity.created_on, AgentActivity.id)
        .limit(50)
    )
    return [dict(one._mapping) for one in found]


async def own_output(db: AsyncConnection, row: AnyRow) -> list[dict[str, Any]]:
    """What the activity has written so far, as an input for whoever takes it over."""
    written = (await outputs_of(db, [row.id])).get(row.id)
    if written is None:
        return []
    return [{"id": row.id, "title": "What was written so far", "text": written}]


async def _attachments(db: AsyncConnection, campaign_id: str) -> list[dict[str, Any]]:
    readable = Attachment.mime_type.like(_TEXT_TYPES[0]) | (Attachment.mime_type == _TEXT_TYPES[1])
    found = await db.execute(
        select(
            Attachment.file_name,
            func.substring(Attachment.content, 1, INPUT_CHARACTERS).label("content"),
            readable.label("readable"),
        )
        .where(Attachment.campaign_id == campaign_id)
        .order_by(Attachment.created_on, Attachment.id)
    )
    return [
        {
            "name": row.file_name,
            "text": bytes(row.content).decode(errors="replace").replace("\x00", "")
            if row.readable
            else "(not a text file; its content cannot be read here)",
        }
        for row in found
    ]


async def feedback(db: AsyncConnection, activity_id: str) -> list[str]:
    """The notes with which reviewers sent the activity's work back, oldest first."""
    found = await db.execute(
        select(Approval.resolution_note)
        .join(ApprovalActivity, ApprovalActivity.approval_id == Approval.id)
        .where(
            ApprovalActivity.activity_id == activity_id,
            Approval.resolution.in_((Resolution.REJECTED, Resolution.REVISION_REQUESTED)),
            Approval.resolution_note.is_not(None),
        )
        .order_by(Approval.resolved_at)
    )
    return [note for note in found.scalars() if note]


async def decision(db: AsyncConnection, approval_id: str | None) -> AnyRow | None:
    """An approval as the agent that asked must hear of it."""
    found = await db.execute(
        select(
            Approval.id, Approval.type, Approval.status, Approval.title, Approval.resolution,
            Approval.resolution_note, Approval.selected_option, Approval.content_hash,
        ).where(Approval.id == approval_id)
    )  # fmt: skip
    return found.one_or_none()


async def unread_comments(
    db: AsyncConnection, activity_id: str, *, kinds: Sequence[str]
) -> Sequence[AnyRow]:
    """Comments of these kinds that no run has taken in yet, oldest first, locked."""
    found = await db.execute(
        select(Comment.id, Comment.text, Principal.name.label("author"))
        .join(Principal, Principal.id == Comment.author_id)
        .where(
            Comment.activity_id == activity_id,
            Comment.read_in_run.is_(None),
            Comment.type.in_(kinds),
        )
        .order_by(Comment.created_on, Comment.id)
        .with_for_update(of=Comment)
    )
    return found.all()


async def outputs_of(db: AsyncConnection, activity_ids: Sequence[str]) -> dict[str, str]:
    """The newest outputs of activities, cut to what a prompt takes."""
    found = await db.execute(
        select(AgentActivity.id, func.left(Output.text, INPUT_CHARACTERS))
        .join(Output, Output.id == AgentActivity.output_id)
        .where(AgentActivity.id.in_(activity_ids))
    )
    return {activity_id: text for activity_id, text in found}


async def mark_read(db: AsyncConnection, comment_ids: Sequence[str], run_id: str) -> None:
    """Remember which run took the comments in."""
    if comment_ids:
        await db.execute(
            update(Comment).where(Comment.id.in_(comment_ids)).values(read_in_run=run_id)
        )
