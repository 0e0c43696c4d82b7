"""Goals: what a client wants to reach, and how far it has come."""

from datetime import UTC, datetime

import orjson
from fastapi import APIRouter
from starlette.responses import Response

from api.http.db import ReadDb, WriteDb
from api.http.idempotency import IdempotencyKey, IdempotentRoute
from api.http.problems import problems
from api.http.wire import UlidPath
from api.people.goals.schemas import (
    GoalIn,
    GoalOut,
    GoalProgressIn,
    GoalsOut,
    OneGoalOut,
    write_goal,
)
from api.people.rights import ClientEditor, ClientViewer
from models.ids import new_id
from models.queries.people import client_profiles, goals

router = APIRouter(prefix="/{company_id}/goals", tags=["Goals"], route_class=IdempotentRoute)


@router.get("", summary="List goals", response_model=GoalsOut, responses=problems(404))
async def list_goals(company_id: UlidPath, viewer: ClientViewer, db: ReadDb) -> Response:
    """List the client's goals, newest first."""
    await client_profiles.require(db, company_id)
    rows = await goals.listed(db, company_id)
    body = orjson.dumps({"goals": list(map(write_goal, rows))})
    return Response(body, media_type="application/json")


@router.post("", status_code=201, summary="Set a goal", responses=problems(404, 409))
async def create_goal(
    company_id: UlidPath, wanted: GoalIn, editor: ClientEditor, key: IdempotencyKey, db: WriteDb
) -> OneGoalOut:
    """Set a target for one metric of the client; a newer goal takes an older one's place."""
    await client_profiles.require(db, company_id)
    goal = await goals.create(
        db,
        tenant_id=editor.tenant_id,
        company_id=company_id,
        goal_id=new_id(),
        values=wanted.model_dump(),
        actor=editor.actor,
        at=datetime.now(UTC),
    )
    return OneGoalOut(goal=GoalOut.model_validate(goal))


@router.patch("/{goal_id}", summary="Record a goal's progress", responses=problems(404))
async def update_goal_progress(
    company_id: UlidPath,
    goal_id: UlidPath,
    progress: GoalProgressIn,
    editor: ClientEditor,
    db: WriteDb,
) -> OneGoalOut:
    """Record the goal's present value; the first time the target is reached suggests a win."""
    goal = await goals.locked(db, company_id, goal_id)
    changed = await goals.record_progress(
        db,
        editor.tenant_id,
        goal,
        progress.current_value,
        actor=editor.actor,
        # Behind the lock, so that values which come together are in the order of their times.
        at=datetime.now(UTC),
    )
    return OneGoalOut(goal=GoalOut.model_validate(changed))
