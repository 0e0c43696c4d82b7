"""The people of a tenant, and everybody it works for and with."""

from fastapi import APIRouter

from api.people.recalculation import routes as recalculation
from api.people.revenue_entries import routes as revenue_entries
from api.people.rights import CLIENTS
from api.people.team import routes as team
from api.people.tier_scores import routes as tier_scores

_clients = APIRouter(prefix=CLIENTS)
# Fixed segments come before ids: the first address that fits is taken.
_clients.include_router(recalculation.router)
_clients.include_router(tier_scores.router)
_clients.include_router(revenue_entries.router)

router = APIRouter()
router.include_router(team.router, prefix="/dashboard/v1")
router.include_router(_clients)
