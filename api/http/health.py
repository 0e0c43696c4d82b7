"""Is the process alive, can it work, and what has it been doing: for probes and Prometheus."""

import asyncio
from datetime import timedelta
from typing import Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from sqlalchemy import text
from temporalio.service import RPCError

from api.http import metrics
from api.http.auth import Public
from api.http.services import Services, services_of
from api.http.wire import Camel

router = APIRouter(tags=["Operations"])

_PATIENCE_S: Final = 3.0


class Alive(Camel):
    """The process answers."""

    ok: bool = True


class Check(Camel):
    """One thing that the API needs; the detail says what is wrong."""

    ok: bool
    detail: str


class Ready(Camel):
    """Whether the API can do all of its work now."""

    ok: bool
    postgresql: Check
    temporal: Check


@router.get("/healthz")
async def healthz(_: Public) -> Alive:
    """Tell that the process lives."""
    return Alive()


@router.get("/readyz", response_model=Ready, responses={503: {"model": Ready}})
async def readyz(_: Public, request: Request) -> Response:
    """Tell whether PostgreSQL and Temporal answer; 503 when one does not."""
    services = services_of(request)
    postgresql, temporal = await asyncio.gather(_postgresql(services), _temporal(services))
    ready = Ready(ok=postgresql.ok and temporal.ok, postgresql=postgresql, temporal=temporal)
    return JSONResponse(ready.model_dump(mode="json"), 200 if ready.ok else 503)


@router.get("/metrics", response_class=Response, include_in_schema=False)
async def exposition(_: Public) -> Response:
    """Answer the metrics in Prometheus' text format."""
    return metrics.exposition()


async def _postgresql(services: Services) -> Check:
    try:
        async with asyncio.timeout(_PATIENCE_S), services.database.system() as db:
            await db.execute(text("select 1"))
    except Exception as error:  # Whatever it is, the answer is that it does not work.
        return Check(ok=False, detail=_worded(error))
    listening = "listening" if services.hub.listening else "not listening for events yet"
    return Check(ok=True, detail=listening)


async def _temporal(services: Services) -> Check:
    try:
        async with asyncio.timeout(_PATIENCE_S):
            client = await services.temporal.client()
            healthy = await client.service_client.check_health(
                timeout=timedelta(seconds=_PATIENCE_S)
            )
    except (RPCError, RuntimeError, TimeoutError, OSError) as error:
        return Check(ok=False, detail=_worded(error))
    return Check(ok=healthy, detail="healthy" if healthy else "not serving")


def _worded(error: BaseException) -> str:
    """What kind of failure it is; addresses and names of users stay inside."""
    return "timed out" if isinstance(error, TimeoutError) else type(error).__name__
