"""All fake ad platforms at one address, each under its platform's id."""

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType

from starlette.applications import Starlette
from starlette.routing import Mount

from models.rules.platforms.registry import PlatformId
from workers.fakes.ad_accounts import AdAccount
from workers.fakes.google_ads import FakeGoogleAds
from workers.fakes.linkedin_ads import FakeLinkedIn
from workers.fakes.meta_ads import FakeMeta
from workers.fakes.tiktok_ads import FakeTikTok
from workers.fakes.vendor import FakeVendor


def ad_vendors(
    today: date, *, seed: int = 1, name: str = "Northwind Outfitters"
) -> Mapping[PlatformId, FakeVendor]:
    """One client's accounts on every ad platform, as they are known today."""

    def account(platform: PlatformId, id: int) -> AdAccount:
        business = platform is PlatformId.LINKEDIN_ADS
        return AdAccount(
            # Every platform has campaigns of its own.
            seed=seed * 10 + list(PlatformId).index(platform),
            account_id=str(id + seed),
            today=today,
            name=name,
            audience="business" if business else "consumers",
            time_zone="UTC" if business else "Europe/Berlin",
        )

    return MappingProxyType(
        {
            (meta := PlatformId.META_ADS): FakeMeta(account=account(meta, 1029384756)),
            (google := PlatformId.GOOGLE_ADS): FakeGoogleAds(account=account(google, 1234567890)),
            (tiktok := PlatformId.TIKTOK_ADS): FakeTikTok(account=account(tiktok, 701234567890)),
            (linkedin := PlatformId.LINKEDIN_ADS): FakeLinkedIn(
                account=account(linkedin, 512345678)
            ),
        }
    )


def app_of(vendors: Mapping[PlatformId, FakeVendor]) -> Starlette:
    """Serve them side by side: the base URL of each ends in its platform's id."""
    return Starlette(routes=[Mount(f"/{id}", vendor.app) for id, vendor in vendors.items()])
