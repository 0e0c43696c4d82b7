"""What is Klaviyo's and Mailchimp's own: subscribers, paces, audiences, shops."""

from datetime import date, timedelta

import pytest

from activities.connectors.errors import (
    CredentialsRejected,
    PlatformBusy,
    QuotaExhausted,
    RequestRefused,
)
from tests.activities.connectors.platforms.cases import (
    TODAY,
    by_day,
    days,
    of_klaviyo,
    of_mailchimp,
)

FIRST, LAST = date(2026, 3, 1), date(2026, 3, 20)


@pytest.mark.parametrize("make", [of_klaviyo, of_mailchimp], ids=["klaviyo", "mailchimp"])
async def test_subscribers_are_known_for_today_alone(make):
    case = make()
    read = by_day(await case.read(TODAY - timedelta(days=3), TODAY))
    assert [day for day, row in read.items() if "subscribers" in row] == [TODAY]


@pytest.mark.parametrize("make", [of_klaviyo, of_mailchimp], ids=["klaviyo", "mailchimp"])
async def test_a_restated_day_is_read_as_it_is_now(make):
    case = make()
    before = by_day(await case.read(LAST, LAST))[LAST]["email_revenue"]
    case.fake.account.restated[LAST] = 3
    after = by_day(await case.read(LAST, LAST))[LAST]["email_revenue"]
    assert after == (before[0] * 3, "USD")


@pytest.mark.parametrize("make", [of_klaviyo, of_mailchimp], ids=["klaviyo", "mailchimp"])
async def test_a_change_of_currency_is_seen(make):
    case = make()
    case.fake.account.changed = (date(2026, 3, 10), "CAD")
    read = by_day(await case.read(FIRST, LAST))
    assert read == {day: dict(case.expected(day)) for day in days(FIRST, LAST)}


# Klaviyo


async def test_the_subscribers_of_klaviyo_are_those_of_the_largest_list():
    case = of_klaviyo()
    read = by_day(await case.read(TODAY, TODAY))
    assert read[TODAY]["subscribers"] == (14_377, None)


async def test_many_lists_are_read_as_fast_as_klaviyo_allows():
    case = of_klaviyo()
    case.fake.lists = tuple((f"Li{number:04d}", number) for number in range(1, 41))
    read = by_day(await case.read(TODAY, TODAY))
    assert read[TODAY]["subscribers"] == (40, None)
    assert len(case.clock.waits) == 2  # and none after the last


async def test_klaviyos_old_names_of_zones_are_understood():
    case = of_klaviyo()
    case.fake.named_zone = "US/Eastern"
    account = await case.connector.verify(case.credentials)
    assert account.time_zone == "America/New_York"


async def test_klaviyos_pages_are_not_followed_elsewhere():
    case = of_klaviyo()
    case.fake.page_limit = 2
    await case.read(FIRST, LAST)
    assert {call.headers["host"] for call in case.fake.calls} == {"a.klaviyo.com"}


async def test_pages_that_go_round_are_a_busy_platform():
    case = of_klaviyo()
    case.fake.page_limit = 2
    case.fake.faults.missing_rows = True
    with pytest.raises(PlatformBusy):
        await case.read(FIRST, LAST)


async def test_klaviyo_says_when_to_come_back():
    case = of_klaviyo()
    case.fake.faults.quota = 1
    with pytest.raises(QuotaExhausted) as caught:
        await case.read(FIRST, LAST)
    assert caught.value.retry_after == 7


async def test_more_than_a_year_is_asked_for_in_parts():
    case = of_klaviyo()
    first = LAST - timedelta(days=500)
    read = by_day(await case.read(first, LAST))
    assert read == {day: dict(case.expected(day)) for day in days(first, LAST)}


# Mailchimp


async def test_all_audiences_count_where_none_is_named():
    case = of_mailchimp()
    read = by_day(await case.read(TODAY, TODAY))
    assert read[TODAY]["subscribers"] == (12_480 + 3_204, None)


async def test_an_audience_that_is_named_counts_alone():
    case = of_mailchimp(audience="f6a7b8c9d0")
    read = by_day(await case.read(TODAY - timedelta(days=5), TODAY))
    assert read[TODAY].pop("subscribers") == (3_204, None)
    assert read == {day: dict(case.expected(day)) for day in days(TODAY - timedelta(days=5), TODAY)}


async def test_the_key_says_where_the_account_is():
    case = of_mailchimp()
    await case.read(FIRST, LAST)
    assert {call.headers["host"] for call in case.fake.calls} == {"us21.api.mailchimp.com"}


async def test_an_audience_that_is_not_there_is_refused():
    case = of_mailchimp(audience="0000000000")
    with pytest.raises(RequestRefused, match="could not be found"):
        await case.connector.verify(case.credentials)


async def test_without_a_shop_there_is_no_revenue():
    case = of_mailchimp()
    case.fake.has_shop, case.currency = False, None
    assert (await case.connector.verify(case.credentials)).currency is None
    read = by_day(await case.read(FIRST, LAST))
    assert read.keys() == set(days(FIRST, LAST))
    assert all("email_revenue" not in row for row in read.values())


async def test_days_before_mailchimps_memory_are_unknown_and_not_zero():
    case = of_mailchimp()
    read = by_day(await case.read(TODAY - timedelta(days=200), TODAY - timedelta(days=170)))
    assert min(read) == TODAY - timedelta(days=179)
    assert read == {day: dict(case.expected(day)) for day in read}


async def test_a_list_that_is_shorter_than_it_says_was_cut():
    case = of_mailchimp()
    case.fake.faults.missing_rows = True
    with pytest.raises(PlatformBusy):
        await case.read(FIRST, LAST)


@pytest.mark.parametrize(
    "key",
    ["0123456789abcdef0123456789abcdef", "0123456789abcdef0123456789abcdef-us21.evil.example/"],
)
async def test_the_key_goes_to_no_other_host(key):
    case = of_mailchimp()
    with pytest.raises(CredentialsRejected) as caught:
        await case.connector.verify({"api_key": key})
    assert case.fake.calls == []
    assert key not in str(caught.value)
