"""Platforms on the wire."""

from typing import Any, Self

from pydantic import ConfigDict, Field

from api.http.wire import Snake
from models.rules.platforms.registry import (
    CredentialType,
    Platform,
    PlatformCategory,
    PlatformId,
)

_EXAMPLE: dict[str, Any] = {
    "id": "meta_ads",
    "display_name": "Meta Ads",
    "icon": "meta",
    "category": "ads",
    "is_ad_platform": True,
    "available": True,
    "supports": {"campaigns": True, "creatives": True, "backfill": True},
    "credentials": [
        {
            "key": "access_token",
            "label": "Access token",
            "type": "string",
            "required": True,
            "secret": True,
            "pattern": None,
            "help": "A system user or long-lived user token with ads_read",
        },
        {
            "key": "ad_account_id",
            "label": "Ad account id",
            "type": "string",
            "required": True,
            "secret": False,
            "pattern": "^(act_)?[0-9]{5,20}$",
            "help": "With or without the act_ prefix",
        },
    ],
    "one_of": [],
}


class CredentialFieldOut(Snake):
    """One credential that a platform asks for."""

    key: str
    label: str
    type: CredentialType
    required: bool
    secret: bool = Field(description="Shown masked; every credential is encrypted either way.")
    pattern: str | None
    help: str | None


class SupportsOut(Snake):
    """What a platform has."""

    campaigns: bool
    creatives: bool
    backfill: bool


class PlatformOut(Snake):
    """A platform, and what a connection to it needs."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    id: PlatformId
    display_name: str
    icon: str = Field(description="The icon's name.")
    category: PlatformCategory
    is_ad_platform: bool
    available: bool = Field(description="Whether this deployment has what the platform asks for.")
    supports: SupportsOut
    credentials: list[CredentialFieldOut]
    one_of: list[list[str]] = Field(description="Of each group at least one must be given.")

    @classmethod
    def of(cls, platform: Platform, *, available: bool) -> Self:
        """The platform in this deployment."""
        has = platform.is_ad_platform
        return cls(
            id=platform.id,
            display_name=platform.display_name,
            icon=platform.icon,
            category=platform.category,
            is_ad_platform=has,
            available=available,
            supports=SupportsOut(campaigns=has, creatives=has, backfill=has),
            credentials=[CredentialFieldOut.model_validate(one) for one in platform.credentials],
            one_of=[list(group) for group in platform.one_of],
        )


class PlatformsOut(Snake):
    """Every platform by its id."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"platforms": {"meta_ads": _EXAMPLE}}]}
    )

    platforms: dict[str, PlatformOut]
