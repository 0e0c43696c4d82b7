"""Activities: lists by any filter, one in full, its output and live stream, and its comments."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from api.agents.activities.schemas import (
    ActivityCommentOut,
    ActivityDetailOut,
    ActivityOutputOut,
    ActivityRunOut,
    ActivitySummaryOut,
    CommentIn,
    write_summary,
)
from api.agents.activities.stream import activity_stream
from api.http.auth import Commenter, Principal, Reader
from api.http.commands import Commands, Desk
from api.http.db import ReadDb
from api.http.event_schema import event_schema
from api.http.filters import Several
from api.http.paging import Paging
from api.http.problems import problems
from api.http.services import Given
from api.http.sse import Follow, LastEventId
from api.http.wire import Listed, Page, UlidPath
from models.contracts.agent_activities import AddComment, CarryOutActivity
from models.errors import NotFound
from models.ids import new_id
from models.queries.agents import agent_activities_read, comments
from models.queries.agents.agent_activities_read import Wanted
from models.queries.agents.comments import Place
from models.rules.vocabulary import ActivityStatus, WakeReason
from workflows.agents.agent_activities import AgentActivityWorkflow
from workflows.visibility import activity_workflow

router = APIRouter(prefix="/activities", tags=["Activities"])

MISSING = "There is no such activity."
_WAKE_REASONS = frozenset(WakeReason)
_STREAM: dict[int | str, Any] = {
    200: {
        "description": "text_delta, tool_call, tool_result, then completed or error.",
        "content": {
            "text/event-stream": {
                "schema": event_schema(
                    "text_delta", "turn_reset", "tool_call", "tool_result", "completed", "error"
                ),
                "example": (
                    "id: 41\nevent: text_delta\n"
                    'data: {"delta":"Heat pumps","activityId":"01K9ACT0000000000000000001"}\n\n'
                    "id: 42\nevent: completed\n"
                    'data: {"activityId":"01K9ACT0000000000000000001","status":"done"}\n\n'
                ),
            }
        },
    }
}


@router.get("", summary="List activities", response_model=Page[ActivitySummaryOut])
async def list_activities(
    reader: Reader,
    db: ReadDb,
    paging: Paging,
    statuses: Annotated[
        Several[ActivityStatus] | None, Query(alias="filter.status", description="Any of these.")
    ] = None,
    agent_role: Annotated[str | None, Query(alias="filter.agentRole")] = None,
    campaign_id: Annotated[str | None, Query(alias="filter.campaignId")] = None,
    deliverable_id: Annotated[str | None, Query(alias="filter.deliverableId")] = None,
    wake_reasons: Annotated[
        Several[str] | None, Query(alias="filter.wakeReason", description="Any of these.")
    ] = None,
) -> Response:
    """List the tenant's activities, newest first, those of archived campaigns too."""
    known = tuple(reason for reason in wake_reasons or () if reason in _WAKE_REASONS)
    if wake_reasons and not known:
        return paging.answer([], write_summary)
    wanted = Wanted(
        statuses=tuple(statuses or ()),
        wake_reasons=known,
        agent_role=agent_role,
        campaign_id=campaign_id,
        deliverable_id=deliverable_id,
    )
    rows = await agent_activities_read.page(db, wanted, limit=paging.fetch, after=paging.after)
    return paging.answer(rows, write_summary)


@router.get("/{activity_id}", summary="Show an activity", responses=problems(404))
async def get_activity(activity_id: UlidPath, reader: Reader, db: ReadDb) -> ActivityDetailOut:
    """Show one activity with its ended runs, comments, subtasks and a preview of its output."""
    found = await agent_activities_read.in_full(db, activity_id)
    if found is None:
        raise NotFound(MISSING)
    said = await comments.on(db, activity_id)
    runs = await agent_activities_read.ended_runs(db, activity_id)
    subtasks = await agent_activities_read.subtasks(db, activity_id)
    return ActivityDetailOut.of(
        found,
        comments=[ActivityCommentOut.of(comment) for comment in said],
        runs=[ActivityRunOut.of(run) for run in runs],
        subtasks=[ActivitySummaryOut.model_validate(subtask) for subtask in subtasks],
    )


@router.get(
    "/{activity_id}/output",
    summary="Read an activity's output",
    responses=problems(404, why={404: "There is no such activity, or it has no output yet."}),
)
async def get_output(activity_id: UlidPath, reader: Reader, db: ReadDb) -> ActivityOutputOut:
    """Read the whole newest output, also one that waits for an approval or a review."""
    output = await agent_activities_read.output(db, activity_id)
    if output is None:
        raise NotFound("There is no such activity, or it has no output yet.")
    return ActivityOutputOut.model_validate(output)


@router.get(
    "/{activity_id}/stream",
    summary="Follow an activity's agent live",
    response_class=Response,
    responses={**_STREAM, **problems(404)},
)
async def stream_activity(
    activity_id: UlidPath, reader: Reader, streams: Follow, last_event_id: LastEventId
) -> Response:
    """Stream the agent's words and tool calls; the stream ends after completed or error."""
    return await activity_stream(streams, reader, activity_id, last_event_id)


@router.get("/{activity_id}/comments", summary="List comments", responses=problems(404))
async def list_comments(
    activity_id: UlidPath, reader: Reader, db: ReadDb
) -> Listed[ActivityCommentOut]:
    """List all comments on an activity, oldest first."""
    found = await comments.on(db, activity_id)
    if not found and not await agent_activities_read.exists(db, activity_id):
        raise NotFound(MISSING)
    return Listed(data=[ActivityCommentOut.of(comment) for comment in found])


@router.post("/{activity_id}/comments", status_code=201, summary="Comment", responses=problems(404))
async def comment_on_activity(
    activity_id: UlidPath, said: CommentIn, author: Commenter, services: Given, commands: Commands
) -> ActivityCommentOut:
    """Add a comment; one that calls the agent of an activity whose approval expired wakes it."""
    async with services.database.tenant(author.tenant_id) as db:
        place = await comments.place(db, activity_id)
        if place is None:
            raise NotFound(MISSING)
        comment = AddComment(
            actor=author.actor,
            comment_id=new_id(),
            text=said.text,
            type=said.type,
            mentions=await comments.mentioned(db, said.text),
        )
        wakes = place.expired and any(
            mention.id == place.assignee_id for mention in comment.mentions
        )
        if not wakes:
            await comments.add(db, author.tenant_id, activity_id, comment)
            return await _comment(db, comment.comment_id)
    await _wake(commands, author, activity_id, place, comment)
    async with services.database.tenant(author.tenant_id) as db:
        return await _comment(db, comment.comment_id)


async def _wake(
    commands: Desk, author: Principal, activity_id: str, place: Place, comment: AddComment
) -> None:
    """Let the workflow take the comment, started again from the record where it has ended."""
    await commands.update_with_start(
        AgentActivityWorkflow.run,
        CarryOutActivity(
            tenant_id=author.tenant_id,
            campaign_id=place.campaign_id,
            activity_id=activity_id,
            title=place.title,
            role=place.agent_role,
            resume=True,
        ),
        AgentActivityWorkflow.mention,
        comment,
        id=activity_workflow(activity_id),
        kind="activity",
        campaign_id=place.campaign_id,
        status=ActivityStatus.BLOCKED,
        update_id=comment.comment_id,
        static_summary=place.title,
    )


async def _comment(db: ReadDb, comment_id: str) -> ActivityCommentOut:
    found = await comments.one(db, comment_id)
    if found is None:
        raise NotFound("The comment is gone.")
    return ActivityCommentOut.of(found)
