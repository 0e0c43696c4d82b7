"""The made-up accounts: the same for the same seed, and believable."""

from datetime import date, timedelta
from decimal import Decimal

from workers.fakes.ad_accounts import AdAccount

TODAY = date(2026, 3, 10)
DAYS = [TODAY - timedelta(days=past) for past in range(1, 57)]


def made(seed: int = 1, **values: object) -> AdAccount:
    return AdAccount(seed=seed, account_id="1", today=TODAY, **values)  # type: ignore[arg-type]


def test_the_same_seed_makes_the_same_account_and_another_another() -> None:
    assert made().campaigns == made().campaigns
    assert [made().account_day(day) for day in DAYS] == [made().account_day(day) for day in DAYS]
    assert made().account_day(DAYS[0]) != made(2).account_day(DAYS[0])
    ids = {ad.id for seed in range(50) for one in made(seed).campaigns for ad in one.ads}
    assert len(ids) == 50 * 4 * 3


def test_weekends_are_quiet_for_business_and_busy_for_consumers() -> None:
    def weekend(account: AdAccount) -> float:
        spend = {day: account.account_day(day).spend for day in DAYS}
        ends = [value for day, value in spend.items() if day.weekday() >= 5]
        return float(sum(ends, Decimal(0)) / len(ends)) / float(sum(spend.values()) / len(spend))

    assert weekend(made(audience="business")) < 0.8
    assert weekend(made(audience="consumers")) > 1.02


def test_the_numbers_are_such_as_one_sees() -> None:
    days = [made().account_day(day) for day in DAYS]
    spend = float(sum(day.spend for day in days))
    impressions = sum(day.impressions for day in days)
    clicks = sum(day.clicks for day in days)
    conversions = sum(day.conversions for day in days)
    assert 5 < spend / impressions * 1000 < 15
    assert 0.008 < clicks / impressions < 0.025
    assert 0.005 < conversions / clicks < 0.06
    assert 1 < float(sum(day.value for day in days)) / spend < 12


def test_reach_is_of_people() -> None:
    account = made()
    first, last = DAYS[27], DAYS[0]
    whole = account.reach(account.campaigns, first, last)
    daily = [account.reach(account.campaigns, day, day) for day in DAYS[:28]]
    assert max(daily) < whole < sum(daily)
    assert account.reach(account.campaigns, date(2020, 1, 1), date(2020, 1, 9)) == 0


def test_the_future_has_not_happened() -> None:
    assert not made().account_day(TODAY + timedelta(days=1))
    assert made().account_day(TODAY)
