"""QBRs from the results of the quarter."""

import datetime
from typing import Any

from fastapi import APIRouter
from pydantic import ConfigDict

from api.http.commands import Commands
from api.http.idempotency import IdempotencyKey, IdempotentRoute
from api.http.problems import problems
from api.http.services import Given
from api.http.wire import Snake, UlidPath
from api.people.qbrs.preparation import prepared
from api.people.rights import ClientEditor
from models.rules.clients.qbrs import QbrPreparation

router = APIRouter(prefix="/{company_id}/results", tags=["Results"], route_class=IdempotentRoute)

_QBR: dict[str, Any] = {
    "id": "01K9QBR0000000000000000001",
    "date": "2026-03-31",
    "summary": "This review looks at the results from 2026-01-01 to 2026-03-31.",
}
_WHY = {
    409: "The idempotency key was used for another request, or its first one is under way.",
    422: "No metric has data in the quarter that ends today.",
    503: "The QBR is not ready yet: a repeat joins its preparation.",
}


class PreparedQbr(Snake):
    """A QBR that was prepared, in short."""

    id: str
    date: datetime.date
    summary: str


class PreparedQbrOut(Snake):
    """The QBR that was prepared; it is a draft, and is read in full with the client's QBRs."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"qbr": _QBR}]})

    qbr: PreparedQbr


@router.post(
    "/prepare-qbr",
    status_code=201,
    summary="Prepare a QBR from results",
    responses=problems(404, 409, 422, 503, why=_WHY),
)
async def prepare_qbr_from_results(
    company_id: UlidPath,
    editor: ClientEditor,
    key: IdempotencyKey,
    services: Given,
    commands: Commands,
) -> PreparedQbrOut:
    """Make a QBR from the metrics of the quarter up to today and the newest insight."""
    row = await prepared(services, commands, editor, company_id, QbrPreparation.RESULTS)
    return PreparedQbrOut(qbr=PreparedQbr(id=row.id, date=row.held_on, summary=row.summary or ""))
