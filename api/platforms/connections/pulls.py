"""Syncs and backfills: started here, and carried out by workflows that have a client each."""

from typing import Final

import structlog
from fastapi import APIRouter
from sqlalchemy.ext.asyncio import AsyncConnection

from api.http.commands import Commands, Desk, WorkflowGone
from api.http.problems import problems
from api.http.services import Given
from api.http.wire import UlidPath
from api.people.rights import ClientEditor
from api.platforms.connections.schemas import BackfillIn, StartedOut
from models.contracts.platforms import (
    BACKFILL,
    SYNC,
    SYNC_SUMMARY,
    AskSync,
    BackfillOrder,
    SyncOrder,
    backfill_workflow,
    sync_workflow,
)
from models.errors import Conflict, Unavailable, Unprocessable
from models.queries.people import client_profiles
from models.queries.platforms import connections
from workflows.platforms.backfill import BackfillWorkflow
from workflows.platforms.sync import SyncWorkflow

_log = structlog.get_logger(__name__)

router = APIRouter(prefix="/{company_id}/connections", tags=["Connections"])

_TRIES: Final = 3
_RETRY_AFTER_S: Final = 5


@router.post(
    "/sync",
    status_code=202,
    summary="Start a sync",
    responses=problems(404, 422, why={422: "The client has no active connection."}),
)
async def sync_connections(
    company_id: UlidPath, editor: ClientEditor, services: Given, commands: Commands
) -> StartedOut:
    """Bring every connected platform of the client up to date; a sync that runs is joined."""
    async with services.database.tenant(editor.tenant_id) as db:
        await _require_connections(db, company_id, only_ads=False)
    await _sync(commands, editor.tenant_id, company_id, editor.id)
    return StartedOut(message="Sync started")


@router.post(
    "/backfill",
    status_code=202,
    summary="Start a backfill",
    responses=problems(
        404,
        409,
        422,
        why={
            409: "A backfill of the client is under way.",
            422: "The client has no active connection to an ad platform.",
        },
    ),
)
async def backfill_connections(
    company_id: UlidPath,
    wanted: BackfillIn,
    editor: ClientEditor,
    services: Given,
    commands: Commands,
) -> StartedOut:
    """Load the past days of every connected ad platform, of its account and its campaigns."""
    async with services.database.tenant(editor.tenant_id) as db:
        await _require_connections(db, company_id, only_ads=True)
    try:
        await commands.start_alone(
            BackfillWorkflow.run,
            BackfillOrder(
                tenant_id=editor.tenant_id,
                company_id=company_id,
                days=wanted.days,
                principal_id=editor.id,
            ),
            id=backfill_workflow(company_id),
            kind=BACKFILL,
            static_summary=f"Load {wanted.days} days of a client's ad platforms",
        )
    except Conflict:
        raise Conflict("A backfill of the client is under way already.") from None
    return StartedOut(message=f"Backfill started for {wanted.days} days")


async def first_sync(commands: Desk, tenant_id: str, company_id: str) -> None:
    """Have a new connection pulled from; a sync that runs takes it in.

    The connection stands, whether Temporal answers or not: the daily sync finds it then.
    """
    try:
        await commands.tell_with_start(
            SyncWorkflow.run,
            SyncOrder(tenant_id=tenant_id, company_id=company_id),
            SyncWorkflow.ask,
            AskSync(),
            id=sync_workflow(company_id),
            kind=SYNC,
            static_summary=SYNC_SUMMARY,
        )
    except Unavailable as error:
        _log.warning("sync.postponed", company_id=company_id, reason=error.detail)


async def _sync(commands: Desk, tenant_id: str, company_id: str, principal_id: str) -> None:
    """Start a sync, which writes who started it into the history; or join the one that runs.

    Between the two attempts a sync may end, or another one begin.
    """
    id = sync_workflow(company_id)
    for _ in range(_TRIES):
        try:
            return await commands.update_with_start(
                SyncWorkflow.run,
                SyncOrder(tenant_id=tenant_id, company_id=company_id),
                SyncWorkflow.ask,
                AskSync(principal_id=principal_id),
                id=id,
                kind=SYNC,
                static_summary=SYNC_SUMMARY,
                must_start=True,
            )
        except Conflict:
            pass
        try:
            return await commands.update(id, SyncWorkflow.ask, AskSync())
        except WorkflowGone:
            continue
    raise Unavailable("Syncs begin and end too fast; ask again.", retry_after=_RETRY_AFTER_S)


async def _require_connections(db: AsyncConnection, company_id: str, *, only_ads: bool) -> None:
    await client_profiles.require(db, company_id)
    active = await connections.active(db, company_id)
    if not any(one.is_ad_platform or not only_ads for one in active):
        what = "connection to an ad platform" if only_ads else "connection"
        raise Unprocessable(f"The client has no active {what}.")
