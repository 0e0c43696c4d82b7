from datetime import date
from decimal import Decimal

from activities.connectors.day_totals import DayTotals
from activities.connectors.ports import DayMetric

DAY = date(2026, 3, 10)


def test_a_day_in_two_currencies_is_told_in_the_one_it_ended_in(caplog):
    totals = DayTotals("Shop", (), "store_revenue")
    totals.pay(DAY, Decimal(10), "EUR")
    totals.pay(DAY, Decimal(7), "USD")
    (row,) = totals.rows(DAY, DAY, "EUR")
    assert row == DayMetric(day=DAY, metric_key="store_revenue", value=Decimal(7), currency="USD")
    assert "EUR, USD" in caplog.text


def test_payments_of_a_day_add_up():
    totals = DayTotals("Shop", (), "store_revenue")
    for amount in ("0.10", "0.20"):
        totals.pay(DAY, Decimal(amount), "EUR")
    (row,) = totals.rows(DAY, DAY, None)
    assert row.value == Decimal("0.30")


def test_what_was_not_asked_for_is_not_told():
    totals = DayTotals("Mail", ("unsubscribes",))
    totals.count(date(2026, 3, 9), "unsubscribes", 3)
    (row,) = totals.rows(DAY, DAY, None)
    assert (row.day, row.value) == (DAY, Decimal(0))
