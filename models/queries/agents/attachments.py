"""Uploaded brand and brief files; one that no campaign names is swept away after a day."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from models.contracts.actors import Actor
from models.queries.records import audit
from models.tables.campaigns import Attachment


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachmentRow:
    """A stored file without its bytes."""

    id: str
    file_name: str
    mime_type: str
    size_bytes: int
    created_on: datetime


async def store(
    db: AsyncConnection,
    tenant_id: str,
    actor: Actor,
    *,
    attachment_id: str,
    file_name: str,
    mime_type: str,
    content: bytes,
) -> AttachmentRow:
    """Store a file with its audit entry."""
    stored = await db.execute(
        insert(Attachment)
        .values(
            id=attachment_id,
            tenant_id=tenant_id,
            file_name=file_name,
            mime_type=mime_type,
            size_bytes=len(content),
            content=content,
            created_by=actor.id,
        )
        .returning(
            Attachment.id, Attachment.file_name, Attachment.mime_type,
            Attachment.size_bytes, Attachment.created_on,
        )
    )  # fmt: skip
    row = AttachmentRow(**stored.one()._mapping)
    await audit.record(
        db,
        tenant_id,
        actor,
        entity="attachment",
        entity_id=attachment_id,
        action="created",
        changes={"fileName": file_name, "mimeType": mime_type, "fileSizeBytes": row.size_bytes},
    )
    return row
