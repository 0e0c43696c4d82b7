"""Which connectors a process has, where they ask, and that each of them reaches its platform."""

from collections.abc import AsyncIterator

import pytest

from activities.connectors import (
    ga4,
    google_ads,
    google_api,
    google_search_console,
    klaviyo,
    linkedin_ads,
    mailchimp,
    meta_ads,
    shopify,
    tiktok_ads,
)
from models.rules.platforms.registry import PlatformId
from models.settings import Settings
from tests.factories.platforms import Outside, outside
from workers.platforms import build_connectors

BARE = {
    "google_ads_developer_token": None,
    "google_oauth_client_id": None,
    "google_oauth_client_secret": None,
    "linkedin_client_id": None,
    "linkedin_client_secret": None,
}


@pytest.fixture
async def platforms() -> AsyncIterator[Outside]:
    async with outside() as here:
        yield here


@pytest.mark.parametrize("platform", list(PlatformId))
async def test_each_platform_is_reached_where_the_settings_say(
    platforms: Outside, platform: PlatformId
) -> None:
    account = await platforms.connectors[platform].verify(platforms.fakes.credentials[platform])
    assert account.account_id
    assert platforms.connectors[platform].platform is platform


async def test_without_application_settings_the_platforms_that_need_them_are_left_out() -> None:
    connectors = build_connectors(Settings.model_validate(BARE))
    missing = set(PlatformId) - set(connectors)
    assert missing == {PlatformId.GOOGLE_ADS, PlatformId.LINKEDIN_ADS}
    await connectors.close()


def test_by_default_each_platform_is_asked_where_it_really_is() -> None:
    defaults = {name: field.default for name, field in Settings.model_fields.items()}
    assert {
        "meta_base_url": meta_ads.BASE_URL,
        "google_ads_base_url": google_ads.BASE_URL,
        "google_oauth_url": google_api.TOKEN_URL,
        "google_analytics_base_url": ga4.BASE_URL,
        "google_search_console_base_url": google_search_console.BASE_URL,
        "tiktok_base_url": tiktok_ads.BASE_URL,
        "linkedin_base_url": linkedin_ads.BASE_URL,
        "linkedin_oauth_url": linkedin_ads.OAUTH_URL,
        "shopify_base_url": shopify.BASE_URL,
        "klaviyo_base_url": klaviyo.BASE_URL,
        "mailchimp_base_url": mailchimp.BASE_URL,
    }.items() <= defaults.items()
