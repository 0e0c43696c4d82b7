"""QBRs of a client: listed, recorded, read, edited, presented."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Body

from api.http.db import ReadDb, WriteDb
from api.http.idempotency import IdempotencyKey, IdempotentRoute
from api.http.problems import problems
from api.http.wire import UlidPath
from api.people.qbrs.bodies import PresentIn, QbrIn, QbrPatch
from api.people.qbrs.schemas import QbrListItem, QbrOut, QbrsOut
from api.people.rights import ClientEditor, ClientViewer
from models.errors import NotFound
from models.ids import new_id
from models.queries.people import client_profiles, qbrs, qbrs_write
from models.queries.people.qbrs_write import MISSING, NewQbr
from models.rules.clients.qbr_dates import recorded_status

router = APIRouter(prefix="/{company_id}", tags=["QBRs"], route_class=IdempotentRoute)


@router.get("/qbrs", summary="List a client's QBRs", responses=problems(404))
async def list_qbrs(company_id: UlidPath, viewer: ClientViewer, db: ReadDb) -> QbrsOut:
    """List the client's quarterly business reviews, newest date first."""
    await client_profiles.require(db, company_id)
    rows = await qbrs.of_client(db, company_id)
    return QbrsOut(qbrs=[QbrListItem.of(row) for row in rows])


@router.post(
    "/qbrs",
    status_code=201,
    summary="Record a QBR",
    responses=problems(404, 409, why={409: "The idempotency key was used for another request."}),
)
async def record_qbr(
    company_id: UlidPath, sent: QbrIn, editor: ClientEditor, key: IdempotencyKey, db: WriteDb
) -> QbrOut:
    """Record a review that was held, or plan a future one, and move the client's dates."""
    now = datetime.now(UTC)
    qbr = NewQbr(
        # A new one also for a request with a key: its answer is stored in this transaction.
        id=new_id(),
        tenant_id=editor.tenant_id,
        company_id=company_id,
        held_on=sent.date,
        status=recorded_status(sent.date, now.date()),
        created_by=editor.id,
        created_at=now,
        attendees=sent.attendees,
        summary=sent.summary,
        outcomes=sent.outcomes,
        next_qbr_date=sent.next_qbr_date,
        granola_meeting_id=sent.granola_meeting_id,
    )
    await qbrs_write.record(db, qbr, actor=editor.actor)
    return await _shown(db, company_id, qbr.id)


@router.get("/qbr/{qbr_id}", summary="Show a QBR", responses=problems(404))
async def get_qbr(
    company_id: UlidPath, qbr_id: UlidPath, viewer: ClientViewer, db: ReadDb
) -> QbrOut:
    """Show one review with its content, what it was prepared from, and what the portal shows."""
    return await _shown(db, company_id, qbr_id)


@router.patch(
    "/qbr/{qbr_id}",
    summary="Edit a QBR",
    responses=problems(404, 409, why={409: "The QBR has been presented."}),
)
async def edit_qbr(
    company_id: UlidPath, qbr_id: UlidPath, patch: QbrPatch, editor: ClientEditor, db: WriteDb
) -> QbrOut:
    """Edit the texts, the content or the portal's view of a review that is not yet presented."""
    await qbrs_write.edit(
        db, company_id, qbr_id, patch.edit(), actor=editor.actor, at=datetime.now(UTC)
    )
    return await _shown(db, company_id, qbr_id)


@router.post(
    "/qbr/{qbr_id}/present",
    summary="Present a QBR",
    responses=problems(404, 409, why={409: "The QBR has been presented before."}),
)
async def present_qbr(
    company_id: UlidPath,
    qbr_id: UlidPath,
    editor: ClientEditor,
    key: IdempotencyKey,
    db: WriteDb,
    sent: Annotated[PresentIn | None, Body()] = None,
) -> QbrOut:
    """Mark a review as presented, for good, and move the client's dates on."""
    await qbrs_write.present(
        db,
        company_id,
        qbr_id,
        next_qbr_date=sent.next_qbr_date if sent is not None else None,
        actor=editor.actor,
        at=datetime.now(UTC),
    )
    return await _shown(db, company_id, qbr_id)


async def _shown(db: ReadDb, company_id: str, qbr_id: str) -> QbrOut:
    row = await qbrs.one(db, company_id, qbr_id)
    if row is None:
        raise NotFound(MISSING)
    return QbrOut.of(row)
