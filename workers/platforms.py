"""The platforms of a process: every connector that its settings allow, on shared connections."""

from typing import Final

import httpx
from pydantic import SecretStr

from activities.connectors.ga4 import GoogleAnalytics
from activities.connectors.google_ads import GoogleAds, GoogleAdsApp
from activities.connectors.google_api import GoogleKeys
from activities.connectors.google_search_console import SearchConsole
from activities.connectors.klaviyo import Klaviyo
from activities.connectors.linkedin_ads import LinkedInAds
from activities.connectors.mailchimp import Mailchimp
from activities.connectors.meta_ads import MetaAds
from activities.connectors.oauth import OAuthApp
from activities.connectors.ports import Connector
from activities.connectors.shopify import Shopify
from activities.connectors.tiktok_ads import TikTokAds
from activities.connectors.wire import TIMEOUT
from activities.platforms.connectors import Connectors
from models.settings import Settings

_LIMITS: Final = httpx.Limits(max_connections=100, max_keepalive_connections=20)


def build_connectors(settings: Settings, http: httpx.AsyncClient | None = None) -> Connectors:
    """Make every connector, on connections that are closed with them."""
    http = http or httpx.AsyncClient(timeout=TIMEOUT, limits=_LIMITS, follow_redirects=False)
    google = GoogleKeys(
        http=http,
        app=_app(settings.google_oauth_client_id, settings.google_oauth_client_secret),
        token_url=settings.google_oauth_url,
    )
    made: list[Connector | None] = [
        MetaAds(http, settings.meta_base_url),
        _google_ads(settings, http, google.app),
        TikTokAds(http, settings.tiktok_base_url),
        _linkedin_ads(settings, http),
        Shopify(http, settings.shopify_base_url),
        GoogleAnalytics(google, settings.google_analytics_base_url),
        SearchConsole(google, settings.google_search_console_base_url),
        Klaviyo(http, settings.klaviyo_base_url),
        Mailchimp(http, settings.mailchimp_base_url),
    ]
    return Connectors({one.platform: one for one in made if one is not None}, http)


def _google_ads(
    settings: Settings, http: httpx.AsyncClient, oauth: OAuthApp | None
) -> GoogleAds | None:
    token = settings.google_ads_developer_token
    if oauth is None or token is None:
        return None
    app = GoogleAdsApp(oauth=oauth, developer_token=token.get_secret_value())
    return GoogleAds(http, app, settings.google_ads_base_url, settings.google_oauth_url)


def _linkedin_ads(settings: Settings, http: httpx.AsyncClient) -> LinkedInAds | None:
    app = _app(settings.linkedin_client_id, settings.linkedin_client_secret)
    if app is None:
        return None
    return LinkedInAds(http, app, settings.linkedin_base_url, settings.linkedin_oauth_url)


def _app(client_id: SecretStr | None, client_secret: SecretStr | None) -> OAuthApp | None:
    if client_id is None or client_secret is None:
        return None
    return OAuthApp(
        client_id=client_id.get_secret_value(), client_secret=client_secret.get_secret_value()
    )
