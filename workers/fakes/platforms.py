"""Every fake platform of one client at one address, and what it takes to be connected to them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Final, cast
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Mount
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from models.rules.platforms.registry import PlatformId
from workers.fakes import google, google_ads, linkedin_ads
from workers.fakes.ads import ad_vendors, app_of
from workers.fakes.google import FakeGoogle
from workers.fakes.google_ads import FakeGoogleAds
from workers.fakes.klaviyo import FakeKlaviyo
from workers.fakes.linkedin_ads import FakeLinkedIn
from workers.fakes.mailchimp import FakeMailchimp
from workers.fakes.meta_ads import FakeMeta
from workers.fakes.shopify import FakeShopify
from workers.fakes.stores import store_vendors
from workers.fakes.tiktok_ads import FakeTikTok
from workers.fakes.vendor import FakeVendor

APP_SETTINGS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "google_ads_developer_token": google_ads.DEVELOPER_TOKEN,
        "google_oauth_client_id": google.CLIENT_ID,
        "google_oauth_client_secret": google.CLIENT_SECRET,
        "linkedin_client_id": linkedin_ads.CLIENT_ID,
        "linkedin_client_secret": linkedin_ads.CLIENT_SECRET,
    }
)
"""What a deployment is known as at the fakes."""


@dataclass(frozen=True, slots=True)
class FakePlatforms:
    """The accounts of one client on all platforms."""

    vendors: Mapping[PlatformId, FakeVendor]

    @property
    def app(self) -> Starlette:
        """All of them side by side, and Google's one address for tokens."""
        app = app_of(self.vendors)
        app.router.routes.insert(0, Mount("/google_oauth", self._google_oauth()))
        return app

    @property
    def credentials(self) -> Mapping[PlatformId, Mapping[str, str]]:
        """Good credentials for each account, as a person would enter them."""
        meta = cast(FakeMeta, self.vendors[PlatformId.META_ADS])
        ads = cast(FakeGoogleAds, self.vendors[PlatformId.GOOGLE_ADS])
        tiktok = cast(FakeTikTok, self.vendors[PlatformId.TIKTOK_ADS])
        linkedin = cast(FakeLinkedIn, self.vendors[PlatformId.LINKEDIN_ADS])
        shop = cast(FakeShopify, self.vendors[PlatformId.SHOPIFY])
        web = cast(FakeGoogle, self.vendors[PlatformId.GA4]).account
        klaviyo = cast(FakeKlaviyo, self.vendors[PlatformId.KLAVIYO])
        mailchimp = cast(FakeMailchimp, self.vendors[PlatformId.MAILCHIMP])
        service_account = {"service_account_json": google.service_account()}
        return {
            PlatformId.META_ADS: {
                "access_token": meta.token, "ad_account_id": f"act_{meta.account.account_id}",
            },
            PlatformId.GOOGLE_ADS: {
                "refresh_token": google_ads.REFRESH_TOKEN, "customer_id": ads.account.account_id,
            },
            PlatformId.TIKTOK_ADS: {
                "access_token": tiktok.token, "advertiser_id": tiktok.account.account_id,
            },
            PlatformId.LINKEDIN_ADS: {
                "access_token": linkedin.token, "refresh_token": linkedin.refresh_token,
                "ad_account_id": linkedin.account.account_id,
            },
            PlatformId.SHOPIFY: {"shop_domain": shop.account.domain, "access_token": shop.token},
            PlatformId.GA4: {"property_id": web.property_id, **service_account},
            PlatformId.GOOGLE_SEARCH_CONSOLE: {"site_url": web.site_url, **service_account},
            PlatformId.KLAVIYO: {"api_key": klaviyo.key},
            PlatformId.MAILCHIMP: {"api_key": mailchimp.key},
        }  # fmt: skip

    def _google_oauth(self) -> ASGIApp:
        ads = self.vendors[PlatformId.GOOGLE_ADS].app
        others = self.vendors[PlatformId.GA4].app

        async def issue(scope: Scope, receive: Receive, send: Send) -> None:
            """Ask whichever fake the refresh token is known to."""
            body = await Request(scope, receive).body()

            async def again() -> Message:
                return {"type": "http.request", "body": body, "more_body": False}

            form = parse_qs(body.decode())
            is_ads = form.get("refresh_token") == [google_ads.REFRESH_TOKEN]
            await (ads if is_ads else others)(scope, again, send)

        return issue


def fake_platforms(
    today: date, *, seed: int = 1, name: str = "Northwind Outfitters"
) -> FakePlatforms:
    """One client's accounts everywhere, as they are known today."""
    ads, stores = (
        ad_vendors(today, seed=seed, name=name),
        store_vendors(today, seed=seed, name=name),
    )
    return FakePlatforms({**ads, **stores})


def settings_at(address: str) -> dict[str, str]:
    """The settings of a deployment whose platforms are the fakes at this address."""
    return {
        **APP_SETTINGS,
        "meta_base_url": f"{address}/meta_ads",
        "google_ads_base_url": f"{address}/google_ads",
        "google_oauth_url": f"{address}/google_oauth/token",
        "google_analytics_base_url": f"{address}/ga4",
        "google_search_console_base_url": f"{address}/google_search_console",
        "tiktok_base_url": f"{address}/tiktok_ads",
        "linkedin_base_url": f"{address}/linkedin_ads",
        "linkedin_oauth_url": f"{address}/linkedin_ads/oauth/v2",
        "shopify_base_url": f"{address}/shopify",
        "klaviyo_base_url": f"{address}/klaviyo",
        "mailchimp_base_url": f"{address}/mailchimp",
    }
