"""The people of a tenant, and everybody it works for and with."""

from fastapi import APIRouter

from api.people.ai_summaries import routes as ai_summaries
from api.people.qbrs import preparation as qbr_preparation
from api.people.qbrs import routes as qbrs
from api.people.rights import CLIENTS
from api.people.team import routes as team

_clients = APIRouter(prefix=CLIENTS)
# Fixed segments come before ids: the first address that fits is taken.
_clients.include_router(ai_summaries.router)
_clients.include_router(qbr_preparation.router)
_clients.include_router(qbrs.router)

router = APIRouter()
router.include_router(team.router, prefix="/dashboard/v1")
router.include_router(_clients)
