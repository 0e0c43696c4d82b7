from decimal import Decimal

import pytest

from models.rules.clients.revenue_entries import RevenueStatus, counted, is_kept, signed
from models.rules.clients.vocabulary import RevenueKind


@pytest.mark.parametrize(
    ("kind", "sent", "expected"),
    [
        (RevenueKind.INVOICE, 100, 100),
        (RevenueKind.INVOICE, -100, -100),
        (RevenueKind.CREDIT_NOTE, 100, -100),
        (RevenueKind.CREDIT_NOTE, -100, -100),
        (RevenueKind.REFUND, 100, -100),
    ],
)
def test_what_is_no_invoice_takes_away_from_revenue(kind, sent, expected):
    assert signed(kind, Decimal(sent)) == expected


@pytest.mark.parametrize(
    ("currency", "in_reporting", "expected"),
    [("USD", None, -100), ("USD", 100, -100), ("EUR", 108, -108), ("EUR", None, None)],
)
def test_an_entry_counts_in_the_reporting_currency_alone(currency, in_reporting, expected):
    in_reporting = None if in_reporting is None else Decimal(in_reporting)
    found = counted(
        RevenueKind.REFUND, amount=Decimal(100), currency=currency,
        in_reporting=in_reporting, reporting_currency="USD",
    )  # fmt: skip
    assert found == expected


def test_drafts_and_void_documents_are_not_kept():
    assert [status for status in RevenueStatus if is_kept(status)] == ["issued", "paid"]
