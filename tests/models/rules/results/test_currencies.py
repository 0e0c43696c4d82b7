from decimal import Decimal

import pytest

from models.rules.results.currencies import goal_currency, in_order, primary_currency


@pytest.mark.parametrize(
    ("spend", "revenue", "expected"),
    [
        ({"EUR": 5, "USD": 9}, {"GBP": 100}, "USD"),
        ({}, {"GBP": 100, "EUR": 3}, "GBP"),
        ({"USD": 5, "EUR": 5}, {}, "EUR"),
        ({}, {}, "CHF"),
    ],
)
def test_the_currency_with_the_largest_spend_comes_first(spend, revenue, expected):
    found = primary_currency(
        {code: Decimal(amount) for code, amount in spend.items()},
        {code: Decimal(amount) for code, amount in revenue.items()},
        reporting="CHF",
    )
    assert found == expected


def test_other_currencies_follow_by_code():
    assert in_order(["USD", "CHF", "EUR", "USD"], "EUR") == ["EUR", "CHF", "USD"]


@pytest.mark.parametrize(("unit", "expected"), [("USD", "USD"), ("euros", "EUR"), (None, "EUR")])
def test_a_goal_of_money_is_meant_for_its_unit_or_the_primary_currency(unit, expected):
    assert goal_currency(unit, "EUR") == expected
