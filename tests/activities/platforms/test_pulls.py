"""What a pull stores, and what the ledger knows of it."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy.exc import DataError

from models.contracts.platforms import BeginPull
from models.db.database import Database
from models.rules.clients.vocabulary import PeriodType
from models.rules.platforms.ledger import Level, days_of
from models.rules.platforms.registry import PLATFORMS, PlatformId
from models.rules.platforms.restatement import RESTATED_DAYS
from models.rules.results.periods import period
from tests.activities.platforms.puller import TODAY, Puller, ago, between

META = PlatformId.META_ADS
SHOPIFY = PlatformId.SHOPIFY
ADS = [one for one in PlatformId if PLATFORMS[one].is_ad_platform]


async def test_a_first_pull_stores_every_day_of_every_platform(db: Database) -> None:
    # Some connectors know the time by themselves.
    today = datetime.now(UTC).date()
    async with Puller.at_work(db, today) as puller:
        for platform in PlatformId:
            of = await puller.connect(platform)
            await puller.pull_all(of)
            ledger = await puller.ledger(of)
            stored = await puller.stored_days(platform=platform)
            assert set(ledger) == set(days_of(today - timedelta(days=30), today))
            assert {day for day, state in ledger.items() if state != "missing"} == stored
            # Search Console has its days some days later, all others at once.
            late = 2 if platform is PlatformId.GOOGLE_SEARCH_CONSOLE else 0
            assert max(stored) == today - timedelta(days=late)


async def test_creatives_add_up_to_campaigns_and_those_to_the_account_on_every_day(
    puller: Puller,
) -> None:
    for platform in ADS:
        of = await puller.connect(platform)
        puller.fake(platform).account.quiet = {ago(4)}
        for level in Level:
            await puller.pull(of, level, 8, 0)
        await puller.steps.campaigns(of)
    accounts = await puller.rows(
        "select m.platform, m.day, m.value, coalesce(sum(c.spend), 0) as spend"
        " from metric_snapshot m left join campaign_daily c using (platform, day)"
        " where m.metric_key = 'spend' group by m.platform, m.day, m.value"
    )
    assert {(row.platform, row.day) for row in accounts} == {
        (platform, day) for platform in ADS for day in between(8)
    }
    assert all(row.value == row.spend for row in accounts)
    assert all((row.value == 0) == (row.day == ago(4)) for row in accounts)
    campaigns = await puller.rows(
        "select c.spend, sum(d.spend) as parts from campaign_daily c"
        " join ad_creative a using (platform, campaign_id)"
        " join creative_daily d using (platform, creative_id, day)"
        " group by c.platform, c.campaign_id, c.day, c.spend"
    )
    assert len(campaigns) == len(await puller.rows("select 1 from campaign_daily"))
    assert all(row.spend == row.parts for row in campaigns)


async def test_the_same_again_changes_nothing(puller: Puller) -> None:
    of = await puller.connect(META)
    for _ in range(2):
        await puller.pull_all(of)
        await puller.steps.campaigns(of)
        await puller.steps.reach(of)
    before, ledger = await puller.contents(), await puller.ledger(of)
    await puller.pull_all(of)
    await puller.steps.campaigns(of)
    await puller.steps.reach(of)
    assert all(before.values())
    assert await puller.contents() == before
    assert await puller.ledger(of) == ledger


async def test_a_day_that_is_restated_later_is_replaced(puller: Puller) -> None:
    of = await puller.connect(META)
    await puller.pull(of, Level.ACCOUNT, 5, 2)
    sql = "select value from metric_snapshot where metric_key = 'conversions' and day = :day"
    (before,) = await puller.rows(sql, day=ago(3))
    puller.fake(META).account.restated = {ago(3): Decimal(3)}
    await puller.pull(of, Level.ACCOUNT, 5, 2)
    (after,) = await puller.rows(sql, day=ago(3))
    assert after.value > before.value


async def test_rows_that_the_platform_reports_no_more_are_gone(puller: Puller) -> None:
    of = await puller.connect(META)
    account = puller.fake(META).account
    await puller.pull(of, Level.CAMPAIGN, 5, 2)
    account.quiet = {ago(3)}
    await puller.pull(of, Level.CAMPAIGN, 5, 2)
    for table in ("campaign_daily", "creative_daily"):
        assert await puller.stored_days(table) == between(5, 2) - {ago(3)}
    # The ledger still knows the day: nothing happened on it.
    assert set(await puller.ledger(of, Level.CAMPAIGN)) == between(5, 2)


async def test_what_is_told_of_today_alone_stays_of_the_days_before(db: Database) -> None:
    # How many subscribers there are is told by these two as of now; yesterday's is not told again.
    today = datetime.now(UTC).date()
    sql = "select day, value from metric_snapshot where metric_key = 'subscribers' order by day"
    async with Puller.at_work(db, today) as puller:
        for platform in (PlatformId.KLAVIYO, PlatformId.MAILCHIMP):
            of = await puller.connect(platform)
            await puller.pull(of)
            ((_, counted),) = await puller.rows(sql)
            yesterday = today - timedelta(days=1)
            await puller.run("update metric_snapshot set day = :day where day = :today and"
                             " metric_key = 'subscribers'", day=yesterday, today=today)  # fmt: skip
            for _ in range(2):
                await puller.pull(of)
                assert await puller.rows(sql) == [(yesterday, counted), (today, counted)]
            await puller.run("delete from metric_snapshot")


async def test_what_a_platform_does_not_show_any_more_stays_as_it_was(db: Database) -> None:
    today = datetime.now(UTC).date()
    async with Puller.at_work(db, today) as puller:
        puller.fake(SHOPIFY).scopes = ("read_orders", "read_all_orders", "read_customers")
        of = await puller.connect(SHOPIFY)
        await puller.pull(of, Level.ACCOUNT, 70, 50)
        before = (await puller.contents())["metric_snapshot"]
        puller.fake(SHOPIFY).scopes = ("read_orders", "read_customers")
        await puller.pull(of, Level.ACCOUNT, 70, 50)
        assert (await puller.contents())["metric_snapshot"] == before
        assert set((await puller.ledger(of)).values()) == {"provisional", "final"}


async def test_a_shop_is_read_a_last_time_while_every_token_sees_the_day(db: Database) -> None:
    today, settled = datetime.now(UTC).date(), RESTATED_DAYS[SHOPIFY] + 1
    async with Puller.at_work(db, today) as puller:
        puller.fake(SHOPIFY).scopes = ("read_orders", "read_customers")
        of = await puller.connect(SHOPIFY)
        await puller.pull(of, Level.ACCOUNT, settled, settled)
        day = today - timedelta(days=settled)
        assert await puller.stored_days() == {day}
        assert await puller.ledger(of) == {day: "final"}


async def test_a_recent_day_that_is_told_no_more_is_known_as_before(db: Database) -> None:
    today = datetime.now(UTC).date()
    async with Puller.at_work(db, today) as puller:
        of = await puller.connect(PlatformId.GOOGLE_SEARCH_CONSOLE)
        await puller.pull_all(of)
        before, ledger = await puller.contents(), await puller.ledger(of)
        assert {"missing", "provisional"} < set(ledger.values())
        puller.fake(PlatformId.GOOGLE_SEARCH_CONSOLE).account.today -= timedelta(days=1)
        await puller.pull(of)
        assert await puller.contents() == before
        assert await puller.ledger(of) == ledger


async def test_another_currency_of_the_account_replaces_the_days_that_are_pulled_again(
    puller: Puller,
) -> None:
    of = await puller.connect(META)
    await puller.pull(of, Level.ACCOUNT, 5, 2)
    await puller.pull(of, Level.CAMPAIGN, 5, 2)
    puller.fake(META).account.currency = "USD"
    begun = await puller.steps.begin(BeginPull(of=of))
    assert begun.windows
    await puller.pull(of, Level.ACCOUNT, 4, 2)
    await puller.pull(of, Level.CAMPAIGN, 4, 2)
    for table in ("metric_snapshot", "campaign_daily"):
        found = await puller.rows(
            f"select day, array_agg(distinct currency) as of from {table}"
            " where currency is not null group by day"
        )
        by_day = {row.day: row.of for row in found}
        assert by_day == {ago(5): ["EUR"], **{day: ["USD"] for day in between(4, 2)}}


async def test_numbers_of_another_account_of_the_same_platform_stay(puller: Puller) -> None:
    await puller.connect(META, status="disconnected", account_id="7")
    for statement in (
        "insert into ad_campaign (tenant_id, company_id, platform, campaign_id, account_id, name,"
        " status) values (:tenant, :company, 'meta_ads', 'old', '7', 'Old', 'active')",
        "insert into campaign_daily (tenant_id, company_id, platform, campaign_id, day, spend,"
        " impressions, clicks, conversions, conversion_value, currency, as_of) values (:tenant,"
        " :company, 'meta_ads', 'old', :day, 5, 1, 1, 0, 0, 'EUR', now())",
        "insert into ad_creative (tenant_id, company_id, platform, creative_id, campaign_id)"
        " values (:tenant, :company, 'meta_ads', 'ad', 'old')",
        "insert into creative_daily (tenant_id, company_id, platform, creative_id, day, spend,"
        " conversions, as_of) values (:tenant, :company, 'meta_ads', 'ad', :day, 5, 0, now())",
    ):
        await puller.run("select ensure_day_parts(:day, :day)", day=ago(3))
        await puller.run(statement, tenant=puller.tenant.id, company=puller.company_id, day=ago(3))
    of = await puller.connect(META)
    await puller.steps.campaigns(of)
    await puller.pull(of, Level.CAMPAIGN, 5, 2)
    (kept,) = await puller.rows("select spend from campaign_daily where campaign_id = 'old'")
    (ad,) = await puller.rows("select spend from creative_daily where creative_id = 'ad'")
    (old,) = await puller.rows("select status from ad_campaign where campaign_id = 'old'")
    assert (kept.spend, ad.spend, old.status) == (5, 5, "active")


async def test_a_campaign_that_is_listed_no_more_was_removed(puller: Puller) -> None:
    of = await puller.connect(META)
    await puller.steps.campaigns(of)
    account = puller.fake(META).account
    gone = account.campaigns[0]
    account.campaigns = account.campaigns[1:]
    puller.now += timedelta(hours=1)
    await puller.steps.campaigns(of)
    found = dict(await puller.rows("select campaign_id, status from ad_campaign"))
    assert found.pop(gone.id) == "removed"
    assert found
    assert "removed" not in found.values()


async def test_reach_is_that_of_the_four_periods_up_to_the_last_stored_day(puller: Puller) -> None:
    of = await puller.connect(META)
    assert (await puller.steps.reach(of)).rows == 0
    await puller.pull(of, Level.ACCOUNT, 5, 1)
    await puller.steps.reach(of)
    found = await puller.rows("select distinct period_start, period_end from campaign_reach")
    wanted = [period(type, ago(1)) for type in PeriodType]
    assert {tuple(row) for row in found} == {(one.start, one.end) for one in wanted}


async def test_reach_of_periods_that_have_rolled_on_is_dropped_but_that_of_months_stays(
    puller: Puller,
) -> None:
    of = await puller.connect(META)
    for days in (0, 22, 70):
        await puller.later(days)
        await puller.pull(of, Level.ACCOUNT, 1, 1)
        await puller.steps.reach(of)
    ends = {row.period_end for row in await puller.rows("select period_end from campaign_reach")}
    assert ends == {date(2026, 3, 31), date(2026, 6, 9)}


async def test_the_ledger_tells_days_that_may_still_change(puller: Puller) -> None:
    of = await puller.connect(SHOPIFY)
    await puller.pull_all(of)
    assert set((await puller.ledger(of)).values()) == {"provisional"}
    ga4 = await puller.connect(PlatformId.GA4)
    await puller.pull_all(ga4)
    states = await puller.ledger(ga4)
    assert {day for day, state in states.items() if state == "provisional"} == between(3)


async def test_the_next_sync_asks_for_the_recent_days_and_each_gap(puller: Puller) -> None:
    of = await puller.connect(PlatformId.GA4)
    begun = await puller.steps.begin(BeginPull(of=of))
    assert set((await puller.ledger(of)).values()) == {"missing"}
    await puller.pull(of, Level.ACCOUNT, 12, 0)
    await puller.later(1)
    windows = await puller.pull_all(of)
    asked = {day for one in windows for day in days_of(one.first, one.last)}
    assert asked == between(7, -1) | between(30, 13)
    assert len(begun.windows) == 4
    assert "missing" not in (await puller.ledger(of)).values()


async def test_what_was_provisional_is_asked_for_once_more_when_it_has_settled(
    puller: Puller,
) -> None:
    of = await puller.connect(PlatformId.GA4)
    await puller.pull_all(of)
    await puller.later(20)
    (window, *older) = await puller.pull_all(of)
    assert set((await puller.ledger(of)).values()) == {"provisional", "final"}
    assert window.last == puller.now.date()
    assert older
    await puller.later(1)
    assert len(await puller.pull_all(of)) == 1


async def test_a_backfill_stores_both_levels_of_the_days_before_today(puller: Puller) -> None:
    of = await puller.connect(META)
    windows = await puller.pull_all(of, days=30)
    for level in Level:
        assert set(await puller.ledger(of, level)) == between(30, 1)
    assert [one.last for one in windows] == sorted([one.last for one in windows], reverse=True)
    assert await puller.stored_days() == between(30, 1)
    # What is final is not asked for again.
    await puller.later(60)
    await puller.pull_all(of, days=90)
    assert await puller.pull_all(of, days=90) != []
    await puller.later(60)
    again = await puller.steps.begin(BeginPull(of=of, days=90))
    assert min(one.first for one in again.windows) > ago(-29)


async def test_an_account_that_is_connected_again_goes_on_where_it_was(puller: Puller) -> None:
    first = await puller.connect(META)
    await puller.pull_all(first)
    await puller.disconnect(first)
    await puller.later(3)
    second = await puller.connect(META)
    windows = await puller.pull_all(second)
    asked = {day for one in windows for day in days_of(one.first, one.last)}
    # Three days of the first connection have settled meanwhile.
    assert asked == between(7, -3) | between(28, 26)
    assert await puller.stored_days() == between(30, -3)


async def test_today_is_the_accounts_own(puller: Puller) -> None:
    puller.now = puller.now.replace(hour=23, minute=30)
    of = await puller.connect(META)
    begun = await puller.steps.begin(BeginPull(of=of))
    assert begun.windows[0].last == TODAY + timedelta(days=1)


async def test_a_new_time_zone_of_the_account_is_noted_before_its_days_are_asked_for(
    puller: Puller,
) -> None:
    puller.fake(META).account.time_zone = "Pacific/Auckland"
    of = await puller.connect(META, time_zone="UTC", currency="GBP")
    puller.now = puller.now.replace(hour=12)
    begun = await puller.steps.begin(BeginPull(of=of))
    assert begun.windows[0].last == TODAY + timedelta(days=1)
    (row,) = await puller.rows("select time_zone, currency from platform_connection")
    assert tuple(row) == ("Pacific/Auckland", "EUR")


@pytest.mark.parametrize("day", [date(2026, 3, 29), date(2026, 10, 25)])
async def test_a_day_of_23_or_25_hours_is_one_day(puller: Puller, day: date) -> None:
    await puller.later((day - TODAY).days + 1)
    of = await puller.connect(META)
    await puller.pull(of, Level.ACCOUNT, 2, 0)
    assert await puller.stored_days() == {day + timedelta(days=number) for number in (-1, 0, 1)}
    assert len(await puller.spend()) == 3


async def test_a_number_that_cannot_be_stored_is_in_no_error_and_stores_nothing(
    puller: Puller, monkeypatch: pytest.MonkeyPatch
) -> None:
    of = await puller.connect(META)
    await puller.steps.begin(BeginPull(of=of))
    connector: Any = puller.here.connectors[META]
    read = connector.campaign_days

    async def overflowing(*asked: Any) -> AsyncIterator[Any]:
        async for row in read(*asked):
            yield replace(row, spend=Decimal("987654321987654"))

    monkeypatch.setattr(connector, "campaign_days", overflowing)
    with pytest.raises(DataError) as failed:
        await puller.pull(of, Level.CAMPAIGN)
    assert "987654321" not in str(failed.value)
    assert await puller.stored_days("campaign_daily") == set()
    assert set((await puller.ledger(of, Level.CAMPAIGN)).values()) == {"missing"}
