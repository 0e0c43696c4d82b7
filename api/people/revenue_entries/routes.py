"""The revenue ledger of a client: what ledgers send, listed and corrected."""

from datetime import UTC, datetime
from typing import Annotated

import orjson
from fastapi import APIRouter, Query
from starlette.responses import Response

from api.http.bodies import Day
from api.http.db import ReadDb, WriteDb
from api.http.filters import Several
from api.http.idempotency import IdempotencyKey, IdempotentRoute
from api.http.paging import Paging
from api.http.problems import problems
from api.http.wire import UlidPath
from api.people.revenue_entries.schemas import (
    EntryDeletedOut,
    RevenueEntriesIn,
    RevenueEntriesOut,
    TakenInOut,
    write_entry,
)
from api.people.rights import ClientEditor, ClientManager, ClientViewer
from models.errors import Invalid, ProblemItem
from models.queries.people import client_profiles, revenue_entries
from models.rules.clients.vocabulary import RevenueOrigin

router = APIRouter(
    prefix="/{company_id}/revenue-entries", tags=["Client revenue"], route_class=IdempotentRoute
)


@router.post(
    "",
    summary="Take in entries of a ledger",
    responses=problems(
        404, 409, why={409: "An entry is another company's, or the key was used otherwise."}
    ),
)
async def take_in_entries(
    company_id: UlidPath,
    body: RevenueEntriesIn,
    editor: ClientEditor,
    db: WriteDb,
    key: IdempotencyKey,
) -> TakenInOut:
    """Take in up to 500 documents by their ids in the ledger: all of them, or none."""
    taken = await revenue_entries.take_in(
        db,
        editor.tenant_id,
        company_id,
        [entry.sent() for entry in body.entries],
        actor=editor.actor,
        at=datetime.now(UTC),
    )
    return TakenInOut.model_validate(taken)


@router.get(
    "",
    summary="List the ledger of a client",
    response_model=RevenueEntriesOut,
    responses=problems(404),
)
async def list_entries(
    company_id: UlidPath,
    viewer: ClientViewer,
    db: ReadDb,
    paging: Paging,
    since: Annotated[Day | None, Query(description="The first day, included.")] = None,
    until: Annotated[Day | None, Query(description="The last day, included.")] = None,
    origins: Annotated[
        Several[RevenueOrigin] | None, Query(alias="origin", description="Any of these.")
    ] = None,
) -> Response:
    """List the entries of a client, those of Stripe too, by their date, newest first."""
    if since is not None and until is not None and until < since:
        item = ProblemItem(location="query.until", message="Before since", value=str(until))
        raise Invalid("The last day lies before the first.", item)
    await client_profiles.require(db, company_id)
    rows = await revenue_entries.page(
        db,
        company_id,
        since=since,
        until=until,
        origins=origins or (),
        limit=paging.fetch,
        after=paging.after,
    )
    shown = rows[: paging.limit]
    more = len(rows) > paging.limit
    page = {
        "entries": list(map(write_entry, shown)),
        "next_cursor": paging.cursors.write(shown[-1].position) if more else None,
    }
    return Response(orjson.dumps(page), media_type="application/json")


@router.delete(
    "/{entry_id}",
    summary="Delete an entry of the ledger",
    responses=problems(404, 409, why={409: "The entry was imported from Stripe."}),
)
async def delete_entry(
    company_id: UlidPath, entry_id: UlidPath, manager: ClientManager, db: WriteDb
) -> EntryDeletedOut:
    """Take one entry out of the ledger; one of Stripe goes when its customer is unlinked."""
    await revenue_entries.remove(db, manager.tenant_id, company_id, entry_id, actor=manager.actor)
    return EntryDeletedOut()
