"""Deliverables: the progress of their periods, and the activities that work towards them."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from api.agents.activities.schemas import ActivitySummaryOut, write_summary
from api.agents.deliverables.schemas import DeliverableProgressOut
from api.http.auth import Reader
from api.http.db import ReadDb
from api.http.filters import Several
from api.http.paging import Paging
from api.http.problems import problems
from api.http.wire import Listed, Page, UlidPath
from models.errors import NotFound
from models.queries.agents import agent_activities_read, campaigns_read, deliverables_read
from models.queries.agents.agent_activities_read import Wanted
from models.rules.vocabulary import ActivityStatus

router = APIRouter(tags=["Deliverables"])


@router.get(
    "/campaigns/{campaign_id}/deliverables",
    summary="List a campaign's deliverables",
    responses=problems(404),
)
async def list_deliverables(
    campaign_id: UlidPath, reader: Reader, db: ReadDb
) -> Listed[DeliverableProgressOut]:
    """List a campaign's deliverables with the progress of each period that has begun."""
    today = datetime.now(UTC).date()
    rows = await deliverables_read.progress(db, campaign_id, today)
    if not rows and await campaigns_read.standing(db, campaign_id) is None:
        raise NotFound("There is no such campaign.")
    return Listed(data=[DeliverableProgressOut.of(row, today) for row in rows])


@router.get(
    "/deliverables/{deliverable_id}/activities",
    summary="List a deliverable's activities",
    response_model=Page[ActivitySummaryOut],
    responses=problems(404),
)
async def list_activities_of_deliverable(
    deliverable_id: UlidPath,
    reader: Reader,
    db: ReadDb,
    paging: Paging,
    statuses: Annotated[
        Several[ActivityStatus] | None, Query(alias="filter.status", description="Any of these.")
    ] = None,
) -> Response:
    """List all activities that work towards one deliverable, newest first."""
    if not await deliverables_read.exists(db, deliverable_id):
        raise NotFound("There is no such deliverable.")
    wanted = Wanted(deliverable_id=deliverable_id, statuses=tuple(statuses or ()))
    rows = await agent_activities_read.page(db, wanted, limit=paging.fetch, after=paging.after)
    return paging.answer(rows, write_summary)
