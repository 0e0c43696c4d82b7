"""Campaigns, their deliverables, activities and approvals, the agents, and the live feed."""

from fastapi import APIRouter

from api.agents.activities import commands as activity_commands
from api.agents.activities import routes as activities
from api.agents.approvals import routes as approvals
from api.agents.campaigns import routes as campaigns
from api.agents.campaigns import uploads
from api.agents.configurations import routes as configurations
from api.agents.deliverables import routes as deliverables
from api.agents.events import routes as events

router = APIRouter(prefix="/dashboard/v1")
router.include_router(campaigns.router)
router.include_router(uploads.router)
router.include_router(deliverables.router)
router.include_router(activities.router)
router.include_router(activity_commands.router)
router.include_router(approvals.router)
router.include_router(configurations.router)
router.include_router(events.router)
