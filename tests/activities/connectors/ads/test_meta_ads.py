"""Meta's own ways: reports that run, quotas in headers, the same conversion under many names."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from activities.connectors.errors import PlatformBusy, QuotaExhausted
from activities.connectors.meta_ads import MetaAds, _conversions
from models.rules.results.campaigns import CampaignStatus
from tests.activities.connectors.ads.cases import BASE, Case, every, meta

LAST = date(2026, 3, 9)
FIRST = LAST - timedelta(days=13)


@pytest.fixture
async def case() -> AsyncIterator[Case]:
    made = meta()
    async with made.http:
        yield made


async def test_scopes_and_end_of_the_token_are_told(case: Case) -> None:
    account = await case.connector.verify(case.credentials)
    assert account.scopes == ("ads_read", "business_management")
    assert account.token_expires_at == datetime(2026, 5, 7, tzinfo=UTC)


async def test_a_token_that_may_not_look_at_itself_is_good_all_the_same(case: Case) -> None:
    case.fake.tells_of_token = False
    account = await case.connector.verify(case.credentials)
    assert (account.scopes, account.token_expires_at) == ((), None)


async def test_what_was_archived_or_deleted_has_cost_money_all_the_same(case: Case) -> None:
    first, second, *_ = case.fake.account.campaigns
    days = await every(case.connector.campaign_days(case.access, FIRST, LAST))
    of_ads = await every(case.connector.creative_days(case.access, FIRST, LAST))
    case.fake.hidden = {first.id: "ARCHIVED", second.id: "DELETED"}
    assert await every(case.connector.campaign_days(case.access, FIRST, LAST)) == days
    assert await every(case.connector.creative_days(case.access, FIRST, LAST)) == of_ads


async def test_what_was_archived_is_listed_and_what_was_deleted_not_asked_for(case: Case) -> None:
    first, second, *_ = case.fake.account.campaigns
    case.fake.hidden = {first.id: "ARCHIVED", second.id: "DELETED"}
    listed = await every(case.connector.campaigns(case.access))
    statuses = {campaign.campaign_id: campaign.status for campaign in listed}
    assert (statuses[first.id], second.id in statuses) == (CampaignStatus.ENDED, False)
    ads = await every(case.connector.creatives(case.access))
    assert {one.campaign_id for one in ads} == set(statuses)


@pytest.mark.parametrize("at_once", [True, False])
async def test_a_range_that_is_too_much_is_asked_for_in_parts(case: Case, at_once: bool) -> None:
    whole = await every(case.connector.campaign_days(case.access, FIRST, LAST))
    case.fake.longest_report = 4
    case.fake.refuses_long_reports = at_once
    assert await every(case.connector.campaign_days(case.access, FIRST, LAST)) == whole
    asked = [call.form["time_range"] for call in case.fake.calls if call.form]
    # 14 and 14, two of 7, four of 3 or 4 days.
    assert len(asked) == 8


async def test_a_page_that_is_too_much_is_asked_for_with_fewer_rows(case: Case) -> None:
    whole = await every(case.connector.creatives(case.access))
    case.fake.most_on_a_page = 15
    case.fake.calls.clear()
    assert await every(case.connector.creatives(case.access)) == whole
    assert [call.query["limit"] for call in case.fake.calls] == ["100", "25", "10", "10"]
    case.fake.most_on_a_page = 5
    with pytest.raises(PlatformBusy):
        await every(case.connector.creatives(case.access))


async def test_a_day_that_is_too_much_is_a_busy_platform(case: Case) -> None:
    case.fake.longest_report = 0
    with pytest.raises(PlatformBusy):
        await every(case.connector.campaign_days(case.access, LAST, LAST))


async def test_reach_is_never_added_up_of_parts(case: Case) -> None:
    case.fake.longest_report = 4
    with pytest.raises(PlatformBusy):
        await every(case.connector.reach(case.access, FIRST, LAST))


async def test_a_report_that_never_ends_is_given_up(case: Case) -> None:
    case.fake.polls_needed = 10**6
    connector = MetaAds(case.http, BASE, poll_seconds=0, longest_seconds=0)
    with pytest.raises(PlatformBusy):
        await every(connector.daily_metrics(case.access, LAST, LAST))


async def test_a_quota_tells_when_it_begins_anew(case: Case) -> None:
    case.fake.faults.quota = 1
    with pytest.raises(QuotaExhausted) as caught:
        await case.connector.verify(case.credentials)
    assert caught.value.retry_after == 360


async def test_nothing_more_is_asked_once_the_quota_is_used_up(case: Case) -> None:
    case.fake.used_pct = 100
    with pytest.raises(QuotaExhausted):
        await every(case.connector.campaign_days(case.access, FIRST, LAST))
    assert len(case.fake.calls) == 2


@pytest.mark.parametrize(
    ("code", "kind"),
    [(4, QuotaExhausted), (80004, QuotaExhausted), (613, QuotaExhausted), (2, PlatformBusy)],
)
async def test_a_code_says_more_than_a_status(case: Case, code: int, kind: type) -> None:
    case.fake.broken = lambda call: case.fake._error("No.", code, 400)
    case.fake.faults.errors = 1
    with pytest.raises(kind):
        await case.connector.verify(case.credentials)


async def test_the_token_is_in_a_header_alone(case: Case) -> None:
    case.fake.page_limit = 2
    await every(case.connector.campaigns(case.access))
    assert len(case.fake.calls) > 1
    assert {call.headers["authorization"] for call in case.fake.calls} == {
        f"Bearer {case.fake.token}"
    }
    assert not [call for call in case.fake.calls if "token" in call.raw_query]


def test_a_conversion_counts_once_under_its_best_name() -> None:
    actions = [
        {"action_type": "purchase", "value": "4"},
        {"action_type": "omni_purchase", "value": "5"},
        {"action_type": "offsite_conversion.fb_pixel_purchase", "value": "3"},
        {"action_type": "onsite_conversion.lead_grouped", "value": "2"},
        {"action_type": "link_click", "value": "900"},
    ]
    assert _conversions(actions) == Decimal(7)
    assert _conversions(None) == 0


async def test_budgets_of_currencies_without_cents_are_whole(case: Case) -> None:
    case.account.currency = "JPY"
    found = {one.campaign_id: one async for one in case.connector.campaigns(case.access)}
    for true in case.account.campaigns:
        assert found[true.id].daily_budget == true.daily_budget


async def test_texts_are_found_in_the_post_as_well(case: Case) -> None:
    found = await every(case.connector.creatives(case.access))
    bodies = {ad.id: ad.body for campaign in case.account.campaigns for ad in campaign.ads}
    assert {one.creative_id: one.body for one in found} == bodies


async def test_a_list_is_left_where_the_quota_ended(case: Case) -> None:
    case.fake.used_pct = 100
    case.fake.page_limit = 2
    with pytest.raises(QuotaExhausted):
        await every(case.connector.campaigns(case.access))
    assert len(case.fake.calls) == 1
