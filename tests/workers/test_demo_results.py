"""The demo's client with its platforms, against an API that loads the past at a look."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

import httpx
import pytest

from models.settings import Settings
from workers.api_client import ApiRefused
from workers.demo_results import DAYS, PLATFORMS, ResultsDemo, in_words
from workers.fakes.ad_accounts import AdAccount
from workers.fakes.platforms import FakePlatforms
from workers.fakes.serving import DemoPlatforms, demo_platforms, demo_settings
from workers.results_client import Connection, Metric, Results, ResultsApi

TODAY = datetime.now(UTC).date()


class FakeResults(ResultsApi):
    """Connects what is not `refused`, and has the past as soon as it was asked for."""

    def __init__(self, *, refused: str = "", backfilling: bool = False) -> None:
        self.refused = refused
        self.is_backfilling = backfilling
        self.connected: list[str] = []
        self.backfills: list[int] = []
        self.questions: list[str] = []

    async def connections(self, company_id: str) -> list[Connection]:
        return [self._connection(platform) for platform in self.connected]

    async def connect(
        self, company_id: str, platform: str, credentials: Mapping[str, str]
    ) -> Connection:
        assert credentials
        if platform == self.refused:
            raise ApiRefused(400, "The connection does not work.")
        self.connected.append(platform)
        return self._connection(platform)

    async def backfill(self, company_id: str, days: int) -> None:
        self.backfills.append(days)
        if self.is_backfilling:
            raise ApiRefused(409, "A backfill is under way.")

    async def results(self, company_id: str) -> Results:
        spend = Metric(metric_key="spend", value=1234.5, currency="EUR", delta_pct=-3.21)
        return Results(metrics=[spend])

    async def days_with_spend(self, company_id: str, platform: str) -> set[date]:
        return (
            {TODAY - timedelta(days=past) for past in range(DAYS + 3)} if self.backfills else set()
        )

    async def ask(self, company_id: str, question: str) -> str:
        self.questions.append(question)
        return "Spend fell."

    def _connection(self, platform: str) -> Connection:
        return Connection(
            platform=platform, status="active", display_name="Northwind", last_sync_error=None,
            last_synced_at="2026-03-10T04:00:00Z",
        )  # fmt: skip


async def shown(api: ResultsApi) -> str:
    said: list[str] = []
    await ResultsDemo(api, said.append, pause=timedelta(0)).run()
    return "\n".join(said)


async def test_it_connects_loads_tells_and_asks() -> None:
    api = FakeResults()
    text = await shown(api)
    assert api.connected == [*PLATFORMS]
    assert api.backfills == [90]
    for part in ("1,234.50 EUR", "-3.2 % against the month before", "Spend fell."):
        assert part in text


async def test_what_is_there_is_not_made_again() -> None:
    api = FakeResults()
    await shown(api)
    text = await shown(api)
    assert (api.connected, api.backfills) == ([*PLATFORMS], [90])
    assert "Spend fell." in text


async def test_a_backfill_that_was_left_to_run_is_waited_for() -> None:
    text = await shown(FakeResults(backfilling=True))
    assert "being loaded already" in text
    assert "Spend fell." in text


async def test_a_platform_that_is_the_user_s_own_is_passed_over() -> None:
    api = FakeResults(refused="google_ads")
    text = await shown(api)
    assert "google_ads is not connected: The connection does not work. (400)" in text
    assert api.connected == ["meta_ads", "shopify"]
    assert "Spend fell." in text


async def test_it_does_not_wait_for_ever() -> None:
    said: list[str] = []
    api = FakeResults()
    api.connected = ["meta_ads"]

    async def nothing(company_id: str, platform: str) -> set[date]:
        return set()

    api.days_with_spend = nothing  # type: ignore[method-assign]
    await ResultsDemo(api, said.append, pause=timedelta(0), patience=timedelta(0)).run()
    assert "  Not everything is loaded yet; it goes on by itself." in said


def test_without_a_month_before_there_is_nothing_to_compare_with() -> None:
    metric = Metric(metric_key="orders", value=360, currency="EUR", delta_pct=None)
    assert in_words(metric).split("  ")[-1] == "nothing to compare with"


def test_every_platform_is_asked_at_the_demo_s_address() -> None:
    given = demo_settings(Settings(_env_file=None), 8090)
    assert given["THROUGHLINE_META_BASE_URL"] == "http://127.0.0.1:8090/meta_ads"
    assert given["THROUGHLINE_GOOGLE_OAUTH_CLIENT_ID"]


def test_a_vendor_of_whom_the_user_set_anything_stays_real(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THROUGHLINE_GOOGLE_OAUTH_CLIENT_ID", "mine")
    given = demo_settings(Settings(_env_file=None), 8090)
    assert not [name for name in given if "GOOGLE" in name]
    assert "THROUGHLINE_SHOPIFY_BASE_URL" in given


def accounts(platforms: FakePlatforms) -> list[AdAccount]:
    every = (getattr(vendor, "account", None) for vendor in platforms.vendors.values())
    return [one for one in every if isinstance(one, AdAccount)]


def test_the_demo_s_past_is_the_same_tomorrow() -> None:
    days = [date(2026, 6, 20), date(2026, 6, 21)]
    first, second = (
        [one.account_day(date(2026, 5, 10)) for one in accounts(demo_platforms(today))]
        for today in days
    )
    assert first
    assert first == second


async def test_the_demo_s_platforms_follow_the_calendar_and_forget_what_they_were_asked() -> None:
    days = [date(2026, 6, 20)]
    app = DemoPlatforms(lambda: days[-1])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://v") as http:
        await http.get("/meta_ads/v25.0/me")
        days.append(date(2026, 6, 21))
        await http.get("/meta_ads/v25.0/me")
    assert {one.today for one in accounts(app.platforms)} == {days[-1]}
    assert not [call for vendor in app.platforms.vendors.values() for call in vendor.calls]
