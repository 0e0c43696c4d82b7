"""A comment that a step writes again is written once, and told of once."""

import pytest
from sqlalchemy import select

from models.contracts.actors import Actor
from models.contracts.agent_activities import AddComment, Mention
from models.db.database import Database
from models.ids import new_id
from models.queries.agents import comments
from models.queries.tenants import agent_id
from models.rules.vocabulary import CommentType, PrincipalType
from models.tables.agent_activities import Comment
from models.tables.people import Notification
from models.tables.records import AuditEntry
from tests.factories.agents import TenantMade, make_activity, make_campaign, make_tenant


@pytest.fixture
async def tenant(db: Database) -> TenantMade:
    return await make_tenant(db)


async def test_a_comment_written_twice_is_audited_and_told_of_once(
    db: Database, tenant: TenantMade
) -> None:
    activity_id = await make_activity(db, tenant, await make_campaign(db, tenant))
    mentioned = [(tenant.member_id, "Ben"), (tenant.admin_id, "Ada")]
    comment = AddComment(
        actor=Actor(id=agent_id(tenant.id, "editor"), type=PrincipalType.AGENT, name="Editor"),
        comment_id=new_id(),
        text="Please look.",
        type=CommentType.COMMENT,
        mentions=tuple(
            Mention(type=PrincipalType.HUMAN, id=person_id, name=name)
            for person_id, name in mentioned
        ),
    )
    for _ in range(2):
        async with db.tenant(tenant.id) as session:
            await comments.add(session, tenant.id, activity_id, comment)
    async with db.tenant(tenant.id) as session:
        written = (await session.execute(select(Comment.id))).scalars().all()
        told = (await session.execute(select(Notification.principal_id))).scalars().all()
        entries = select(AuditEntry.action).where(AuditEntry.entity_id == comment.comment_id)
        audited = (await session.execute(entries)).scalars().all()
    assert written == [comment.comment_id]
    assert sorted(told) == sorted([tenant.admin_id, tenant.member_id])
    assert audited == ["created"]
