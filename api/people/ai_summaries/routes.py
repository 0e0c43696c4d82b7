"""Summaries of clients, written by a model and kept while they are current."""

from datetime import UTC, datetime, timedelta

from fastapi import APIRouter

from api.http.commands import Commands
from api.http.problems import problems
from api.http.services import Given
from api.http.wire import UlidPath
from api.people.ai_summaries.schemas import AiSummaryOut
from api.people.rights import ClientEditor
from models.contracts.client_texts import WriteAbout
from models.queries.people import text_inputs
from workflows.people.ai_summary import AiSummaryWorkflow
from workflows.visibility import ai_summary_workflow, in_summary

router = APIRouter(prefix="/{company_id}", tags=["Clients"])

_WHY = {
    502: "The model failed, or no answer of it could be taken; the last summary stays.",
    503: "No model is configured, or the summary is not ready yet: a repeat joins its writing.",
}


@router.post("/ai-summary", summary="Sum a client up", responses=problems(404, 502, 503, why=_WHY))
async def sum_client_up(
    company_id: UlidPath, editor: ClientEditor, services: Given, commands: Commands
) -> AiSummaryOut:
    """Have a model sum the relationship up; a fresh summary of the same facts is used again."""
    now = datetime.now(UTC)
    async with services.database.tenant(editor.tenant_id) as db:
        given = await text_inputs.for_summary(db, company_id, now.date())
        current = await text_inputs.current_summary(db, company_id, given, now)
    if current is not None:
        return AiSummaryOut.of(current)
    await commands.result_of(
        AiSummaryWorkflow.run,
        WriteAbout(tenant_id=editor.tenant_id, company_id=company_id, principal_id=editor.id),
        id=ai_summary_workflow(company_id),
        kind="ai-summary",
        static_summary=in_summary(f"Summary of {given.given['client']['name']}"),
        patience=timedelta(seconds=services.settings.api_workflow_wait_seconds),
    )
    async with services.database.tenant(editor.tenant_id) as db:
        return AiSummaryOut.of(await text_inputs.stored_summary(db, company_id))
