"""The registry of platforms over HTTP."""

from typing import get_args

import httpx
import pytest
from pydantic import SecretStr

from api.http.services import Services
from api.platforms.results.asked import AdPlatform
from models.rules.platforms.registry import PLATFORMS
from tests.api.conftest import TenantPeople

URL = "/api/clients/platforms"
NEEDY = {"google_ads", "linkedin_ads"}


async def test_every_platform_is_described_by_its_id(
    http: httpx.AsyncClient, tenant_a: TenantPeople
) -> None:
    answer = await http.get(URL, headers=tenant_a.reviewer.headers)
    assert answer.status_code == 200
    platforms = answer.json()["platforms"]
    assert list(platforms) == [
        "meta_ads", "google_ads", "tiktok_ads", "linkedin_ads", "shopify", "ga4",
        "google_search_console", "klaviyo", "mailchimp",
    ]  # fmt: skip
    assert platforms["shopify"] == {
        "id": "shopify",
        "display_name": "Shopify",
        "icon": "shopify",
        "category": "ecommerce",
        "is_ad_platform": False,
        "available": True,
        "supports": {"campaigns": False, "creatives": False, "backfill": False},
        "credentials": [
            {
                "key": "shop_domain",
                "label": "Shop domain",
                "type": "string",
                "required": True,
                "secret": False,
                "pattern": r"^[a-z0-9][a-z0-9-]*\.myshopify\.com$",
                "help": None,
            },
            {
                "key": "access_token",
                "label": "Admin API access token",
                "type": "string",
                "required": True,
                "secret": True,
                "pattern": None,
                "help": "With read_orders and read_customers",
            },
        ],
        "one_of": [],
    }
    assert platforms["ga4"]["one_of"] == [["service_account_json", "refresh_token"]]
    assert platforms["tiktok_ads"]["supports"] == {
        "campaigns": True, "creatives": True, "backfill": True,
    }  # fmt: skip


async def test_a_platform_is_available_where_the_deployment_has_what_it_needs(
    http: httpx.AsyncClient,
    tenant_a: TenantPeople,
    services: Services,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def available() -> set[str]:
        answer = await http.get(URL, headers=tenant_a.member.headers)
        platforms = answer.json()["platforms"]
        return {name for name, one in platforms.items() if one["available"]}

    every = {platform.value for platform in PLATFORMS}
    assert await available() == every - NEEDY
    for name in ("linkedin_client_id", "linkedin_client_secret", "google_oauth_client_id"):
        monkeypatch.setattr(services.settings, name, SecretStr("x"))
    assert await available() == every - {"google_ads"}
    for name in ("google_oauth_client_secret", "google_ads_developer_token"):
        monkeypatch.setattr(services.settings, name, SecretStr("x"))
    assert await available() == every


async def test_the_registry_is_for_those_who_have_signed_in(http: httpx.AsyncClient) -> None:
    assert (await http.get(URL)).status_code == 401


def test_campaigns_can_be_asked_for_by_every_ad_platform() -> None:
    ads = [one.id.value for one in PLATFORMS.values() if one.is_ad_platform]
    assert list(get_args(AdPlatform)) == ads
