"""Importing companies and their contacts from a CSV file."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated, Final

from fastapi import APIRouter, File, Form, Request, UploadFile
from pydantic import Json

from api.http.db import WriteDb
from api.http.idempotency import IdempotencyKey, IdempotentRoute
from api.http.problems import problems
from api.http.routing import body_limit
from api.people.companies.schemas import ImportOut, RowErrorOut
from api.people.rights import ClientEditor
from models.errors import Invalid, ProblemItem
from models.ids import new_id
from models.queries.people.companies_import import Imported, ImportOrder, import_companies
from models.rules.clients.company_imports import LAYOUT, CompanyCells, company_cells
from models.rules.clients.vocabulary import ClientStatus
from models.rules.imports import RowError, Table, read_rows, read_table

router = APIRouter(prefix="/companies/import", tags=["Companies"], route_class=IdempotentRoute)

_FORM_BYTES: Final = 64 * 1024
"""What a form may hold beside its file: boundaries, options, a long name."""
_PARTS: Final = ("file", "mapping", "dry_run", "promote")


@router.post(
    "",
    summary="Import companies from CSV",
    responses=problems(
        409, 413, 415, why={413: "The file is larger than 5 MB, or has over 10,000 rows."}
    ),
)
@body_limit(LAYOUT.max_bytes + _FORM_BYTES)
async def upload_companies(
    request: Request,
    editor: ClientEditor,
    key: IdempotencyKey,
    db: WriteDb,
    file: Annotated[
        UploadFile,
        File(
            description="CSV with a header: UTF-8, UTF-16 or Windows-1252; comma, semicolon or tab."
        ),
    ],
    mapping: Annotated[
        Json[dict[str, str | None]] | None,
        Form(
            description="A JSON object, header to field, for headers that are not known by"
            ' themselves: {"Firma": "name", "Notes": null}. The fields are '
            + ", ".join(field.key for field in LAYOUT.fields)
            + "; null ignores the column."
        ),
    ] = None,
    dry_run: Annotated[bool, Form(description="Only tell what would come of it.")] = False,
    promote: Annotated[
        ClientStatus | None,
        Form(description="Make each company of the file a client, with this status."),
    ] = None,
) -> ImportOut:
    """Make or update a company, and a contact of it, from each row; wrong rows are skipped."""
    await _refuse_unknown(request)
    content = await file.read(LAYOUT.max_bytes + 1)
    # Half a second of reading at most, which other requests should not wait for.
    table, rows, errors = await asyncio.to_thread(_read, content, mapping)
    imported = await import_companies(
        db,
        editor.tenant_id,
        rows,
        ImportOrder(id=new_id(), promote=promote, dry_run=dry_run),
        actor=editor.actor,
        at=datetime.now(UTC),
    )
    return _answer(table, imported, errors)


def _read(
    content: bytes, mapping: dict[str, str | None] | None
) -> tuple[Table, list[CompanyCells], list[RowError]]:
    table = read_table(content, LAYOUT, mapping)
    rows, errors = read_rows(table, company_cells)
    return table, rows, errors


def _answer(table: Table, imported: Imported, errors: list[RowError]) -> ImportOut:
    every = sorted([*errors, *imported.errors], key=lambda error: error.row)
    return ImportOut(
        **imported.counts,
        rows=len(table.records),
        skipped=len({error.row for error in every}),
        errors=[RowErrorOut.model_validate(error) for error in every],
        unknown_columns=list(table.columns.unknown),
    )


async def _refuse_unknown(request: Request) -> None:
    """Refuse parts that the form does not have: a misspelt dry_run would import in earnest."""
    unknown = [name for name in await request.form() if name not in _PARTS]
    if unknown:
        items = [ProblemItem(location=f"form.{name}", message="Unknown part") for name in unknown]
        raise Invalid("There is no such part in this form.", *items)
