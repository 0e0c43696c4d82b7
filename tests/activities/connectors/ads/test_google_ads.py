"""Google's own ways: access tokens for an hour, streams that break off, errors within errors."""

from collections.abc import AsyncIterator
from datetime import date

import pytest

from activities.connectors.errors import (
    CredentialsRejected,
    PlatformBusy,
    QuotaExhausted,
    RequestRefused,
)
from activities.connectors.google_ads import GoogleAds, GoogleAdsApp
from activities.connectors.oauth import OAuthApp
from tests.activities.connectors.ads.cases import BASE, Case, every, google
from workers.fakes import google_ads

DAY = date(2026, 3, 9)


@pytest.fixture
async def case() -> AsyncIterator[Case]:
    made = google()
    async with made.http:
        yield made


async def test_an_access_token_is_used_until_it_ends(case: Case) -> None:
    await case.connector.verify(case.credentials)
    await every(case.connector.campaigns(case.access))
    assert case.fake.given_out == 1


async def test_an_access_token_near_its_end_is_not_used(case: Case) -> None:
    case.fake.token_lifetime = 200
    await every(case.connector.campaigns(case.access))
    await every(case.connector.campaigns(case.access))
    assert case.fake.given_out == 2


async def test_an_access_token_that_ended_early_is_replaced_once(case: Case) -> None:
    whole = await every(case.connector.campaigns(case.access))
    case.fake.issued.clear()
    assert await every(case.connector.campaigns(case.access)) == whole
    assert case.fake.given_out == 2


async def test_scopes_are_told(case: Case) -> None:
    account = await case.connector.verify(case.credentials)
    assert account.scopes == ("https://www.googleapis.com/auth/adwords",)


async def test_access_may_go_through_a_manager_account(case: Case) -> None:
    case.fake.manager_id = "5556667777"
    with pytest.raises(CredentialsRejected):
        await case.connector.verify(case.credentials)
    through = {**case.credentials, "login_customer_id": "555-666-7777"}
    assert (await case.connector.verify(through)).account_id == case.account.account_id


async def test_a_manager_account_is_none_to_read(case: Case) -> None:
    case.fake.is_manager = True
    with pytest.raises(RequestRefused, match="manager account"):
        await case.connector.verify(case.credentials)


async def test_a_stream_that_ends_in_an_error_is_a_busy_platform(case: Case) -> None:
    case.fake.breaks_off = True
    with pytest.raises(PlatformBusy):
        await every(case.connector.campaign_days(case.access, DAY, DAY))


async def test_a_quota_tells_how_long_to_stay_away(case: Case) -> None:
    await case.connector.verify(case.credentials)
    case.fake.faults.quota = 1
    with pytest.raises(QuotaExhausted) as caught:
        await every(case.connector.campaigns(case.access))
    assert caught.value.retry_after == 900


@pytest.mark.parametrize("wrong", ["secret", "developer_token"])
async def test_a_fault_of_the_deployment_does_not_blame_the_client(case: Case, wrong: str) -> None:
    bad = "AnotherPlantedSecret_77"
    secret = bad if wrong == "secret" else google_ads.CLIENT_SECRET
    developer = bad if wrong == "developer_token" else google_ads.DEVELOPER_TOKEN
    oauth = OAuthApp(client_id=google_ads.CLIENT_ID, client_secret=secret)
    app = GoogleAdsApp(oauth=oauth, developer_token=developer)
    connector = GoogleAds(case.http, app, BASE, f"{BASE}/token")
    with pytest.raises(RequestRefused) as caught:
        await connector.verify(case.credentials)
    assert bad not in str(caught.value)


async def test_there_is_nothing_to_renew(case: Case) -> None:
    assert await case.connector.renew(case.credentials) is None
