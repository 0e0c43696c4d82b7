"""Comments on activities, and the principals that they mention."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Select, and_, bindparam, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from models.contracts.agent_activities import AddComment, Mention
from models.queries.records import audit
from models.queries.records.notifications import notify
from models.rules.vocabulary import ActivityStatus, PrincipalStatus, PrincipalType, WakeReason
from models.tables.agent_activities import AgentActivity, Comment
from models.tables.people import Principal

_MENTION = re.compile(r"(?<![\w@])@(agent|human):([\w|.@+-]+)")
_MENTIONS = 50
"""How many mentions of one comment count; the rest stays text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentRow:
    """A comment with its author and whom it mentions, each as {type, id, name}."""

    id: str
    text: str
    type: str
    author_id: str
    author_name: str
    author_type: str
    mentions: Sequence[Mapping[str, str]]
    created_on: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The activity that a comment is made on; `expired` when an expired approval holds it."""

    campaign_id: str
    title: str
    agent_role: str | None
    assignee_id: str
    expired: bool


async def on(db: AsyncConnection, activity_id: str) -> Sequence[CommentRow]:
    """All comments on an activity, oldest first."""
    found = await db.execute(_on(), {"activity_id": activity_id})
    return [CommentRow(**row._mapping) for row in found]


async def one(db: AsyncConnection, comment_id: str) -> CommentRow | None:
    """One comment."""
    row = (await db.execute(_one(), {"comment_id": comment_id})).one_or_none()
    return CommentRow(**row._mapping) if row else None


async def place(db: AsyncConnection, activity_id: str) -> Place | None:
    """The activity, locked against a change of state until the transaction ends."""
    found = await db.execute(
        select(
            AgentActivity.campaign_id, AgentActivity.title, AgentActivity.agent_role,
            AgentActivity.assignee_id,
            AgentActivity.status, AgentActivity.wake_reason,
        )
        .where(AgentActivity.id == activity_id)
        .with_for_update(read=True)
    )  # fmt: skip
    row = found.one_or_none()
    if row is None:
        return None
    return Place(
        campaign_id=row.campaign_id,
        title=row.title,
        agent_role=row.agent_role,
        assignee_id=row.assignee_id,
        expired=row.status == ActivityStatus.BLOCKED
        and row.wake_reason == WakeReason.APPROVAL_EXPIRED,
    )


async def mentioned(db: AsyncConnection, text: str) -> tuple[Mention, ...]:
    """Whom a text mentions as @agent:role or @human:userId, in order; unknown ones are text."""
    named = list(dict.fromkeys(_names(text)))[:_MENTIONS]
    if not named:
        return ()
    agents = [name for kind, name in named if kind == PrincipalType.AGENT]
    humans = [name for kind, name in named if kind == PrincipalType.HUMAN]
    found = await db.execute(
        select(Principal.id, Principal.type, Principal.role, Principal.name).where(
            Principal.status != PrincipalStatus.TERMINATED,
            or_(
                and_(Principal.type == PrincipalType.AGENT, Principal.role.in_(agents)),
                and_(Principal.type == PrincipalType.HUMAN, Principal.id.in_(humans)),
            ),
        )
    )
    known = {
        (row.type, row.role if row.type == PrincipalType.AGENT else row.id): Mention(
            type=row.type, id=row.id, name=row.name
        )
        for row in found
    }
    return tuple(known[name] for name in named if name in known)


async def add(db: AsyncConnection, tenant_id: str, activity_id: str, comment: AddComment) -> None:
    """Insert a comment once, with its audit entry, and notify the people it mentions."""
    inserted = await db.execute(
        insert(Comment)
        .values(
            id=comment.comment_id,
            tenant_id=tenant_id,
            activity_id=activity_id,
            author_id=comment.actor.id,
            type=comment.type,
            text=comment.text,
            mentions=[
                {"type": mention.type, "id": mention.id, "name": mention.name}
                for mention in comment.mentions
            ],
        )
        .on_conflict_do_nothing()
    )
    if not inserted.rowcount:
        return
    for mention in comment.mentions:
        if mention.type == PrincipalType.HUMAN and mention.id != comment.actor.id:
            await notify(
                db,
                tenant_id=tenant_id,
                principal_id=mention.id,
                kind="mention",
                subject=f"{comment.actor.name or 'Somebody'} mentioned you in a comment",
                payload={"activityId": activity_id, "commentId": comment.comment_id},
                once=comment.comment_id,
            )
    await audit.record(
        db,
        tenant_id,
        comment.actor,
        entity="comment",
        entity_id=comment.comment_id,
        action="created",
        changes={"activityId": activity_id, "type": comment.type},
    )


def _names(text: str) -> list[tuple[str, str]]:
    # A full stop or a hyphen at the end belongs to the sentence, not to the name.
    return [(kind, name.rstrip(".-|@+")) for kind, name in _MENTION.findall(text)]


@cache
def _on() -> Select[*tuple[Any, ...]]:
    listed = _described().where(Comment.activity_id == bindparam("activity_id"))
    return listed.order_by(Comment.created_on, Comment.id)


@cache
def _one() -> Select[*tuple[Any, ...]]:
    return _described().where(Comment.id == bindparam("comment_id"))


def _described() -> Select[*tuple[Any, ...]]:
    return select(
        Comment.id, Comment.text, Comment.type, Principal.id.label("author_id"),
        Principal.name.label("author_name"), Principal.type.label("author_type"),
        Comment.mentions, Comment.created_on,
    ).join(Principal, Principal.id == Comment.author_id)  # fmt: skip
