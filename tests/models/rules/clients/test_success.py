from decimal import Decimal

import pytest

from models.rules.clients.success import Answers, exceeds_whole, is_complete, is_day_of_year

ALL = (
    "financial_year_start", "financial_year_end", "key_trading_periods", "channel_online_pct",
    "celebration_vision", "growth_priorities_text", "company_direction_text",
)  # fmt: skip


def answered(*names, text="Grow."):
    return Answers(
        financial_year_start="07-01" if "financial_year_start" in names else None,
        financial_year_end="06-30" if "financial_year_end" in names else None,
        trading_periods=int("key_trading_periods" in names),
        channel_pcts=(Decimal(0) if "channel_online_pct" in names else None, None, None),
        celebration_vision=text if "celebration_vision" in names else None,
        growth_priorities_text=text if "growth_priorities_text" in names else None,
        company_direction_text=text if "company_direction_text" in names else None,
    )


def test_a_questionnaire_with_all_answers_is_complete():
    assert is_complete(answered(*ALL)) is True


@pytest.mark.parametrize("missing", ALL)
def test_one_missing_answer_leaves_it_open(missing):
    assert is_complete(answered(*(name for name in ALL if name != missing))) is False


def test_blank_texts_answer_nothing():
    assert is_complete(answered(*ALL, text=" \n")) is False


def test_no_answers_are_not_complete():
    assert is_complete(Answers()) is False


@pytest.mark.parametrize(
    ("pcts", "exceeds"),
    [
        ((60, 30, 10), False),
        ((None, None, None), False),
        ((60, None, "40.01"), True),
        (("33.1", "33.2", "33.7"), False),
    ],
)
def test_channels_are_a_hundred_percent_at_most(pcts, exceeds):
    values = [None if pct is None else Decimal(pct) for pct in pcts]
    assert exceeds_whole(values) is exceeds


@pytest.mark.parametrize(
    ("text", "exists"),
    [
        ("01-31", True), ("02-29", True), ("02-30", False), ("04-31", False), ("13-01", False),
        ("1-01", False), ("0101", False), ("W01-1", False),
    ],
)  # fmt: skip
def test_a_day_of_the_year_exists_in_some_year(text, exists):
    assert is_day_of_year(text) is exists
