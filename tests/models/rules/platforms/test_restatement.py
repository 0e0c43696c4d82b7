"""How long a day is provisional."""

from datetime import date

from models.rules.platforms.registry import PlatformId
from models.rules.platforms.restatement import RESTATED_DAYS, is_provisional

TODAY = date(2026, 3, 10)


def test_every_platform_says_how_long() -> None:
    assert set(RESTATED_DAYS) == set(PlatformId)


def test_a_day_is_final_once_it_is_older_than_that() -> None:
    assert is_provisional(PlatformId.META_ADS, TODAY, today=TODAY)
    assert is_provisional(PlatformId.META_ADS, date(2026, 2, 10), today=TODAY)
    assert not is_provisional(PlatformId.META_ADS, date(2026, 2, 9), today=TODAY)
