"""Each ad platform with its fake, so that one test can say what holds for all."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx

from activities.connectors.google_ads import GoogleAds, GoogleAdsApp
from activities.connectors.linkedin_ads import LinkedInAds
from activities.connectors.meta_ads import MetaAds
from activities.connectors.oauth import OAuthApp
from activities.connectors.ports import Access, Account, AdsConnector
from activities.connectors.tiktok_ads import TikTokAds
from workers.fakes import google_ads, linkedin_ads, meta_ads, tiktok_ads
from workers.fakes.ad_accounts import AdAccount
from workers.fakes.google_ads import FakeGoogleAds
from workers.fakes.linkedin_ads import FakeLinkedIn
from workers.fakes.meta_ads import FakeMeta
from workers.fakes.tiktok_ads import FakeTikTok

T = TypeVar("T")
BASE = "http://vendor.test"
SECRETS = (
    meta_ads.TOKEN,
    google_ads.REFRESH_TOKEN,
    google_ads.DEVELOPER_TOKEN,
    google_ads.CLIENT_SECRET,
    "ya29.a0Planted",
    tiktok_ads.TOKEN,
    linkedin_ads.TOKEN,
    linkedin_ads.REFRESH_TOKEN,
    linkedin_ads.CLIENT_SECRET,
)


@dataclass
class Case:
    """A connector, the fake that it talks to, and credentials that are good."""

    fake: Any
    connector: AdsConnector
    credentials: dict[str, str]
    http: httpx.AsyncClient

    @property
    def account(self) -> AdAccount:
        found: AdAccount = self.fake.account
        return found

    @property
    def access(self) -> Access:
        return Access(
            account_id=self.account.account_id,
            currency=self.account.currency,
            time_zone=self.account.time_zone,
            credentials=self.credentials,
        )


def http_to(fake: Any) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=fake.app))


def meta() -> Case:
    fake = FakeMeta()
    http = http_to(fake)
    connector = MetaAds(http, BASE, poll_seconds=0)
    named = f"act_{fake.account.account_id}"
    return Case(fake, connector, {"access_token": fake.token, "ad_account_id": named}, http)


def google() -> Case:
    fake = FakeGoogleAds()
    http = http_to(fake)
    oauth = OAuthApp(client_id=google_ads.CLIENT_ID, client_secret=google_ads.CLIENT_SECRET)
    app = GoogleAdsApp(oauth=oauth, developer_token=google_ads.DEVELOPER_TOKEN)
    connector = GoogleAds(http, app, BASE, f"{BASE}/token")
    id = fake.account.account_id
    credentials = {
        "refresh_token": google_ads.REFRESH_TOKEN,
        "customer_id": f"{id[:3]}-{id[3:6]}-{id[6:]}",
    }
    return Case(fake, connector, credentials, http)


def tiktok() -> Case:
    fake = FakeTikTok()
    http = http_to(fake)
    credentials = {"access_token": fake.token, "advertiser_id": fake.account.account_id}
    return Case(fake, TikTokAds(http, BASE), credentials, http)


def linkedin(**options: Any) -> Case:
    fake = FakeLinkedIn()
    http = http_to(fake)
    app = OAuthApp(client_id=linkedin_ads.CLIENT_ID, client_secret=linkedin_ads.CLIENT_SECRET)
    connector = LinkedInAds(http, app, BASE, f"{BASE}/oauth/v2", **options)
    credentials = {
        "access_token": fake.token,
        "refresh_token": fake.refresh_token,
        "ad_account_id": fake.account.account_id,
    }
    return Case(fake, connector, credentials, http)


CASES = {"meta": meta, "google": google, "tiktok": tiktok, "linkedin": linkedin}


async def every(rows: AsyncIterator[T]) -> list[T]:
    return [row async for row in rows]


Read = Callable[[Case], Awaitable[list[Any] | Account]]
