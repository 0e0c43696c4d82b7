"""Notifications: what a person is told, written in the transaction of what it tells of."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from models.ids import derived_id
from models.tables.people import Notification


async def notify(
    db: AsyncConnection,
    *,
    tenant_id: str,
    principal_id: str,
    kind: str,
    subject: str,
    payload: Mapping[str, Any],
    once: str,
    body: str | None = None,
    link: str | None = None,
    company_id: str | None = None,
) -> str | None:
    """Tell a person something, and answer the notification's id; the same `once` tells it once."""
    notification_id = derived_id("notification", principal_id, kind, once)
    told = await db.execute(
        insert(Notification)
        .values(
            id=notification_id,
            tenant_id=tenant_id,
            principal_id=principal_id,
            kind=kind,
            subject=subject,
            body=body,
            link=link,
            company_id=company_id,
            payload=payload,
        )
        .on_conflict_do_nothing()
    )
    return notification_id if told.rowcount else None
