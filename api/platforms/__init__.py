"""Platforms that clients are connected to, and what their numbers say."""

from fastapi import APIRouter

from api.people.rights import CLIENTS
from api.platforms.connections import pulls
from api.platforms.connections import routes as connections
from api.platforms.registry import routes as registry
from api.platforms.results import campaigns, preparation, questions
from api.platforms.results import routes as results

router = APIRouter(prefix=CLIENTS)
# Fixed segments come before ids: the first address that fits is taken.
router.include_router(registry.router)
router.include_router(pulls.router)
router.include_router(connections.router)
router.include_router(campaigns.router)
router.include_router(results.router)
router.include_router(questions.router)
router.include_router(preparation.router)
