"""The people of a tenant, and everybody who works beside them."""

from fastapi import APIRouter

from api.people.team import routes as team

router = APIRouter(prefix="/dashboard/v1")
router.include_router(team.router)
