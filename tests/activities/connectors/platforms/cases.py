"""Each platform without ads with its fake, so that one test can say what holds for all."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

import httpx

from activities.connectors.ga4 import GoogleAnalytics
from activities.connectors.google_api import GoogleKeys
from activities.connectors.google_search_console import SearchConsole
from activities.connectors.klaviyo import Klaviyo
from activities.connectors.mailchimp import Mailchimp
from activities.connectors.oauth import OAuthApp
from activities.connectors.ports import Access, Connector, DayMetric
from activities.connectors.shopify import Shopify
from workers.fakes import google, klaviyo, mailchimp, shopify
from workers.fakes.google import FakeGoogle
from workers.fakes.klaviyo import FakeKlaviyo
from workers.fakes.mailchimp import FakeMailchimp
from workers.fakes.shopify import FakeShopify

T = TypeVar("T")
Expected = Mapping[str, tuple[Decimal | int, str | None]]

SECRETS = (
    shopify.TOKEN,
    google.REFRESH_TOKEN,
    google.CLIENT_SECRET,
    "ya29.a0Planted",
    "PRIVATE KEY",
    klaviyo.KEY,
    mailchimp.KEY,
)
TODAY = date(2026, 3, 31)


@dataclass
class Clock:
    """Time that passes when somebody waits."""

    seconds: float = 0.0
    waits: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.seconds += seconds


@dataclass
class Case:
    """A connector, its fake, good credentials, and what each day should come out as."""

    fake: Any
    connector: Connector
    credentials: dict[str, str]
    http: httpx.AsyncClient
    expected: Callable[[date], Expected]
    zone: str
    currency: str | None
    account_id: str
    clock: Clock = field(default_factory=Clock)

    @property
    def access(self) -> Access:
        return Access(
            account_id=self.account_id,
            currency=self.currency,
            time_zone=self.zone,
            credentials=self.credentials,
        )

    def read(self, first: date, last: date) -> Awaitable[list[DayMetric]]:
        return every(self.connector.daily_metrics(self.access, first, last))


def http_to(fake: Any) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=fake.app))


def now() -> datetime:
    return datetime(TODAY.year, TODAY.month, TODAY.day, 20, tzinfo=UTC)


def of_shopify(**options: Any) -> Case:
    clock = Clock()
    fake = FakeShopify(clock=clock, bucket=100_000)
    account, http = fake.account, http_to(fake)

    def expected(day: date) -> Expected:
        return {
            "store_revenue": (account.revenue(day), account.currency_on(day)),
            "orders": (account.order_count(day), None),
            "new_customers": (account.new_customers(day), None),
            "returning_orders": (account.returning_orders(day), None),
        }

    return Case(
        fake, Shopify(http, now=now, sleep=clock.sleep, **options),
        {"shop_domain": account.domain, "access_token": fake.token},
        http, expected, account.time_zone, account.currency, account.domain, clock,
    )  # fmt: skip


def of_ga4(*, refresh: bool = False, **options: Any) -> Case:
    fake = FakeGoogle()
    account, http = fake.account, http_to(fake)

    def expected(day: date) -> Expected:
        visits = account.visits(day)
        return {
            "sessions": (visits.sessions if visits else 0, None),
            "engaged_sessions": (visits.engaged_sessions if visits else 0, None),
            "active_users": (visits.active_users if visits else 0, None),
            "key_events": (visits.key_events if visits else 0, None),
            "web_revenue": (visits.revenue if visits else 0, account.currency),
        }

    return Case(
        fake, GoogleAnalytics(google_keys(http), **options),
        {"property_id": account.property_id, **google_credentials(refresh)},
        http, expected, account.time_zone, account.currency, account.property_id,
    )  # fmt: skip


def of_search(*, refresh: bool = False, **options: Any) -> Case:
    fake = FakeGoogle()
    account, http = fake.account, http_to(fake)

    def expected(day: date) -> Expected:
        seen = account.searches(day)
        if seen is None:
            return {"search_clicks": (0, None), "search_impressions": (0, None)}
        return {
            "search_clicks": (seen.clicks, None),
            "search_impressions": (seen.impressions, None),
            "search_position": (seen.position, None),
        }

    return Case(
        fake, SearchConsole(google_keys(http), **options),
        {"site_url": account.site_url, **google_credentials(refresh)},
        http, expected, "America/Los_Angeles", None, account.site_url,
    )  # fmt: skip


def of_klaviyo(**options: Any) -> Case:
    clock = Clock()
    fake = FakeKlaviyo(clock=clock)
    account, http = fake.account, http_to(fake)

    def expected(day: date) -> Expected:
        told = fake.mailing(day)
        return {
            "emails_delivered": (told.delivered if told else 0, None),
            "emails_opened": (told.opened if told else 0, None),
            "emails_clicked": (told.clicked if told else 0, None),
            "unsubscribes": (told.left if told else 0, None),
            "email_revenue": (account.revenue("everybody", day), account.currency_on(TODAY)),
        }

    return Case(
        fake, Klaviyo(http, now=now, sleep=clock.sleep, **options), {"api_key": fake.key},
        http, expected, account.time_zone, account.currency, account.account_id, clock,
    )  # fmt: skip


def of_mailchimp(*, audience: str | None = None, **options: Any) -> Case:
    fake = FakeMailchimp()
    account, http = fake.account, http_to(fake)
    meant = [one for one, _ in account.audiences if audience in (None, one)]

    def expected(day: date) -> Expected:
        told = [one for one in (account.mailing(id, day) for id in meant) if one]
        revenue = sum((account.revenue(id, day) for id in meant), Decimal(0))
        return {
            "emails_delivered": (sum(one.delivered for one in told), None),
            "emails_opened": (sum(one.opened for one in told), None),
            "emails_clicked": (sum(one.clicked for one in told), None),
            "unsubscribes": (sum(one.left for one in told), None),
            "email_revenue": (revenue, account.currency_on(day)),
        }

    named = {"audience_id": audience} if audience else {}
    return Case(
        fake, Mailchimp(http, now=now, **options), {"api_key": fake.key, **named},
        http, expected, account.time_zone, account.currency, account.account_id,
    )  # fmt: skip


def google_keys(http: httpx.AsyncClient) -> GoogleKeys:
    app = OAuthApp(client_id=google.CLIENT_ID, client_secret=google.CLIENT_SECRET)
    return GoogleKeys(http=http, app=app, now=now)


def google_credentials(refresh: bool) -> dict[str, str]:
    if refresh:
        return {"refresh_token": google.REFRESH_TOKEN}
    return {"service_account_json": google.service_account()}


CASES: dict[str, Callable[..., Case]] = {
    "shopify": of_shopify,
    "ga4": of_ga4,
    "google_search_console": of_search,
    "klaviyo": of_klaviyo,
    "mailchimp": of_mailchimp,
}
SMALL_PAGES: dict[str, Callable[[], Case]] = {
    "shopify": lambda: of_shopify(page=7),
    "ga4": lambda: of_ga4(page=3),
    "google_search_console": lambda: of_search(page=3),
    "klaviyo": of_klaviyo,
    "mailchimp": lambda: of_mailchimp(page=3),
}


async def every(rows: AsyncIterator[T]) -> list[T]:
    return [row async for row in rows]


def days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=past) for past in range((last - first).days + 1)]


def by_day(rows: list[DayMetric]) -> dict[date, dict[str, tuple[Decimal | int, str | None]]]:
    """The rows by day and key; a key that comes twice a day is a fault."""
    found: dict[date, dict[str, tuple[Decimal | int, str | None]]] = {}
    for row in rows:
        of_day = found.setdefault(row.day, {})
        assert row.metric_key not in of_day
        of_day[row.metric_key] = (row.value, row.currency)
    return found
