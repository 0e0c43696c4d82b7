"""Campaigns: submitted as briefs, read, changed, archived."""

from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from api.agents.activities.schemas import ActivitySummaryOut
from api.agents.campaigns.schemas import (
    AgentCostOut,
    CampaignDeliverableOut,
    CampaignDetailOut,
    CampaignIn,
    CampaignPatch,
    CampaignSummaryOut,
    SubmittedOut,
    write_summary,
)
from api.http.auth import Admin, Principal, Reader
from api.http.commands import Commands
from api.http.db import ReadDb
from api.http.filters import Several
from api.http.idempotency import IdempotencyKey, IdempotentRoute
from api.http.paging import Paging
from api.http.problems import problems
from api.http.services import Given, Services
from api.http.wire import Page, UlidPath
from models.contracts.campaigns import (
    ChangeCampaign,
    DeliverableOrder,
    LaunchCampaign,
    SubmitCampaign,
)
from models.errors import Conflict, Invalid, NotFound, ProblemItem, Unprocessable
from models.queries.agents import agent_activities_read, campaigns_read
from models.queries.agents.campaigns_read import Standing
from models.rules.vocabulary import CampaignStatus
from workflows.agents.campaigns import CampaignWorkflow
from workflows.visibility import campaign_workflow

router = APIRouter(prefix="/campaigns", tags=["Campaigns"], route_class=IdempotentRoute)

_RECENT = 10
_SWITCHABLE = (CampaignStatus.ACTIVE, CampaignStatus.PAUSED)
_MISSING = "There is no such campaign."


class Order(StrEnum):
    """The order of creation, oldest or newest first."""

    ASC = "asc"
    DESC = "desc"


@router.get("", summary="List campaigns", response_model=Page[CampaignSummaryOut])
async def list_campaigns(
    reader: Reader,
    db: ReadDb,
    paging: Paging,
    statuses: Annotated[
        Several[CampaignStatus] | None,
        Query(alias="filter.status", description="Any of these; without it all but archived."),
    ] = None,
    order: Order = Order.DESC,
) -> Response:
    """List the tenant's campaigns, archived ones only when the filter asks for them."""
    rows = await campaigns_read.page(
        db,
        statuses=statuses or (),
        limit=paging.fetch,
        ascending=order is Order.ASC,
        after=paging.after,
    )
    return paging.answer(rows, write_summary)


@router.post(
    "",
    status_code=201,
    summary="Submit a brief",
    responses=problems(
        409, 422, why={422: "A channel, template or attachment is not there, or endDate is past."}
    ),
)
async def submit_campaign(
    brief: CampaignIn, admin: Admin, key: IdempotencyKey, commands: Commands
) -> SubmittedOut:
    """Store a brief as a draft and set the Activity Planner to planning its pipeline."""
    _refuse_impossible_dates(brief, datetime.now(UTC).date())
    campaign_id = key.derived_id("campaign")
    await commands.update_with_start(
        CampaignWorkflow.run,
        LaunchCampaign(tenant_id=admin.tenant_id, campaign_id=campaign_id),
        CampaignWorkflow.submit,
        _submission(brief, admin),
        id=campaign_workflow(campaign_id),
        kind="campaign",
        campaign_id=campaign_id,
        status=CampaignStatus.DRAFT,
        update_id="submit",
        static_summary=brief.name,
    )
    return SubmittedOut(id=campaign_id, name=brief.name, status=CampaignStatus.DRAFT)


@router.get("/{campaign_id}", summary="Show a campaign", responses=problems(404))
async def get_campaign(campaign_id: UlidPath, reader: Reader, db: ReadDb) -> CampaignDetailOut:
    """Show one campaign with its deliverables, its running period, and what agents have cost."""
    found = await campaigns_read.in_full(db, campaign_id)
    if found is None:
        raise NotFound(_MISSING)
    today = datetime.now(UTC).date()
    ordered = await campaigns_read.ordered(db, campaign_id, today)
    recent = await agent_activities_read.changed_last(db, campaign_id, limit=_RECENT)
    costs = await campaigns_read.cost_by_role(db, campaign_id)
    return CampaignDetailOut.of(
        found,
        deliverables=[CampaignDeliverableOut.of(row, today) for row in ordered],
        recent=[ActivitySummaryOut.model_validate(row) for row in recent],
        costs=[AgentCostOut.model_validate(cost) for cost in costs],
    )


@router.patch(
    "/{campaign_id}",
    summary="Change, pause or resume a campaign",
    responses=problems(404, 409, 422, why={422: "Deliverables cannot be changed."}),
)
async def change_campaign(
    campaign_id: UlidPath, patch: CampaignPatch, admin: Admin, services: Given, commands: Commands
) -> CampaignSummaryOut:
    """Change a campaign's name, brief or cap, or pause or resume it."""
    if patch.sends("deliverables"):
        item = ProblemItem(location="body.deliverables", message="Cannot be changed")
        raise Unprocessable("Deliverables are fixed when the campaign is created.", item)
    standing = await _standing(services, admin, campaign_id)
    _refuse_unchangeable(standing, patch)
    change = ChangeCampaign(
        actor=admin.actor,
        name=patch.name,
        brief=patch.brief,
        budget_cap_usd=patch.budget_cap_usd,
        lift_cap=patch.sends("budget_cap_usd") and patch.budget_cap_usd is None,
        status=CampaignStatus(patch.status) if patch.status else None,
    )
    await commands.update_with_start(
        CampaignWorkflow.run,
        LaunchCampaign(tenant_id=admin.tenant_id, campaign_id=campaign_id, resume=True),
        CampaignWorkflow.change,
        change,
        id=campaign_workflow(campaign_id),
        kind="campaign",
        campaign_id=campaign_id,
        status=standing.status,
        static_summary=standing.name,
    )
    async with services.database.tenant(admin.tenant_id) as db:
        changed = await campaigns_read.summary(db, campaign_id)
    if changed is None:
        raise NotFound(_MISSING)
    return CampaignSummaryOut.of(changed)


@router.delete(
    "/{campaign_id}",
    status_code=204,
    summary="Archive a campaign",
    responses=problems(404, 409, why={409: "This is the tenant's system campaign."}),
)
async def archive_campaign(
    campaign_id: UlidPath, admin: Admin, services: Given, commands: Commands
) -> None:
    """Put a campaign away for good: its activities are held, its pending approvals expire."""
    standing = await _standing(services, admin, campaign_id)
    if standing.is_system:
        raise Conflict("The system campaign cannot be archived.")
    if standing.status is CampaignStatus.ARCHIVED:
        return
    await commands.update_with_start(
        CampaignWorkflow.run,
        LaunchCampaign(tenant_id=admin.tenant_id, campaign_id=campaign_id, resume=True),
        CampaignWorkflow.archive,
        admin.actor,
        id=campaign_workflow(campaign_id),
        kind="campaign",
        campaign_id=campaign_id,
        status=standing.status,
        static_summary=standing.name,
    )


def _refuse_impossible_dates(brief: CampaignIn, today: date) -> None:
    start, end = brief.start_date, brief.end_date
    if end is None:
        return
    if start is not None and end < start:
        item = ProblemItem(location="body.endDate", message="Lies before startDate", value=str(end))
        raise Invalid("The campaign would end before it starts.", item)
    if end < today:
        item = ProblemItem(location="body.endDate", message="Has passed", value=str(end))
        raise Unprocessable("The campaign would have ended already.", item)


def _submission(brief: CampaignIn, admin: Principal) -> SubmitCampaign:
    return SubmitCampaign(
        actor=admin.actor,
        name=brief.name,
        brief=brief.brief,
        deliverables=tuple(
            DeliverableOrder(
                type=ordered.type,
                quantity=ordered.quantity,
                platform_ids=tuple(ordered.platform_ids),
                template_id=ordered.template_id,
            )
            for ordered in brief.deliverables
        ),
        budget_cap_usd=brief.budget_cap_usd,
        start_date=brief.start_date,
        end_date=brief.end_date,
        attachments=tuple(dict.fromkeys(brief.attachments)),
    )


async def _standing(services: Services, admin: Principal, campaign_id: str) -> Standing:
    async with services.database.tenant(admin.tenant_id) as db:
        standing = await campaigns_read.standing(db, campaign_id)
    if standing is None:
        raise NotFound(_MISSING)
    return standing


def _refuse_unchangeable(standing: Standing, patch: CampaignPatch) -> None:
    if standing.is_system:
        raise Conflict("The system campaign cannot be changed.")
    if standing.status is CampaignStatus.ARCHIVED:
        raise Conflict("The campaign is archived.")
    if patch.status is not None and standing.status not in _SWITCHABLE:
        raise Conflict(f"A campaign that is {standing.status} can be neither paused nor resumed.")
