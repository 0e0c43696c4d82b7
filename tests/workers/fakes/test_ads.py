"""The fake ad platforms side by side, as the demo uses them."""

from datetime import date

import httpx

from activities.connectors.google_ads import GoogleAds, GoogleAdsApp
from activities.connectors.linkedin_ads import LinkedInAds
from activities.connectors.meta_ads import MetaAds
from activities.connectors.oauth import OAuthApp
from activities.connectors.ports import AdsConnector
from activities.connectors.tiktok_ads import TikTokAds
from models.rules.platforms.registry import PLATFORMS, PlatformId
from workers.fakes import google_ads, linkedin_ads, meta_ads, tiktok_ads
from workers.fakes.ads import ad_vendors, app_of

TOKENS = {
    PlatformId.META_ADS: {"access_token": meta_ads.TOKEN},
    PlatformId.GOOGLE_ADS: {"refresh_token": google_ads.REFRESH_TOKEN},
    PlatformId.TIKTOK_ADS: {"access_token": tiktok_ads.TOKEN},
    PlatformId.LINKEDIN_ADS: {"access_token": linkedin_ads.TOKEN},
}


def connectors(http: httpx.AsyncClient) -> list[AdsConnector]:
    base = "http://fakes.test"
    google = OAuthApp(client_id=google_ads.CLIENT_ID, client_secret=google_ads.CLIENT_SECRET)
    linkedin = OAuthApp(client_id=linkedin_ads.CLIENT_ID, client_secret=linkedin_ads.CLIENT_SECRET)
    app = GoogleAdsApp(oauth=google, developer_token=google_ads.DEVELOPER_TOKEN)
    return [
        MetaAds(http, f"{base}/meta_ads", poll_seconds=0),
        GoogleAds(http, app, f"{base}/google_ads", f"{base}/google_ads/token"),
        TikTokAds(http, f"{base}/tiktok_ads"),
        LinkedInAds(http, linkedin, f"{base}/linkedin_ads", f"{base}/linkedin_ads/oauth/v2"),
    ]


async def test_one_clients_accounts_are_all_behind_one_address() -> None:
    vendors = ad_vendors(date(2026, 3, 10), seed=3, name="Contoso")
    transport = httpx.ASGITransport(app=app_of(vendors))
    async with httpx.AsyncClient(transport=transport) as http:
        for connector in connectors(http):
            account: str = vendors[connector.platform].account.account_id  # type: ignore[attr-defined]
            key = PLATFORMS[connector.platform].account_id_from or ""
            told = await connector.verify({**TOKENS[connector.platform], key: account})
            assert (told.account_id, told.display_name) == (account, "Contoso")
            assert told.scopes or connector.platform is PlatformId.TIKTOK_ADS
