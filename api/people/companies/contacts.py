"""The contacts of a company, whether it is a client or not."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from api.http.db import ReadDb, WriteDb
from api.http.idempotency import IdempotencyKey, IdempotentRoute
from api.http.numbered import NumberedPaging
from api.http.problems import problems
from api.http.wire import UlidPath
from api.people.companies.schemas import (
    ContactAnswer,
    ContactIn,
    ContactListOut,
    ContactOut,
    ContactPatch,
    write_contact,
)
from api.people.rights import ClientEditor, ClientViewer
from models.ids import new_id
from models.queries.people import contacts
from models.queries.people.contacts import NewContact

router = APIRouter(
    prefix="/companies/{company_id}/contacts", tags=["Companies"], route_class=IdempotentRoute
)

_TAKEN = "The company has a contact with this e-mail address; the error says which."


@router.get("", summary="List contacts", response_model=ContactListOut, responses=problems(404))
async def list_contacts(
    company_id: UlidPath,
    viewer: ClientViewer,
    db: ReadDb,
    paging: NumberedPaging,
    include_archived: Annotated[bool, Query(description="Also those put away.")] = False,
) -> Response:
    """List the people of a company, the primary one first, then by name."""
    rows, total = await contacts.page(
        db, company_id, archived=include_archived, offset=paging.offset, limit=paging.per_page
    )
    return paging.answer("contacts", rows, total, write_contact)


@router.post(
    "", status_code=201, summary="Add a contact", responses=problems(404, 409, why={409: _TAKEN})
)
async def add_contact(
    company_id: UlidPath, contact: ContactIn, editor: ClientEditor, key: IdempotencyKey, db: WriteDb
) -> ContactAnswer:
    """Add a person to a company; one who is primary takes the place of who was."""
    new = NewContact(id=new_id(), **contact.model_dump())
    await contacts.add(
        db, editor.tenant_id, company_id, new, actor=editor.actor, at=datetime.now(UTC)
    )
    return await _answer(db, company_id, new.id)


@router.patch(
    "/{contact_id}",
    summary="Change or archive a contact",
    responses=problems(
        404, 409, 422, why={409: _TAKEN, 422: "An archived contact would be the primary one."}
    ),
)
async def change_contact(
    company_id: UlidPath,
    contact_id: UlidPath,
    patch: ContactPatch,
    editor: ClientEditor,
    db: WriteDb,
) -> ContactAnswer:
    """Change a person of a company, put them away, or bring them back."""
    await contacts.change(
        db,
        editor.tenant_id,
        (company_id, contact_id),
        patch.sent(),
        actor=editor.actor,
        at=datetime.now(UTC),
    )
    return await _answer(db, company_id, contact_id)


async def _answer(db: ReadDb, company_id: str, contact_id: str) -> ContactAnswer:
    row = await contacts.one(db, company_id, contact_id)
    return ContactAnswer(contact=ContactOut.model_validate(row))
