"""What people do to activities: retry what failed, hand in what was theirs."""

from typing import Annotated

from fastapi import APIRouter, Body

from api.agents.activities.routes import MISSING
from api.agents.activities.schemas import ActivitySummaryOut, CompleteIn, RetriedOut, RetryIn
from api.http.auth import Admin, Principal, Writer
from api.http.commands import Commands
from api.http.idempotency import IdempotencyKey, IdempotentRoute
from api.http.problems import problems
from api.http.services import Given, Services
from api.http.wire import UlidPath
from models.contracts.agent_activities import CarryOutActivity, CompleteActivity, RetryActivity
from models.errors import Forbidden, NotFound, Unprocessable
from models.queries.agents import agent_activities_read
from models.queries.agents.agent_activities_read import Standing
from models.rules.vocabulary import ActivityStatus, CampaignStatus, PrincipalType
from workflows.agents.agent_activities import AgentActivityWorkflow
from workflows.visibility import activity_workflow

router = APIRouter(prefix="/activities", tags=["Activities"], route_class=IdempotentRoute)

_HELD = (CampaignStatus.PAUSED, CampaignStatus.ARCHIVED)


@router.post(
    "/{activity_id}/retry",
    status_code=202,
    summary="Retry a failed activity",
    responses=problems(
        404, 409, 422, why={422: "It has not failed, or its campaign is paused or archived."}
    ),
)
async def retry_activity(
    activity_id: UlidPath,
    admin: Admin,
    key: IdempotencyKey,
    services: Given,
    commands: Commands,
    asked: Annotated[RetryIn | None, Body()] = None,
) -> RetriedOut:
    """Enqueue a failed activity again, with a new run and its automatic retries restored."""
    standing = await _standing(services, admin, activity_id)
    if standing.status is not ActivityStatus.FAILED:
        raise Unprocessable("Only a failed activity can be retried.")
    _refuse_held(standing)
    run_id = await commands.update_with_start(
        AgentActivityWorkflow.run,
        _resumption(standing, admin, activity_id),
        AgentActivityWorkflow.retry,
        RetryActivity(actor=admin.actor),
        id=activity_workflow(activity_id),
        kind="activity",
        campaign_id=standing.campaign_id,
        status=standing.status,
        update_id=key.derived_id("retry"),
        static_summary=standing.title,
    )
    return RetriedOut(activity_id=activity_id, run_id=run_id)


@router.post(
    "/{activity_id}/complete",
    summary="Hand in a person's activity",
    responses=problems(
        404,
        409,
        422,
        why={422: "It is not a person's, not in progress, or its campaign is paused or archived."},
    ),
)
async def complete_activity(
    activity_id: UlidPath,
    result: CompleteIn,
    writer: Writer,
    key: IdempotencyKey,
    services: Given,
    commands: Commands,
) -> ActivitySummaryOut:
    """End an activity that is assigned to a person, with the result as its output."""
    standing = await _standing(services, writer, activity_id)
    _refuse_incompletable(standing, writer)
    await commands.update_with_start(
        AgentActivityWorkflow.run,
        _resumption(standing, writer, activity_id),
        AgentActivityWorkflow.complete,
        CompleteActivity(
            actor=writer.actor,
            is_admin=writer.is_admin,
            output=result.output,
            format=result.format,
        ),
        id=activity_workflow(activity_id),
        kind="activity",
        campaign_id=standing.campaign_id,
        status=standing.status,
        update_id=key.derived_id("complete"),
        static_summary=standing.title,
    )
    async with services.database.tenant(writer.tenant_id) as db:
        completed = await agent_activities_read.summary(db, activity_id)
    return ActivitySummaryOut.model_validate(completed)


async def _standing(services: Services, caller: Principal, activity_id: str) -> Standing:
    async with services.database.tenant(caller.tenant_id) as db:
        standing = await agent_activities_read.standing(db, activity_id)
    if standing is None:
        raise NotFound(MISSING)
    return standing


def _refuse_incompletable(standing: Standing, caller: Principal) -> None:
    if standing.assignee_type is not PrincipalType.HUMAN:
        raise Unprocessable("The activity is not assigned to a person.")
    if standing.assignee_id != caller.id and not caller.is_admin:
        raise Forbidden("Only the assignee and admins can complete the activity.")
    if standing.status is not ActivityStatus.IN_PROGRESS:
        raise Unprocessable("The activity is not in progress.")
    _refuse_held(standing)


def _refuse_held(standing: Standing) -> None:
    if standing.campaign_status in _HELD:
        raise Unprocessable(f"The activity's campaign is {standing.campaign_status}.")


def _resumption(standing: Standing, caller: Principal, activity_id: str) -> CarryOutActivity:
    """What a workflow that was terminated by hand is started again with, from the record."""
    return CarryOutActivity(
        tenant_id=caller.tenant_id,
        campaign_id=standing.campaign_id,
        activity_id=activity_id,
        title=standing.title,
        role=standing.agent_role,
        resume=True,
    )
