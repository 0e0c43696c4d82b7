"""What is Google's own: tokens, quotas, rights, final days."""

import json
from datetime import date, timedelta

import pytest

from activities.connectors.errors import (
    CredentialsRejected,
    PlatformBusy,
    QuotaExhausted,
    RequestRefused,
)
from activities.connectors.ga4 import GoogleAnalytics
from activities.connectors.google_api import GoogleKeys
from activities.connectors.oauth import OAuthApp
from tests.activities.connectors.platforms.cases import (
    TODAY,
    by_day,
    days,
    now,
    of_ga4,
    of_search,
)
from workers.fakes import google

FIRST, LAST = date(2026, 3, 1), date(2026, 3, 20)


@pytest.fixture(params=[of_ga4, of_search], ids=["analytics", "search"])
def make(request):
    return request.param


async def test_a_refresh_token_opens_what_a_service_account_does(make):
    case = make(refresh=True)
    assert (await case.connector.verify(case.credentials)).account_id == case.account_id
    read = by_day(await case.read(FIRST, LAST))
    assert read == {day: dict(case.expected(day)) for day in days(FIRST, LAST)}


async def test_an_access_token_serves_for_its_hour(make):
    case = make()
    for _ in range(3):
        await case.read(FIRST, LAST)
    assert case.fake.granted == 1


async def test_an_access_token_that_died_early_is_replaced(make):
    case = make()
    await case.read(FIRST, LAST)
    case.fake.dead_tokens = set(case.fake._scopes)
    assert await case.read(FIRST, LAST)
    assert case.fake.granted == 2


async def test_two_clients_do_not_share_a_token(make):
    case = make()
    await case.read(FIRST, LAST)
    mine = case.credentials
    case.credentials = {
        **{key: value for key, value in mine.items() if key != "service_account_json"},
        "refresh_token": "1//0gSomebodyElses",
    }
    with pytest.raises(CredentialsRejected):
        await case.read(FIRST, LAST)


async def test_tokens_are_asked_of_google_wherever_the_key_points_to(make):
    case = make()
    await case.read(FIRST, LAST)
    assert "169.254" in case.credentials["service_account_json"]
    hosts = {call.headers["host"] for call in case.fake.calls}
    assert all(host.endswith(".googleapis.com") for host in hosts)


@pytest.mark.parametrize(
    "document",
    ["{}", "[]", '{"client_email": "a@b", "private_key": "nonsense"}', '{"client_email": 1}'],
)
async def test_what_is_no_key_of_a_service_account_is_rejected(make, document):
    case = make()
    case.credentials["service_account_json"] = document
    with pytest.raises(CredentialsRejected) as caught:
        await case.read(FIRST, LAST)
    assert "nonsense" not in str(caught.value)


async def test_a_key_that_was_deleted_is_rejected(make):
    case = make()
    document = json.loads(case.credentials["service_account_json"])
    document["client_email"] = "somebody@else.iam.gserviceaccount.com"
    case.credentials["service_account_json"] = json.dumps(document)
    with pytest.raises(CredentialsRejected) as caught:
        await case.read(FIRST, LAST)
    assert "eyJ" not in str(caught.value)


async def test_the_deployments_own_application_is_not_the_clients_fault():
    case = of_ga4(refresh=True)
    wrong = OAuthApp(client_id=google.CLIENT_ID, client_secret="GOCSPX-out-of-date")
    for app in (wrong, None):
        keys = GoogleKeys(http=case.http, app=app, now=now)
        with pytest.raises(RequestRefused):
            await GoogleAnalytics(keys).verify(case.credentials)


async def test_an_account_without_rights_is_rejected(make):
    case = make()
    case.fake.may_read = False
    with pytest.raises(CredentialsRejected, match="permission"):
        await case.read(FIRST, LAST)


@pytest.mark.parametrize(
    ("period", "seconds"), [("per hour", 3600), ("per day", 11 * 3600), ("concurrently", 60)]
)
async def test_a_quota_of_analytics_rests_as_long_as_it_is_counted_over(period, seconds):
    case = of_ga4()
    await case.read(FIRST, LAST)
    case.fake.quota_period, case.fake.faults.quota = period, 1
    with pytest.raises(QuotaExhausted) as caught:
        await case.read(FIRST, LAST)
    # It is eight in the evening by UTC, one in the afternoon in California.
    assert caught.value.retry_after == seconds


async def test_a_quota_of_search_console_rests_ten_minutes():
    case = of_search()
    await case.read(FIRST, LAST)
    case.fake.faults.quota = 1
    with pytest.raises(QuotaExhausted) as caught:
        await case.read(FIRST, LAST)
    assert caught.value.retry_after == 600


async def test_a_property_is_not_run_dry():
    case = of_ga4(page=3)
    case.fake.tokens_left = 35
    with pytest.raises(QuotaExhausted) as caught:
        await case.read(FIRST, LAST)
    assert caught.value.retry_after == 3600
    assert case.fake.tokens_left >= 0


async def test_days_that_are_missing_from_a_report_are_no_zeros():
    case = of_ga4()
    case.fake.faults.missing_rows = True
    with pytest.raises(PlatformBusy):
        await case.read(FIRST, LAST)


async def test_a_restated_day_is_read_as_it_is_now():
    case = of_ga4()
    before = by_day(await case.read(LAST, LAST))[LAST]["web_revenue"]
    case.fake.account.restated[LAST] = 3
    after = by_day(await case.read(LAST, LAST))[LAST]["web_revenue"]
    assert after == (before[0] * 3, "EUR")


async def test_a_property_that_changed_its_currency_tells_all_days_in_the_new_one():
    case = of_ga4()
    case.fake.account.currency = "CHF"
    rows = await case.read(FIRST, LAST)
    assert {row.currency for row in rows} == {None, "CHF"}


async def test_a_site_that_was_never_verified_is_rejected():
    case = of_search()
    case.fake.permission = "siteUnverifiedUser"
    with pytest.raises(CredentialsRejected, match="verified"):
        await case.connector.verify(case.credentials)


async def test_somebody_elses_site_is_rejected():
    case = of_search()
    case.credentials["site_url"] = "https://other.example/shop/"
    with pytest.raises(CredentialsRejected):
        await case.connector.verify(case.credentials)


async def test_days_that_are_not_final_are_unknown_and_not_zero():
    case = of_search()
    read = by_day(await case.read(TODAY - timedelta(days=6), TODAY))
    assert max(read) == TODAY - timedelta(days=2)


async def test_a_site_that_nobody_searched_for_has_zeros_up_to_the_settled_days():
    case = of_search()
    first = TODAY - timedelta(days=6)
    case.fake.account.quiet = set(days(first, TODAY))
    read = by_day(await case.read(first, TODAY))
    assert list(read) == days(first, TODAY - timedelta(days=4))
    assert {value for row in read.values() for value, _ in row.values()} == {0}
