"""Uploads over HTTP."""

import io
import zipfile

import httpx
import pytest

from models.tables.campaigns import Attachment
from models.tables.records import AuditEntry
from tests.api.conftest import TenantPeople
from tests.factories.records import Records

URL = "/dashboard/v1/campaigns/attachments"
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 16


def office(folder: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr(f"{folder}/document.xml", "<w/>")
    return packed.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "mime_type"),
    [
        ("tone.pdf", b"%PDF-1.7 ...", "application/pdf"),
        ("logo.PNG", PNG, "image/png"),
        ("photo.jpeg", b"\xff\xd8\xff\xe0 ...", "image/jpeg"),
        ("photo.webp", b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
        (
            "brief.docx",
            office("word"),
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        ),
        ("notes.md", "# Töne".encode(), "text/markdown"),
        ("list.csv", b"a,b\n1,2", "text/csv"),
    ],
)
async def test_a_file_is_stored_under_a_ref_id(
    http: httpx.AsyncClient,
    tenant_a: TenantPeople,
    records: Records,
    name: str,
    content: bytes,
    mime_type: str,
) -> None:
    answer = await http.post(URL, files={"file": (name, content)}, headers=tenant_a.admin.headers)
    assert answer.status_code == 201
    (stored,) = await records.all(Attachment)
    assert bytes(stored.content) == content
    assert answer.json() == {
        "refId": stored.id,
        "fileName": name,
        "mimeType": mime_type,
        "fileSizeBytes": len(content),
        "createdOn": answer.json()["createdOn"],
    }
    (entry,) = await records.all(AuditEntry)
    assert (entry.entity_type, entry.entity_id, entry.actor_id) == (
        "attachment",
        stored.id,
        tenant_a.admin.id,
    )


@pytest.mark.parametrize(
    ("name", "content", "status"),
    [
        ("empty.txt", b"", 400),
        ("virus.exe", b"MZ", 415),
        ("nothing", b"text", 415),
        ("lies.pdf", b"not a pdf", 415),
        ("lies.docx", office("xl"), 415),
        ("broken.xlsx", b"PK\x03\x04 broken", 415),
        ("binary.txt", b"a\x00b", 415),
        ("large.txt", b"x" * (25 * 1024 * 1024 + 1), 413),
        ("larger.txt", b"x" * (26 * 1024 * 1024), 413),
    ],
)
async def test_a_file_that_is_not_taken_is_not_stored(
    http: httpx.AsyncClient,
    tenant_a: TenantPeople,
    records: Records,
    name: str,
    content: bytes,
    status: int,
) -> None:
    answer = await http.post(URL, files={"file": (name, content)}, headers=tenant_a.admin.headers)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert await records.count(Attachment) == 0


async def test_a_file_of_the_largest_size_is_taken(
    http: httpx.AsyncClient, tenant_a: TenantPeople
) -> None:
    content = b"x" * (25 * 1024 * 1024)
    answer = await http.post(
        URL, files={"file": ("large.txt", content)}, headers=tenant_a.admin.headers
    )
    assert answer.status_code == 201


async def test_a_form_without_a_file_is_refused(
    http: httpx.AsyncClient, tenant_a: TenantPeople
) -> None:
    headers = tenant_a.admin.headers
    assert (await http.post(URL, files={"other": b"x"}, headers=headers)).status_code == 400
    assert (await http.post(URL, data={"file": "text"}, headers=headers)).status_code == 400
    assert (await http.post(URL, json={}, headers=headers)).status_code == 415
