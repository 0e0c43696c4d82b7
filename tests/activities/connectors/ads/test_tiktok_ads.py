"""TikTok's own ways: errors with status 200, pages by number, thirty days at once."""

from collections.abc import AsyncIterator
from datetime import date, timedelta

import pytest

from activities.connectors.errors import PlatformBusy, RequestRefused
from tests.activities.connectors.ads.cases import Case, every, tiktok
from workers.fakes.tiktok_ads import _told

LAST = date(2026, 3, 9)


@pytest.fixture
async def case() -> AsyncIterator[Case]:
    made = tiktok()
    async with made.http:
        yield made


async def test_rows_that_are_missing_are_noticed(case: Case) -> None:
    case.fake.faults.missing_rows = True
    with pytest.raises(PlatformBusy, match="rows of"):
        await every(case.connector.campaign_days(case.access, LAST - timedelta(days=6), LAST))


async def test_a_report_by_day_spans_thirty_days_at_most(case: Case) -> None:
    await every(case.connector.daily_metrics(case.access, LAST - timedelta(days=60), LAST))
    asked = [(call.query["start_date"], call.query["end_date"]) for call in case.fake.calls]
    assert asked == [
        ("2026-01-08", "2026-02-06"), ("2026-02-07", "2026-03-08"), ("2026-03-09", "2026-03-09"),
    ]  # fmt: skip


async def test_reach_of_more_than_a_year_is_not_asked_for(case: Case) -> None:
    first = LAST - timedelta(days=365)
    assert await every(case.connector.reach(case.access, first, LAST)) == []
    assert case.fake.calls == []


async def test_an_unknown_code_is_a_refusal(case: Case) -> None:
    case.fake.broken = lambda call: _told(40002, "start_date: Invalid datetime format.")
    case.fake.faults.errors = 1
    with pytest.raises(RequestRefused, match="40002"):
        await case.connector.verify(case.credentials)


async def test_ads_have_a_text_and_no_title(case: Case) -> None:
    found = await every(case.connector.creatives(case.access))
    assert {one.title for one in found} == {None}
    assert all(one.body for one in found)
