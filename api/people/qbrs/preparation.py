"""QBRs that a model drafts."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from fastapi import APIRouter

from api.http.auth import Principal
from api.http.commands import Commands, Desk
from api.http.idempotency import IdempotencyKey, IdempotentRoute
from api.http.problems import problems
from api.http.services import Given, Services
from api.http.wire import UlidPath
from api.people.qbrs.schemas import QbrOut
from api.people.rights import ClientEditor
from models.contracts.client_texts import PrepareQbr
from models.errors import NotFound
from models.queries.people import qbrs, text_inputs
from models.queries.people.qbrs import QbrRow
from models.queries.people.qbrs_write import MISSING
from models.rules.clients.qbrs import QbrPreparation
from workflows.people.qbr_prep import QbrPrepWorkflow
from workflows.visibility import in_summary, qbr_prep_workflow

router = APIRouter(prefix="/{company_id}", tags=["QBRs"], route_class=IdempotentRoute)

_TITLES: Final[Mapping[QbrPreparation, str]] = {
    QbrPreparation.AI: "QBR",
    QbrPreparation.RESULTS: "QBR from results",
}
_WHY = {
    409: "The idempotency key was used for another request, or its first one is under way.",
    502: "The model failed, or no answer of it could be taken; no QBR was created.",
    503: "No model is configured, or the draft is not ready yet: a repeat joins its preparation.",
}


@router.post(
    "/qbr/prepare",
    status_code=201,
    summary="Prepare a QBR",
    responses=problems(404, 409, 502, 503, why=_WHY),
)
async def prepare_qbr(
    company_id: UlidPath,
    editor: ClientEditor,
    key: IdempotencyKey,
    services: Given,
    commands: Commands,
) -> QbrOut:
    """Have a model draft a QBR from everything that happened since the last one."""
    row = await prepared(services, commands, editor, company_id, QbrPreparation.AI)
    return QbrOut.of(row)


async def prepared(
    services: Services, commands: Desk, editor: Principal, company_id: str, kind: QbrPreparation
) -> QbrRow:
    """Prepare a QBR of a client, or join its preparation, and read what came of it."""
    async with services.database.tenant(editor.tenant_id) as db:
        name = await text_inputs.client_name(db, company_id)
    stored = await commands.result_of(
        QbrPrepWorkflow.run,
        PrepareQbr(
            tenant_id=editor.tenant_id, company_id=company_id, principal_id=editor.id, kind=kind
        ),
        id=qbr_prep_workflow(company_id, kind),
        kind="qbr-prep",
        static_summary=in_summary(f"{_TITLES[kind]} for {name}"),
        patience=timedelta(seconds=services.settings.api_workflow_wait_seconds),
    )
    async with services.database.tenant(editor.tenant_id) as db:
        row = await qbrs.one(db, company_id, stored.id)
    if row is None:
        raise NotFound(MISSING)
    return row
