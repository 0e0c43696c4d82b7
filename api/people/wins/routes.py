"""Wins: what went well for a client, noticed by people or suggested to them."""

from datetime import UTC, date, datetime
from typing import Annotated

import orjson
from fastapi import APIRouter, Query
from starlette.responses import Response

from api.http.bodies import Day
from api.http.db import ReadDb, WriteDb
from api.http.filters import Several
from api.http.idempotency import IdempotencyKey, IdempotentRoute
from api.http.problems import problems
from api.http.wire import UlidPath
from api.people.rights import ClientEditor, ClientManager, ClientViewer
from api.people.wins.schemas import (
    OneWinOut,
    WinDeletedOut,
    WinIn,
    WinOut,
    WinPatch,
    WinsOut,
    write_win,
)
from models.errors import Invalid, ProblemItem
from models.ids import new_id
from models.queries.people import client_profiles, wins
from models.rules.clients.vocabulary import WinStatus
from models.rules.clients.wins import LISTED, changed

router = APIRouter(prefix="/{company_id}/wins", tags=["Wins"], route_class=IdempotentRoute)

_STANDING = {"status", "snoozed_until"}


@router.get("", summary="List wins", response_model=WinsOut, responses=problems(404))
async def list_wins(
    company_id: UlidPath,
    viewer: ClientViewer,
    db: ReadDb,
    since: Annotated[Day | None, Query(description="Won on this day or later.")] = None,
    until: Annotated[Day | None, Query(description="Won before this day.")] = None,
    statuses: Annotated[
        Several[WinStatus] | None,
        Query(alias="status", description="Any of these; without it all but dismissed."),
    ] = None,
) -> Response:
    """List the client's wins with the project and the goal each is linked to, newest first."""
    _refuse_backwards(since, until)
    await client_profiles.require(db, company_id)
    rows = await wins.listed(
        db,
        company_id,
        since=since,
        until=until,
        statuses=statuses or sorted(LISTED),
        now=datetime.now(UTC),
    )
    return Response(
        orjson.dumps({"wins": list(map(write_win, rows))}), media_type="application/json"
    )


@router.post(
    "",
    status_code=201,
    summary="Record a win",
    responses=problems(
        404, 409, 422, why={422: "The tenant has no such project, or the client no such goal."}
    ),
)
async def create_win(
    company_id: UlidPath, won: WinIn, editor: ClientEditor, key: IdempotencyKey, db: WriteDb
) -> OneWinOut:
    """Record something that went well for the client."""
    now = datetime.now(UTC)
    await client_profiles.require(db, company_id)
    await wins.refuse_unknown(
        db, company_id, project_id=won.project_id, linked_goal_id=won.linked_goal_id
    )
    win = await wins.create(
        db,
        tenant_id=editor.tenant_id,
        company_id=company_id,
        win_id=new_id(),
        values={**won.model_dump(), "won_at": won.won_at or now.date()},
        actor=editor.actor,
        at=now,
    )
    return OneWinOut(win=WinOut.model_validate(win))


@router.patch(
    "/{win_id}",
    summary="Edit, confirm, dismiss or snooze a win",
    responses=problems(404, 422, why={422: "The client has no such goal."}),
)
async def update_win(
    company_id: UlidPath, win_id: UlidPath, patch: WinPatch, editor: ClientEditor, db: WriteDb
) -> OneWinOut:
    """Edit a win, say what is made of it, or put it off; what it came of is fixed."""
    win = await wins.locked(db, company_id, win_id)
    now = datetime.now(UTC)
    standing = changed(
        win.standing,
        status=patch.status,
        sends_until=patch.sends("snoozed_until"),
        until=patch.snoozed_until,
        now=now,
    )
    await wins.refuse_unknown(db, company_id, linked_goal_id=patch.linked_goal_id)
    values = {name: value for name, value in patch.sent().items() if name not in _STANDING}
    await wins.change(db, win, values, standing, actor=editor.actor, at=now)
    return OneWinOut(win=WinOut.model_validate(await wins.one(db, win_id, now)))


@router.delete("/{win_id}", summary="Delete a win", responses=problems(404))
async def delete_win(
    company_id: UlidPath, win_id: UlidPath, manager: ClientManager, db: WriteDb
) -> WinDeletedOut:
    """Delete a win; the client's history keeps its title."""
    await wins.remove(
        db,
        tenant_id=manager.tenant_id,
        company_id=company_id,
        win_id=win_id,
        actor=manager.actor,
        at=datetime.now(UTC),
    )
    return WinDeletedOut()


def _refuse_backwards(since: date | None, until: date | None) -> None:
    if since is not None and until is not None and until < since:
        why = "Lies before since"
        item = ProblemItem(location="query.until", message=why, value=until.isoformat())
        raise Invalid("The window would end before it begins.", item)
