"""LinkedIn's own ways: tokens that are renewed, reports that are cut in silence, quotas by day."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta

import pytest

from activities.connectors.errors import (
    CredentialsRejected,
    QuotaExhausted,
    RequestRefused,
)
from tests.activities.connectors.ads.cases import Case, every, linkedin
from workers.fakes.linkedin_ads import _refusal

LAST = date(2026, 3, 9)
FIRST = LAST - timedelta(days=13)


@pytest.fixture
async def case() -> AsyncIterator[Case]:
    made = linkedin()
    async with made.http:
        yield made


async def test_a_token_is_renewed_and_the_old_one_ends(case: Case) -> None:
    renewed = await case.connector.renew(case.credentials)
    assert renewed is not None
    assert renewed.token_expires_at is not None
    assert renewed.token_expires_at - datetime.now(UTC) > timedelta(days=59)
    assert renewed.credentials["ad_account_id"] == case.account.account_id
    with pytest.raises(CredentialsRejected):
        await case.connector.verify(case.credentials)
    assert (await case.connector.verify(renewed.credentials)).account_id == case.account.account_id


async def test_without_a_refresh_token_nothing_is_renewed(case: Case) -> None:
    del case.credentials["refresh_token"]
    assert await case.connector.renew(case.credentials) is None


async def test_a_refresh_token_that_has_ended_rejects_the_credentials(case: Case) -> None:
    with pytest.raises(CredentialsRejected) as caught:
        await case.connector.renew({**case.credentials, "refresh_token": "AQYSomethingElse"})
    assert "AQYSomethingElse" not in str(caught.value)


async def test_scopes_and_end_of_the_token_are_told(case: Case) -> None:
    account = await case.connector.verify(case.credentials)
    assert account.scopes == ("r_ads", "r_ads_reporting")
    assert account.token_expires_at == datetime(2026, 4, 24, tzinfo=UTC)


async def test_a_report_that_would_be_cut_is_asked_for_in_parts(case: Case) -> None:
    whole = await every(case.connector.campaign_days(case.access, FIRST, LAST))
    small = linkedin(most_rows=12)
    small.fake.most_rows = 12
    async with small.http:
        found = await every(small.connector.campaign_days(small.access, FIRST, LAST))
        assert len(small.fake.calls) > 1
    assert found == whole


async def test_a_day_that_would_be_cut_is_refused_aloud(case: Case) -> None:
    small = linkedin(most_rows=2)
    small.fake.most_rows = 2
    async with small.http:
        with pytest.raises(RequestRefused, match="2 rows at most"):
            await every(small.connector.campaign_days(small.access, LAST, LAST))


async def test_who_may_not_look_any_more_is_not_told_of_days_without_activity(case: Case) -> None:
    case.fake.shut_out = True
    for asked in (
        case.connector.daily_metrics(case.access, FIRST, LAST),
        case.connector.campaign_days(case.access, FIRST, LAST),
        case.connector.reach(case.access, FIRST, LAST),
    ):
        with pytest.raises(CredentialsRejected):
            await every(asked)


async def test_days_on_which_nothing_ran_are_days_without_activity(case: Case) -> None:
    case.fake.account.quiet = {FIRST}
    rows = await every(case.connector.daily_metrics(case.access, FIRST, FIRST))
    assert {row.value for row in rows} == {0}


async def test_a_quota_by_day_begins_anew_at_midnight(case: Case) -> None:
    case.fake.faults.quota = 1
    with pytest.raises(QuotaExhausted) as caught:
        await case.connector.verify(case.credentials)
    assert caught.value.retry_after is not None
    assert 0 < caught.value.retry_after <= 86_400


async def test_a_version_that_has_ended_is_said(case: Case) -> None:
    case.fake.broken = lambda call: _refusal(426, "NONEXISTENT_VERSION", "Not active.")
    case.fake.faults.errors = 1
    with pytest.raises(RequestRefused, match="version"):
        await case.connector.verify(case.credentials)


async def test_reach_is_asked_for_up_to_a_quarter(case: Case) -> None:
    assert await every(case.connector.reach(case.access, LAST - timedelta(days=91), LAST))
    case.fake.calls.clear()
    assert await every(case.connector.reach(case.access, LAST - timedelta(days=92), LAST)) == []
    assert case.fake.calls == []


async def test_ads_that_are_posts_have_no_text(case: Case) -> None:
    found = {one.creative_id: one.title async for one in case.connector.creatives(case.access)}
    for campaign in case.account.campaigns:
        *own, post = campaign.ads
        assert [found[ad.id] for ad in own] == [ad.title for ad in own]
        assert found[post.id] is None
