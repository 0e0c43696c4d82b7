from datetime import date
from decimal import Decimal

import pytest

from models.errors import Conflict, Invalid
from models.rules.clients.revenue_entries import (
    RevenueStatus,
    SentEntry,
    intake,
    refuse_foreign,
    signed,
)
from models.rules.clients.vocabulary import RevenueKind, RevenueOrigin

REFUND = RevenueKind.REFUND


def sent(**overrides):
    values = {
        "origin": RevenueOrigin.NUCLEUS, "external_id": "A-1", "kind": RevenueKind.INVOICE,
        "status": RevenueStatus.ISSUED, "dated": date(2026, 2, 3), "amount": Decimal(100),
        "currency": "USD",
    }  # fmt: skip
    return SentEntry(**{**values, **overrides})


@pytest.mark.parametrize(
    ("kind", "amount", "expected"),
    [
        (RevenueKind.INVOICE, 100, 100),
        (RevenueKind.INVOICE, -100, -100),
        (RevenueKind.CREDIT_NOTE, 100, -100),
        (RevenueKind.CREDIT_NOTE, -100, -100),
        (REFUND, 100, -100),
    ],
)
def test_what_is_no_invoice_takes_away_from_revenue(kind, amount, expected):
    assert signed(kind, Decimal(amount)) == expected


@pytest.mark.parametrize(
    ("currency", "in_reporting", "expected", "not_counted"),
    [("USD", None, -100, 0), ("USD", 100, -100, 0), ("EUR", 108, -108, 0), ("EUR", None, None, 1)],
)
def test_an_entry_counts_in_the_reporting_currency_alone(
    currency, in_reporting, expected, not_counted
):
    in_reporting = None if in_reporting is None else Decimal(in_reporting)
    taken = intake([sent(kind=REFUND, currency=currency, in_reporting=in_reporting)], "USD")
    (document,) = taken.documents
    assert document.amount == expected
    assert document.original_amount == -100
    assert taken.not_counted == not_counted


def test_drafts_and_void_documents_are_withdrawn():
    entries = [sent(external_id=status.value, status=status) for status in RevenueStatus]
    taken = intake(entries, "USD")
    assert [one.external_id for one in taken.documents] == ["issued", "paid"]
    assert [external_id for _, external_id in taken.withdrawn] == ["draft", "void"]


@pytest.mark.parametrize(
    ("overrides", "member"),
    [
        ({"external_id": "A-0"}, "external_id"),
        ({"kind": REFUND, "stripe_invoice_id": "in_1"}, "stripe_invoice_id"),
        (
            {"origin": RevenueOrigin.PRODUCTIVE, "stripe_invoice_id": "in_1"},
            "stripe_invoice_id",
        ),
        ({"in_reporting": Decimal(101)}, "amount_in_reporting_currency"),
        ({"currency": "EUR", "in_reporting": Decimal(-108)}, "amount_in_reporting_currency"),
    ],
)
def test_what_does_not_fit_together_is_named(overrides, member):
    with pytest.raises(Invalid) as refused:
        intake([sent(external_id="A-0"), sent(**overrides)], "USD")
    assert f"body.entries.1.{member}" in [item.location for item in refused.value.items]


def test_entries_of_another_company_are_named():
    entries = [sent(), sent(external_id="A-2")]
    refuse_foreign(entries, set())
    with pytest.raises(Conflict) as refused:
        refuse_foreign(entries, {(RevenueOrigin.NUCLEUS, "A-2")})
    assert [item.location for item in refused.value.items] == ["body.entries.1.external_id"]
