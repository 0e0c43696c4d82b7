"""Results: a client's numbers over a period, against the period before and the goals."""

import orjson
from fastapi import APIRouter
from starlette.responses import Response

from api.http.db import ReadDb
from api.http.problems import problems
from api.http.wire import UlidPath
from api.people.rights import ClientViewer
from api.platforms.results.asked import Asked
from api.platforms.results.schemas import ResultsOut, write_insight, write_metric, write_period
from models.queries.platforms import results

router = APIRouter(prefix="/{company_id}/results", tags=["Results"])


@router.get(
    "", summary="Show a client's results", response_model=ResultsOut, responses=problems(404)
)
async def get_results(
    company_id: UlidPath, viewer: ClientViewer, db: ReadDb, period: Asked
) -> Response:
    """Add the client's metrics up over a period, and compare them with the one before."""
    found = await results.of_period(db, company_id, period)
    body = {
        "period": write_period(found.period),
        "prior_period": write_period(found.prior_period),
        "metrics": list(map(write_metric, found.metrics)),
        "insight": None if found.insight is None else write_insight(found.insight),
        "connected_platforms": found.connected_platforms,
    }
    return Response(orjson.dumps(body), media_type="application/json")
