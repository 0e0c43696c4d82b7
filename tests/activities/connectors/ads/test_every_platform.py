"""What holds for every ad platform alike."""

import io
import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import httpx
import pytest

from activities.connectors.errors import (
    CredentialsRejected,
    PlatformBusy,
    PlatformError,
    QuotaExhausted,
)
from activities.connectors.ports import Account
from models.rules.clients.metrics import METRICS, MetricKind, MetricUnit
from models.rules.platforms.registry import PLATFORMS
from tests.activities.connectors.ads.cases import SECRETS, Case, Read, every

LAST = date(2026, 3, 9)
FIRST = LAST - timedelta(days=6)


async def _verify(case: Case) -> Account:
    return await case.connector.verify(case.credentials)


async def _metrics(case: Case) -> list[object]:
    return list(await every(case.connector.daily_metrics(case.access, FIRST, LAST)))


async def _campaigns(case: Case) -> list[object]:
    return list(await every(case.connector.campaigns(case.access)))


async def _creatives(case: Case) -> list[object]:
    return list(await every(case.connector.creatives(case.access)))


async def _campaign_days(case: Case) -> list[object]:
    return list(await every(case.connector.campaign_days(case.access, FIRST, LAST)))


async def _creative_days(case: Case) -> list[object]:
    return list(await every(case.connector.creative_days(case.access, FIRST, LAST)))


async def _reach(case: Case) -> list[object]:
    return list(await every(case.connector.reach(case.access, FIRST, LAST)))


READS: dict[str, Read] = {
    "verify": _verify,
    "metrics": _metrics,
    "campaigns": _campaigns,
    "creatives": _creatives,
    "campaign_days": _campaign_days,
    "creative_days": _creative_days,
    "reach": _reach,
}


def offers(case: Case, read: str) -> bool:
    return read != "reach" or case.connector.platform != "google_ads"


@contextmanager
def logs() -> Iterator[io.StringIO]:
    """Everything that anybody logs, down to the last detail."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield written
    finally:
        root.removeHandler(handler)
        root.setLevel(before)


def assert_no_secret(text: str) -> None:
    assert [secret for secret in SECRETS if secret in text] == []


async def total(case: Case, key: str) -> Decimal:
    metrics = await every(case.connector.daily_metrics(case.access, FIRST, LAST))
    return sum((one.value for one in metrics if one.metric_key == key), Decimal(0))


# What is read


async def test_verifying_tells_whose_credentials_they_are(case: Case) -> None:
    account = await case.connector.verify(case.credentials)
    assert (account.account_id, account.display_name, account.currency, account.time_zone) == (
        case.account.account_id, "Northwind Outfitters", case.account.currency,
        case.account.time_zone,
    )  # fmt: skip


async def test_only_stored_keys_of_the_registry_come_out_and_money_has_a_currency(
    case: Case,
) -> None:
    metrics = await every(case.connector.daily_metrics(case.access, FIRST, LAST))
    for one in metrics:
        known = METRICS[one.metric_key]
        assert known.kind is MetricKind.SUM
        wanted = case.account.currency if known.unit is MetricUnit.MONEY else None
        assert one.currency == wanted


async def test_the_days_are_those_that_the_platform_counts(case: Case) -> None:
    metrics = await every(case.connector.daily_metrics(case.access, FIRST, LAST))
    got = {(one.day, one.metric_key): one.value for one in metrics}
    for past in range(7):
        day = FIRST + timedelta(days=past)
        true = case.account.account_day(day)
        assert got[day, "spend"] == true.spend
        assert got[day, "impressions"] == true.impressions
        assert got[day, "clicks"] == true.clicks
        assert got[day, "conversions"] == true.conversions
        assert got[day, "conversion_value"] == true.value


async def test_a_day_without_activity_is_a_row_of_zeros(case: Case) -> None:
    case.account.quiet = {date(2026, 3, 5)}
    metrics = await every(case.connector.daily_metrics(case.access, FIRST, LAST))
    quiet = {one.metric_key: one.value for one in metrics if one.day == date(2026, 3, 5)}
    busy = {one.metric_key for one in metrics if one.day == date(2026, 3, 6)}
    assert set(quiet) == busy
    assert set(quiet.values()) == {Decimal(0)}
    assert {one.day for one in metrics} == {FIRST + timedelta(days=past) for past in range(7)}


async def test_campaigns_add_up_to_the_account(case: Case) -> None:
    days = await every(case.connector.campaign_days(case.access, FIRST, LAST))
    assert sum(one.spend for one in days) == await total(case, "spend") > 0
    assert sum(one.impressions for one in days) == await total(case, "impressions")
    assert sum(one.clicks for one in days) == await total(case, "clicks")
    assert sum(one.conversions for one in days) == await total(case, "conversions") > 0
    assert sum(one.conversion_value for one in days) == await total(case, "conversion_value") > 0


async def test_ads_add_up_to_their_campaigns(case: Case) -> None:
    owners = {one.creative_id: one.campaign_id async for one in
              case.connector.creatives(case.access)}  # fmt: skip
    of_ads: dict[str, Decimal] = {}
    for ad in await every(case.connector.creative_days(case.access, FIRST, LAST)):
        campaign_id = owners[ad.creative_id]
        of_ads[campaign_id] = of_ads.get(campaign_id, Decimal(0)) + ad.spend
    of_campaigns: dict[str, Decimal] = {}
    for day in await every(case.connector.campaign_days(case.access, FIRST, LAST)):
        before = of_campaigns.get(day.campaign_id, Decimal(0))
        of_campaigns[day.campaign_id] = before + day.spend
    assert of_ads == of_campaigns


async def test_days_without_activity_are_left_out_of_campaigns(case: Case) -> None:
    case.account.quiet = {date(2026, 3, 5)}
    days = await every(case.connector.campaign_days(case.access, FIRST, LAST))
    assert date(2026, 3, 5) not in {one.day for one in days}


async def test_campaigns_say_what_they_are(case: Case) -> None:
    found = {one.campaign_id: one async for one in case.connector.campaigns(case.access)}
    for true in case.account.campaigns:
        got = found.pop(true.id)
        assert (got.name, got.status) == (true.name, true.status)
        assert (got.daily_budget, got.lifetime_budget) == (true.daily_budget, true.lifetime_budget)
        assert got.objective == (got.objective or "").lower() != ""
    assert found == {}


async def test_reach_counts_nobody_twice(case: Case) -> None:
    whole = await every(case.connector.reach(case.access, FIRST, LAST))
    days = await every(case.connector.campaign_days(case.access, FIRST, LAST))
    if not offers(case, "reach"):
        assert whole == []
        assert {one.reach for one in days} == {None}
        return
    summed: dict[str, int] = {}
    for day in days:
        summed[day.campaign_id] = summed.get(day.campaign_id, 0) + (day.reach or 0)
    active = [one for one in whole if one.reach]
    assert {one.campaign_id for one in active} == set(summed)
    for one in active:
        assert max(day.reach or 0 for day in days if day.campaign_id == one.campaign_id) <= (
            one.reach
        ) < summed[one.campaign_id]  # fmt: skip


async def test_conversions_that_are_told_later_change_the_day(case: Case) -> None:
    before = await total(case, "conversions"), await total(case, "spend")
    case.account.today += timedelta(days=10)
    after = await total(case, "conversions"), await total(case, "spend")
    assert after[0] > before[0]
    assert after[1] == before[1]


async def test_a_restated_day_comes_out_as_it_is_now(case: Case) -> None:
    before = await every(case.connector.daily_metrics(case.access, FIRST, FIRST))
    case.account.restated = {FIRST: Decimal(3)}
    after = await every(case.connector.daily_metrics(case.access, FIRST, FIRST))
    assert before != after
    assert await total(case, "conversions") == sum(
        case.account.account_day(FIRST + timedelta(days=past)).conversions for past in range(7)
    )


async def test_a_long_range_comes_whole(case: Case) -> None:
    first = LAST - timedelta(days=119)
    metrics = await every(case.connector.daily_metrics(case.access, first, LAST))
    spend = [one for one in metrics if one.metric_key == "spend"]
    assert [one.day for one in spend] == [first + timedelta(days=past) for past in range(120)]
    for one in spend:
        assert one.value == case.account.account_day(one.day).spend


# Pages


@pytest.mark.parametrize("read", READS)
async def test_small_pages_and_rows_that_come_twice_change_nothing(case: Case, read: str) -> None:
    whole = await READS[read](case)
    case.fake.page_limit = 3
    case.fake.faults.doubled_pages = True
    assert await READS[read](case) == whole


# What goes wrong


@pytest.mark.parametrize("read", READS)
async def test_credentials_that_are_revoked_are_rejected(case: Case, read: str) -> None:
    if not offers(case, read):
        return
    case.fake.faults.revoked = True
    with pytest.raises(CredentialsRejected) as caught:
        await READS[read](case)
    assert_no_secret(_everything(caught.value))


@pytest.mark.parametrize("read", READS)
async def test_a_quota_that_is_used_up_is_told_as_that(case: Case, read: str) -> None:
    if not offers(case, read):
        return
    case.fake.faults.quota = 1
    with pytest.raises(QuotaExhausted):
        await READS[read](case)
    assert await READS[read](case)


@pytest.mark.parametrize("fault", ["errors", "html", "odd", "cut"])
@pytest.mark.parametrize("read", READS)
async def test_a_platform_in_trouble_is_busy(case: Case, read: str, fault: str) -> None:
    if not offers(case, read):
        return
    setattr(case.fake.faults, fault, 1)
    with pytest.raises(PlatformBusy):
        await READS[read](case)
    assert await READS[read](case)


@pytest.mark.parametrize("fault", ["errors", "html", "odd", "cut", "quota", "revoked"])
@pytest.mark.parametrize("read", READS)
async def test_no_secret_is_in_an_error_a_log_or_an_address(
    case: Case, read: str, fault: str
) -> None:
    with logs() as written:
        setattr(case.fake.faults, fault, 2)
        try:
            await READS[read](case)
        except PlatformError as error:
            assert_no_secret(_everything(error))
        case.fake.faults.revoked = False
        case.fake.faults.cut = case.fake.faults.errors = 0
        case.fake.page_limit = 2
        with_luck = READS[read](case)
        try:
            await with_luck
        except PlatformError as error:
            assert_no_secret(_everything(error))
    assert_no_secret(written.getvalue())
    assert_no_secret(" ".join(f"{call.path}?{call.raw_query}" for call in case.fake.calls))


async def test_somebody_elses_account_is_rejected(case: Case) -> None:
    key = PLATFORMS[case.connector.platform].account_id_from or ""
    with pytest.raises(CredentialsRejected):
        await case.connector.verify({**case.credentials, key: "9999999999"})


async def test_a_platform_that_cannot_be_reached_is_busy(case: Case) -> None:
    async def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectTimeout(f"no way to {request.url} with {request.headers}")

    case.http._transport = httpx.MockTransport(refuse)
    with pytest.raises(PlatformBusy) as caught:
        await case.connector.verify(case.credentials)
    assert_no_secret(_everything(caught.value))


async def test_what_is_shown_of_an_access_has_no_secret(case: Case) -> None:
    assert_no_secret(repr(case.access))
    renewed = await case.connector.renew(case.credentials)
    assert_no_secret(repr(renewed))
    assert_no_secret(repr(vars(case.connector)))


async def test_an_accounts_day_is_that_of_its_time_zone(case: Case) -> None:
    new_year = datetime(2026, 1, 1, 2, tzinfo=UTC)
    behind = case.account.time_zone == "America/New_York"
    assert case.access.today(new_year) == date(2025, 12, 31) if behind else date(2026, 1, 1)


def _everything(error: BaseException) -> str:
    """All that a log or Temporal would keep of it."""
    kept = "".join(traceback.format_exception(error))
    return f"{error!r} {error} {kept} {error.__cause__!r}"
