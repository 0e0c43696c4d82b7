"""The fake platforms without ads side by side, as the demo uses them."""

from datetime import date

import httpx

from activities.connectors.ga4 import GoogleAnalytics
from activities.connectors.google_api import GoogleKeys
from activities.connectors.google_search_console import SearchConsole
from activities.connectors.klaviyo import Klaviyo
from activities.connectors.mailchimp import Mailchimp
from activities.connectors.ports import Connector, Credentials
from activities.connectors.shopify import Shopify
from models.rules.platforms.registry import PlatformId
from workers.fakes import google, klaviyo, mailchimp, shopify
from workers.fakes.ads import app_of
from workers.fakes.stores import store_vendors

BASE = "http://fakes.test"
KEY = {"service_account_json": google.service_account()}


def connectors(http: httpx.AsyncClient) -> list[tuple[Connector, Credentials]]:
    analytics, search = (
        GoogleKeys(http=http, token_url=f"{BASE}/{id}/token")
        for id in (PlatformId.GA4, PlatformId.GOOGLE_SEARCH_CONSOLE)
    )
    shop = {"shop_domain": "client-3.myshopify.com", "access_token": shopify.TOKEN}
    return [
        (Shopify(http, f"{BASE}/shopify"), shop),
        (GoogleAnalytics(analytics, f"{BASE}/ga4"), {"property_id": "312345681", **KEY}),
        (
            SearchConsole(search, f"{BASE}/google_search_console"),
            {"site_url": "sc-domain:northwind.example", **KEY},
        ),
        (Klaviyo(http, f"{BASE}/klaviyo"), {"api_key": klaviyo.KEY}),
        (Mailchimp(http, f"{BASE}/mailchimp"), {"api_key": mailchimp.KEY}),
    ]


async def test_one_clients_platforms_are_all_behind_one_address() -> None:
    vendors = store_vendors(date(2026, 3, 10), seed=3, name="Contoso")
    transport = httpx.ASGITransport(app=app_of(vendors))
    async with httpx.AsyncClient(transport=transport) as http:
        told = [await one.verify(credentials) for one, credentials in connectors(http)]
    assert [one.currency for one in told] == ["EUR", "EUR", None, "EUR", "EUR"]
    assert [one.display_name for one in told] == [
        "Contoso", None, "northwind.example", "Contoso", "Contoso",
    ]  # fmt: skip
