"""The platforms that a client can be connected to: what each is, can, and needs.

Source: clients/platforms.yaml, rules.registry. A credential that is a JSON document is sent as a
string. What is for the server alone (`app_settings`, `account_id_from`) is never shown.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class PlatformId(StrEnum):
    """Every platform, in the order of the registry."""

    META_ADS = "meta_ads"
    GOOGLE_ADS = "google_ads"
    TIKTOK_ADS = "tiktok_ads"
    LINKEDIN_ADS = "linkedin_ads"
    SHOPIFY = "shopify"
    GA4 = "ga4"
    GOOGLE_SEARCH_CONSOLE = "google_search_console"
    KLAVIYO = "klaviyo"
    MAILCHIMP = "mailchimp"


class PlatformCategory(StrEnum):
    """What a platform is for."""

    ADS = "ads"
    ECOMMERCE = "ecommerce"
    ANALYTICS = "analytics"
    SEO = "seo"
    EMAIL = "email"


class CredentialType(StrEnum):
    """How a credential is entered."""

    STRING = "string"
    URL = "url"
    JSON = "json"


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialField:
    """One credential; every one is encrypted, `secret` says which a form masks."""

    key: str
    label: str
    type: CredentialType = CredentialType.STRING
    required: bool = True
    secret: bool = True
    pattern: str | None = None
    help: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """One platform.

    `one_of` are groups of credentials of which at least one must be given. `app_settings` are what
    a deployment must have for it, `needs_app_settings` the credential that alone needs them (for
    the platforms that also take a service account). `account_id_from` names the credential that is
    the account's id; without it the platform tells when it is tested.
    """

    id: PlatformId
    display_name: str
    icon: str
    category: PlatformCategory
    credentials: tuple[CredentialField, ...]
    one_of: tuple[tuple[str, ...], ...] = ()
    app_settings: tuple[str, ...] = ()
    needs_app_settings: str | None = None
    account_id_from: str | None = None

    @property
    def is_ad_platform(self) -> bool:
        """Ad platforms have campaigns and creatives, and can be filled backwards."""
        return self.category is PlatformCategory.ADS

    def store_url(self, credentials: Mapping[str, str]) -> str | None:
        """The address of the shop, of platforms that are one."""
        if self.category is not PlatformCategory.ECOMMERCE:
            return None
        return f"https://{credentials['shop_domain']}"


def _id(key: str, label: str, pattern: str, help: str | None = None) -> CredentialField:
    return CredentialField(key=key, label=label, secret=False, pattern=pattern, help=help)


def _token(help: str, key: str = "access_token", label: str = "Access token") -> CredentialField:
    return CredentialField(key=key, label=label, help=help)


def _ads(
    id: PlatformId, name: str, icon: str, account: str, *credentials: CredentialField,
    app_settings: tuple[str, ...] = (),
) -> Platform:  # fmt: skip
    return Platform(
        id=id, display_name=name, icon=icon, category=PlatformCategory.ADS,
        credentials=credentials, app_settings=app_settings, account_id_from=account,
    )  # fmt: skip


_GOOGLE_OAUTH: Final = ("GOOGLE_OAUTH_CLIENT_ID", "GOOGLE_OAUTH_CLIENT_SECRET")
_TEN_DIGITS: Final = "^[0-9]{3}-?[0-9]{3}-?[0-9]{4}$"


def _google(
    id: PlatformId, name: str, icon: str, category: PlatformCategory, account: CredentialField,
    scope: str, account_help: str | None,
) -> Platform:  # fmt: skip
    return Platform(
        id=id,
        display_name=name,
        icon=icon,
        category=category,
        credentials=(
            account,
            CredentialField(
                key="service_account_json", label="Service account key", type=CredentialType.JSON,
                required=False, help=account_help,
            ),
            CredentialField(
                key="refresh_token", label="Refresh token", required=False,
                help=f"OAuth refresh token with {scope}",
            ),
        ),
        one_of=(("service_account_json", "refresh_token"),),
        app_settings=_GOOGLE_OAUTH,
        needs_app_settings="refresh_token",
        account_id_from=account.key,
    )  # fmt: skip


_ALL: Final = (
    _ads(
        PlatformId.META_ADS, "Meta Ads", "meta", "ad_account_id",
        _token("A system user or long-lived user token with ads_read"),
        _id("ad_account_id", "Ad account id", "^(act_)?[0-9]{5,20}$",
            "With or without the act_ prefix"),
    ),
    _ads(
        PlatformId.GOOGLE_ADS, "Google Ads", "google-ads", "customer_id",
        _token("OAuth refresh token with the adwords scope", "refresh_token", "Refresh token"),
        _id("customer_id", "Customer id", _TEN_DIGITS, "Ten digits"),
        CredentialField(
            key="login_customer_id", label="Manager account id", required=False, secret=False,
            pattern=_TEN_DIGITS, help="Needed when access goes through a manager account",
        ),
        app_settings=("GOOGLE_ADS_DEVELOPER_TOKEN", *_GOOGLE_OAUTH),
    ),
    _ads(
        PlatformId.TIKTOK_ADS, "TikTok Ads", "tiktok", "advertiser_id",
        _token("Long-lived marketing API token"),
        _id("advertiser_id", "Advertiser id", "^[0-9]{5,25}$"),
    ),
    _ads(
        PlatformId.LINKEDIN_ADS, "LinkedIn Ads", "linkedin", "ad_account_id",
        _token("Token with r_ads and r_ads_reporting"),
        CredentialField(
            key="refresh_token", label="Refresh token", required=False,
            help="Without it the connection expires with the access token",
        ),
        _id("ad_account_id", "Ad account id", "^[0-9]{5,20}$"),
        app_settings=("LINKEDIN_CLIENT_ID", "LINKEDIN_CLIENT_SECRET"),
    ),
    Platform(
        id=PlatformId.SHOPIFY, display_name="Shopify", icon="shopify",
        category=PlatformCategory.ECOMMERCE,
        credentials=(
            _id("shop_domain", "Shop domain", r"^[a-z0-9][a-z0-9-]*\.myshopify\.com$"),
            _token("With read_orders and read_customers", label="Admin API access token"),
        ),
        account_id_from="shop_domain",
    ),
    _google(
        PlatformId.GA4, "Google Analytics 4", "google-analytics", PlatformCategory.ANALYTICS,
        _id("property_id", "Property id", "^[0-9]{5,15}$"), "analytics.readonly",
        "A service account that has at least viewer access to the property",
    ),
    _google(
        PlatformId.GOOGLE_SEARCH_CONSOLE, "Google Search Console", "google-search-console",
        PlatformCategory.SEO,
        _id("site_url", "Property", "^(sc-domain:[a-z0-9.-]+|https?://.+)$",
            "A domain property (sc-domain) or an address prefix"),
        "webmasters.readonly", None,
    ),
    Platform(
        id=PlatformId.KLAVIYO, display_name="Klaviyo", icon="klaviyo",
        category=PlatformCategory.EMAIL,
        credentials=(
            CredentialField(
                key="api_key", label="Private API key", pattern="^pk_[A-Za-z0-9_]+$",
                help="Read access to accounts, campaigns, flows, lists and metrics",
            ),
        ),
    ),
    Platform(
        id=PlatformId.MAILCHIMP, display_name="Mailchimp", icon="mailchimp",
        category=PlatformCategory.EMAIL,
        credentials=(
            CredentialField(
                key="api_key", label="API key", pattern="^[0-9a-f]{32}-[a-z]{2}[0-9]+$",
                help="The part after the hyphen is the data centre",
            ),
            CredentialField(
                key="audience_id", label="Audience id", required=False, secret=False,
                pattern="^[0-9a-z]{6,20}$", help="Without it all audiences count",
            ),
        ),
    ),
)  # fmt: skip

PLATFORMS: Final[Mapping[PlatformId, Platform]] = MappingProxyType({one.id: one for one in _ALL})
"""Every platform by its id, in the order of the registry."""


def is_available(platform: Platform, settings: Iterable[str]) -> bool:
    """Tell whether a deployment with these application settings can connect the platform at all."""
    return platform.needs_app_settings is not None or set(platform.app_settings) <= set(settings)
