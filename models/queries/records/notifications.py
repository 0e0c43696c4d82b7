"""Notifications: what people are told, written in the transaction of what it tells of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from models.db import many
from models.ids import derived_id
from models.tables.people import Notification

_TELL: Final = (
    many.inserting(
        Notification,
        "id", "tenant_id", "principal_id", "kind", "subject", "body", "link", "company_id",
        "payload",
    )
    .on_conflict_do_nothing()
    .returning(Notification.id)
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What one person is told; the same `once` tells it once."""

    principal_id: str
    kind: str
    subject: str
    payload: Mapping[str, Any]
    once: str
    body: str | None = None
    link: str | None = None
    company_id: str | None = None

    @property
    def id(self) -> str:
        """The id of the notification."""
        return derived_id("notification", self.principal_id, self.kind, self.once)


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
    message = Message(
        principal_id=principal_id, kind=kind, subject=subject, payload=payload, once=once,
        body=body, link=link, company_id=company_id,
    )  # fmt: skip
    return message.id if await notify_all(db, tenant_id, [message]) else None


async def notify_all(
    db: AsyncConnection, tenant_id: str, messages: Sequence[Message]
) -> list[Message]:
    """Tell people something in one statement; answers the messages that are news to them."""
    if not messages:
        return []
    told = [
        {
            "id": message.id,
            "tenant_id": tenant_id,
            "principal_id": message.principal_id,
            "kind": message.kind,
            "subject": message.subject,
            "body": message.body,
            "link": message.link,
            "company_id": message.company_id,
            "payload": dict(message.payload),
        }
        for message in messages
    ]
    new = set((await db.execute(_TELL, many.rows(told))).scalars())
    return [message for message in messages if message.id in new]
