"""The recalculation of revenue: what runs by itself on the 1st of every month, at once."""

from datetime import timedelta
from typing import Final

from fastapi import APIRouter

from api.http.commands import Commands
from api.http.problems import problems
from api.http.services import Given
from api.people.recalculation.schemas import RecalculatedOut
from api.people.rights import ClientManager
from models.contracts.revenue import (
    RECALCULATION,
    SUMMARY,
    Recalculate,
    RecalculateRevenue,
    recalculation_workflow,
)
from workflows.people.revenue_recalculation import RETRY_AFTER_S, RevenueRecalculationWorkflow

router = APIRouter(prefix="/recalculate-revenue", tags=["Client tiers"])

_MARGIN_S: Final = 1.0
"""How much earlier the workflow lets a caller go than the API would: its word is kept for them."""


@router.post(
    "",
    summary="Recalculate all revenue scores",
    responses=problems(
        503, why={503: "The run goes on; a repeat after Retry-After meets it, and its result."}
    ),
)
async def recalculate_revenue(
    manager: ClientManager, services: Given, commands: Commands
) -> RecalculatedOut:
    """Recalculate the revenue scores of all active clients with a track, and their tiers."""
    wait = services.settings.api_workflow_wait_seconds
    came = await commands.update_with_start(
        RevenueRecalculationWorkflow.run,
        RecalculateRevenue(tenant_id=manager.tenant_id),
        RevenueRecalculationWorkflow.recalculate,
        Recalculate(patience_s=max(wait - _MARGIN_S, wait / 2)),
        id=recalculation_workflow(manager.tenant_id),
        kind=RECALCULATION,
        status="recalculating",
        static_summary=SUMMARY,
        patience=timedelta(seconds=wait),
        retry_after=RETRY_AFTER_S,
    )
    assert came is not None  # Only who does not wait gets none.
    return RecalculatedOut(updated=came.updated, tier_changes=came.tier_changes)
