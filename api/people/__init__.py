"""The people of a tenant, and everybody it works for and with."""

from fastapi import APIRouter

from api.people.clients import routes as clients
from api.people.companies import contacts, imports
from api.people.companies import routes as companies
from api.people.goals import routes as goals
from api.people.health_scores import routes as health_scores
from api.people.qbrs import routes as qbrs
from api.people.recalculation import routes as recalculation
from api.people.revenue_entries import routes as revenue_entries
from api.people.rights import CLIENTS
from api.people.stripe import routes as stripe
from api.people.success_profile import routes as success_profile
from api.people.team import routes as team
from api.people.tier_scores import routes as tier_scores
from api.people.wins import routes as wins

_clients = APIRouter(prefix=CLIENTS)
# Fixed segments come before ids: the first address that fits is taken.
_clients.include_router(recalculation.router)
_clients.include_router(goals.router)
_clients.include_router(health_scores.router)
_clients.include_router(qbrs.router)
_clients.include_router(revenue_entries.router)
_clients.include_router(stripe.router)
_clients.include_router(success_profile.router)
_clients.include_router(tier_scores.router)
_clients.include_router(wins.router)
_clients.include_router(imports.router)
_clients.include_router(companies.router)
_clients.include_router(contacts.router)

router = APIRouter()
router.include_router(team.router, prefix="/dashboard/v1")
router.include_router(_clients)
router.include_router(clients.router)
