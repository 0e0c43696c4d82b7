"""Companies: whom the tenant may make a client of, with the people who work there."""

from datetime import UTC, datetime
from typing import Annotated, Final

from fastapi import APIRouter, Query
from starlette.responses import Response

from api.http.db import ReadDb, WriteDb
from api.http.idempotency import IdempotencyKey, IdempotentRoute
from api.http.numbered import NumberedPaging
from api.http.problems import problems
from api.http.wire import UlidPath
from api.people.companies.schemas import (
    CompanyAnswer,
    CompanyIn,
    CompanyListOut,
    CompanyPatch,
    write_company,
)
from api.people.rights import ClientEditor, ClientViewer
from models.errors import NotFound
from models.ids import new_id
from models.queries.people import companies, companies_write, contacts
from models.queries.people.companies_write import NewCompany
from models.queries.people.contacts import NewContact

router = APIRouter(prefix="/companies", tags=["Companies"], route_class=IdempotentRoute)

_SHOWN_CONTACTS: Final = 100
_TAKEN = "There is a company of this name; the error says which."
_PARENT = "The parent is no company of the tenant, or the group would be more than one level deep."


@router.get("", summary="List companies", response_model=CompanyListOut)
async def list_companies(
    viewer: ClientViewer,
    db: ReadDb,
    paging: NumberedPaging,
    search: Annotated[
        str | None, Query(max_length=200, description="A part of the name, in any case.")
    ] = None,
    is_client: Annotated[
        bool | None, Query(description="Only clients, or only companies that are none.")
    ] = None,
) -> Response:
    """List the tenant's companies by name, promoted or not."""
    rows, total = await companies.page(
        db, search=search, is_client=is_client, offset=paging.offset, limit=paging.per_page
    )
    return paging.answer("companies", rows, total, write_company)


@router.post(
    "",
    status_code=201,
    summary="Make a company",
    responses=problems(409, 422, why={409: _TAKEN, 422: _PARENT}),
)
async def create_company(
    company: CompanyIn, editor: ClientEditor, key: IdempotencyKey, db: WriteDb
) -> CompanyAnswer:
    """Make a company, with its first contacts; it is no client before it is promoted."""
    company_id = new_id()
    new = NewCompany(
        id=company_id,
        name=company.name,
        website=company.website,
        parent_company_id=company.parent_company_id,
        contacts=[
            NewContact(id=new_id(), **contact.model_dump())
            for place, contact in enumerate(company.contacts)
        ],
    )
    await companies_write.create(
        db, editor.tenant_id, new, actor=editor.actor, at=datetime.now(UTC)
    )
    return await _answer(db, company_id)


@router.get("/{company_id}", summary="Show a company", responses=problems(404))
async def get_company(company_id: UlidPath, viewer: ClientViewer, db: ReadDb) -> CompanyAnswer:
    """Show one company with its contacts, the primary one first."""
    return await _answer(db, company_id)


@router.patch(
    "/{company_id}",
    summary="Change a company",
    responses=problems(404, 409, 422, why={409: _TAKEN, 422: _PARENT}),
)
async def change_company(
    company_id: UlidPath, patch: CompanyPatch, editor: ClientEditor, db: WriteDb
) -> CompanyAnswer:
    """Change a company's name, website or parent; if it is a client, that has the new name too."""
    await companies_write.change(
        db,
        editor.tenant_id,
        company_id,
        patch.sent(),
        actor=editor.actor,
        at=datetime.now(UTC),
    )
    return await _answer(db, company_id)


async def _answer(db: ReadDb, company_id: str) -> CompanyAnswer:
    company = await companies.one(db, company_id)
    if company is None:
        raise NotFound("There is no such company.")
    people, _ = await contacts.page(db, company_id, limit=_SHOWN_CONTACTS)
    return CompanyAnswer.of(company, people)
