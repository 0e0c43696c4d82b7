"""All fake platforms without ads for one client; `app_of` in `ads` serves these as well."""

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType

from models.rules.platforms.registry import PlatformId
from workers.fakes.google import FakeGoogle
from workers.fakes.klaviyo import FakeKlaviyo
from workers.fakes.mail_accounts import MailAccount
from workers.fakes.mailchimp import FakeMailchimp
from workers.fakes.shop_accounts import ShopAccount
from workers.fakes.shopify import FakeShopify
from workers.fakes.vendor import FakeVendor
from workers.fakes.web_accounts import WebAccount


def store_vendors(
    today: date, *, seed: int = 1, name: str = "Northwind Outfitters"
) -> Mapping[PlatformId, FakeVendor]:
    """One client's shop, website and mailings, as they are known today."""
    web = WebAccount(seed=seed * 10 + 5, today=today, property_id=str(312345678 + seed))
    google = FakeGoogle(account=web)

    def mail(place: int) -> MailAccount:
        return MailAccount(
            seed=seed * 10 + place, today=today, name=name,
            currency="EUR", time_zone="Europe/Berlin",
        )  # fmt: skip

    return MappingProxyType(
        {
            PlatformId.SHOPIFY: FakeShopify(
                account=ShopAccount(
                    seed=seed * 10 + 4, today=today, name=name,
                    domain=f"client-{seed}.myshopify.com",
                )
            ),
            PlatformId.GA4: google,
            PlatformId.GOOGLE_SEARCH_CONSOLE: google,
            PlatformId.KLAVIYO: FakeKlaviyo(account=mail(7)),
            PlatformId.MAILCHIMP: FakeMailchimp(account=mail(8)),
        }
    )  # fmt: skip
