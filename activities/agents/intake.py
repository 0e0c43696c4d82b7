"""A brief's way into the record: checked against what is there, stored whole or not at all."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from models.contracts.campaigns import CreateCampaign, SubmitCampaign
from models.errors import ProblemItem, Unprocessable
from models.ids import derived_id
from models.queries.agents import agent_activities_write as agent_activities
from models.queries.agents import campaigns_write as campaigns
from models.queries.records import audit
from models.queries.tenants import agent_id
from models.rules.roles import PLANNER
from models.rules.vocabulary import (
    ActivityStatus,
    ActivityType,
    CampaignStatus,
    RiskLevel,
    WakeReason,
)
from models.tables.campaigns import ActivityTemplate, Attachment, Channel


async def insert_draft(db: AsyncConnection, create: CreateCampaign, planner_id: str) -> None:
    """Insert the campaign, its deliverables and its planner's activity, with the audit entry."""
    brief = create.submitted
    if await campaigns.locked(db, create.campaign_id) is not None:
        return
    await _refuse_unknown(db, brief)
    _refuse_past(create)
    await campaigns.insert_campaign(db, _campaign(create), _deliverables(create), brief.attachments)
    await agent_activities.create(db, [_planner(create, planner_id)])
    await audit.record(
        db,
        create.tenant_id,
        brief.actor,
        entity="campaign",
        entity_id=create.campaign_id,
        action="created",
        changes={
            "name": brief.name,
            "budgetCapUsd": brief.budget_cap_usd,
            "deliverables": [f"{one.quantity} × {one.type}" for one in brief.deliverables],
        },
    )


async def _refuse_unknown(db: AsyncConnection, brief: SubmitCampaign) -> None:
    ordered = brief.deliverables
    channels = await campaigns.unknown_ids(
        db, Channel, [channel for one in ordered for channel in one.platform_ids]
    )
    templates = await campaigns.unknown_ids(
        db, ActivityTemplate, [one.template_id for one in ordered if one.template_id]
    )
    files = await campaigns.unknown_ids(db, Attachment, brief.attachments)
    files |= await campaigns.taken_attachments(db, brief.attachments)
    items = [
        ProblemItem(
            location=f"body.deliverables.{index}.platformIds.{position}",
            message="is not a channel of yours",
            value=channel,
        )
        for index, one in enumerate(ordered)
        for position, channel in enumerate(one.platform_ids)
        if channel in channels
    ]
    items += [
        ProblemItem(
            location=f"body.deliverables.{index}.templateId",
            message="is not an activity template of yours",
            value=one.template_id,
        )
        for index, one in enumerate(ordered)
        if one.template_id in templates
    ]
    items += [
        ProblemItem(
            location=f"body.attachments.{index}",
            message="is not a file of yours, or belongs to another campaign",
            value=ref,
        )
        for index, ref in enumerate(brief.attachments)
        if ref in files
    ]
    if items:
        raise Unprocessable("The brief names things that are not there.", *items)


def _refuse_past(create: CreateCampaign) -> None:
    end = create.submitted.end_date
    if end is not None and end < create.at.date():
        raise Unprocessable(
            "The campaign would be over before it begins.",
            ProblemItem(location="body.endDate", message="has passed", value=end.isoformat()),
        )


def _campaign(create: CreateCampaign) -> dict[str, Any]:
    brief = create.submitted
    return {
        "id": create.campaign_id,
        "tenant_id": create.tenant_id,
        "name": brief.name,
        "status": CampaignStatus.DRAFT,
        "brief": brief.brief,
        "budget_cap_usd": brief.budget_cap_usd,
        "start_date": brief.start_date,
        "end_date": brief.end_date,
        "created_by": brief.actor.id,
        "created_on": create.at,
        "updated_on": create.at,
    }


def _deliverables(create: CreateCampaign) -> list[dict[str, Any]]:
    return [
        {
            "id": derived_id("deliverable", create.campaign_id, str(position)),
            "tenant_id": create.tenant_id,
            "campaign_id": create.campaign_id,
            "position": position,
            "type": one.type,
            "quantity": one.quantity,
            "channel_ids": list(one.platform_ids),
            "template_id": one.template_id,
        }
        for position, one in enumerate(create.submitted.deliverables)
    ]


def _planner(create: CreateCampaign, planner_id: str) -> dict[str, Any]:
    return {
        "id": planner_id,
        "tenant_id": create.tenant_id,
        "campaign_id": create.campaign_id,
        "title": f"Plan {create.submitted.name}"[:200],
        "type": ActivityType.CAMPAIGN_PLANNING,
        "status": ActivityStatus.ASSIGNED,
        "wake_reason": WakeReason.PLANNED,
        "agent_role": PLANNER,
        "assignee_id": agent_id(create.tenant_id, PLANNER),
        "input_prompt": "Turn the brief into a plan for one period of the campaign.",
        "risk": RiskLevel.LOW,
        "created_on": create.at,
        "updated_on": create.at,
    }
