"""The registry: every platform that a client can be connected to."""

from fastapi import APIRouter

from api.http.auth import Reader
from api.http.services import Given
from api.platforms.registry.schemas import PlatformOut, PlatformsOut
from models.rules.platforms.registry import PLATFORMS, is_available

router = APIRouter(prefix="/platforms", tags=["Platforms"])


@router.get("", summary="List the platforms")
async def list_platforms(reader: Reader, services: Given) -> PlatformsOut:
    """Describe every platform that a client can be connected to, and what it asks for."""
    settings = services.settings.platform_settings
    return PlatformsOut(
        platforms={
            one.id: PlatformOut.of(one, available=is_available(one, settings))
            for one in PLATFORMS.values()
        }
    )
