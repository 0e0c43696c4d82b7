"""Uploads of brand and brief files."""

from typing import Annotated

from fastapi import APIRouter, File, UploadFile

from api.agents.campaigns.file_types import mime_type_of
from api.agents.campaigns.schemas import AttachmentOut
from api.http.auth import Admin
from api.http.db import WriteDb
from api.http.problems import problems
from api.http.routing import body_limit
from models.errors import Invalid, PayloadTooLarge, ProblemItem
from models.ids import new_id
from models.queries.agents import attachments

router = APIRouter(prefix="/campaigns", tags=["Campaigns"])

MAX_BYTES = 25 * 1024 * 1024
_FORM_BYTES = 64 * 1024
"""What a form may hold beside its file: boundaries, part headers, a long name."""
_NAME_CHARACTERS = 255


@router.post(
    "/attachments",
    status_code=201,
    summary="Upload a brand or brief file",
    responses=problems(
        413,
        415,
        why={413: "The file is larger than 25 MB.", 415: "The file's type is not taken."},
    ),
)
@body_limit(MAX_BYTES + _FORM_BYTES)
async def upload_attachment(
    admin: Admin,
    db: WriteDb,
    file: Annotated[
        UploadFile,
        File(description="pdf, docx, pptx, xlsx, csv, html, md, txt, json, png, jpg, jpeg, webp"),
    ],
) -> AttachmentOut:
    """Store one file for a day, until a new campaign names its refId."""
    content = await file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise PayloadTooLarge("The file is larger than 25 MB.")
    if not content:
        item = ProblemItem(location="form.file", message="The file is empty")
        raise Invalid("The file is empty.", item)
    name = (file.filename or "").rsplit("/", 1)[-1].rsplit("\\", 1)[-1]
    stored = await attachments.store(
        db,
        admin.tenant_id,
        admin.actor,
        attachment_id=new_id(),
        file_name=name[-_NAME_CHARACTERS:],
        mime_type=mime_type_of(name, content),
        content=content,
    )
    return AttachmentOut(
        ref_id=stored.id,
        file_name=stored.file_name,
        mime_type=stored.mime_type,
        file_size_bytes=stored.size_bytes,
        created_on=stored.created_on,
    )
