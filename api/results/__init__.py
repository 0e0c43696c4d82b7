"""What the work has cost and brought."""

from fastapi import APIRouter

from api.results.spend import routes as spend

router = APIRouter(prefix="/dashboard/v1")
router.include_router(spend.router)
