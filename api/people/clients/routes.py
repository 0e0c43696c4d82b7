"""Clients: listed, counted, promoted, shown, changed, and what has happened to them."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import orjson
from fastapi import APIRouter, Query
from starlette.responses import Response

from api.http.bodies import At
from api.http.db import ReadDb, WriteDb
from api.http.idempotency import IdempotencyKey, IdempotentRoute
from api.http.numbered import NumberedPaging
from api.http.problems import problems
from api.http.wire import UlidPath
from api.people.clients.listing import BadgesOut, ClientListOut, Filters, write_client
from api.people.clients.schemas import (
    ClientAnswer,
    ClientContactOut,
    ClientDetailOut,
    ClientGroupOut,
    ClientOut,
    ClientPatch,
    ClientRefOut,
    ClientStatsOut,
    GroupStatsOut,
    HistoryOut,
    PromotionIn,
    write_event,
)
from api.people.rights import CLIENTS, ClientEditor, ClientViewer
from models.ids import new_id
from models.queries.people import (
    client_profiles,
    clients_detail,
    clients_list,
    clients_write,
    history_read,
)
from models.queries.people.clients_write import Promotion
from models.rules.clients.groups import aggregated
from models.rules.clients.profile import check_times
from models.rules.clients.vocabulary import ClientSort

router = APIRouter(prefix=CLIENTS, tags=["Clients"], route_class=IdempotentRoute)

_NO_MANAGER = "The delivery manager is not an active user of the tenant."


@router.get("", summary="List clients", response_model=ClientListOut)
async def list_clients(
    viewer: ClientViewer,
    db: ReadDb,
    paging: NumberedPaging,
    filters: Filters,
    sort: ClientSort = ClientSort.HEALTH_SCORE,
) -> Response:
    """List the tenant's clients, worst health first unless another order is asked for."""
    total, rows = await clients_list.page(
        db,
        filters,
        sort=sort,
        limit=paging.per_page,
        offset=paging.offset,
        now=datetime.now(UTC),
    )
    return paging.answer("clients", rows, total, write_client)


@router.get("/stats", summary="Count what needs attention")
async def count_clients(viewer: ClientViewer, db: ReadDb) -> BadgesOut:
    """Count the active clients with an overdue QBR, and those with a low health score."""
    return BadgesOut.model_validate(await clients_list.badges(db, datetime.now(UTC)))


@router.post(
    "",
    status_code=201,
    summary="Promote a company",
    responses=problems(
        404, 409, 422, why={409: "The company is a client already.", 422: _NO_MANAGER}
    ),
)
async def promote_company(
    promotion: PromotionIn, editor: ClientEditor, key: IdempotencyKey, db: WriteDb
) -> ClientAnswer:
    """Make a company a client, without tier, health score or QBR dates."""
    now = datetime.now(UTC)
    values = Promotion(
        client_id=new_id(),
        company_id=promotion.company_id,
        status=promotion.status,
        assigned_dm_id=promotion.assigned_dm_id,
    )
    await clients_write.promote(db, editor.tenant_id, values, actor=editor.actor, at=now)
    return await _answer(db, promotion.company_id, now)


@router.get("/{company_id}", summary="Show a client", responses=problems(404))
async def get_client(company_id: UlidPath, viewer: ClientViewer, db: ReadDb) -> ClientDetailOut:
    """Show one client with its numbers, its contacts, and its place in a group of companies."""
    now = datetime.now(UTC)
    found = await clients_detail.one(db, company_id, now)
    contacts = await clients_detail.contacts(db, company_id)
    stats, children = await clients_detail.group(db, company_id, now.date())
    group = None
    if children:
        together = aggregated(stats, [child.stats for child in children])
        group = ClientGroupOut(
            children=[ClientRefOut.child(child) for child in children],
            aggregated=GroupStatsOut.of_group(together),
        )
    return ClientDetailOut(
        client=ClientOut.of(found),
        stats=ClientStatsOut.of(stats),
        contacts=[ClientContactOut.model_validate(contact) for contact in contacts],
        group=group,
        parent_client=ClientRefOut.parent(found),
    )


@router.patch(
    "/{company_id}",
    summary="Change a client's profile",
    responses=problems(404, 422, why={422: _NO_MANAGER}),
)
async def change_client(
    company_id: UlidPath, patch: ClientPatch, editor: ClientEditor, db: WriteDb
) -> ClientAnswer:
    """Change fields of the profile, with an event in the history for each that has a new value."""
    now = datetime.now(UTC)
    client = await client_profiles.locked(db, company_id)
    check_times(asdict(client), patch.sent())
    manager_id = patch.assigned_dm_id
    # One who has left since stays assigned: what is sent back as it was read changes nothing.
    if manager_id is not None and manager_id != client.assigned_dm_id:
        await clients_write.require_delivery_manager(db, manager_id)
    await client_profiles.change(db, client, patch.sent(), actor=editor.actor, at=now)
    return await _answer(db, company_id, now)


@router.get(
    "/{company_id}/history",
    summary="Show a client's history",
    response_model=HistoryOut,
    responses=problems(404),
)
async def list_history(
    company_id: UlidPath,
    viewer: ClientViewer,
    db: ReadDb,
    limit: Annotated[int, Query(ge=1, le=1000, description="How many at most.")] = 200,
    before: Annotated[
        At | None, Query(description="Only what happened before, in fractions of a second too.")
    ] = None,
) -> Response:
    """List what has happened to a client, newest first."""
    rows = await history_read.of_client(db, company_id, limit=limit, before=before)
    history = {"history": list(map(write_event, rows))}
    return Response(orjson.dumps(history), media_type="application/json")


async def _answer(db: WriteDb, company_id: str, now: datetime) -> ClientAnswer:
    return ClientAnswer(client=ClientOut.of(await clients_detail.one(db, company_id, now)))
