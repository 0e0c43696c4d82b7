"""What a paid invoice counts: less tax, less what was given back, in the reporting currency."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from models.rules.clients.billing import (
    BilledEntry,
    CreditNote,
    Exchanged,
    PaidInvoice,
    Payment,
    Refund,
    entries,
    whole_units,
)
from models.rules.clients.vocabulary import RevenueKind

PAID_ON = date(2026, 2, 3)


def invoice(**overrides: Any) -> PaidInvoice:
    values: dict[str, Any] = {
        "id": "in_1", "currency": "USD", "paid_on": PAID_ON, "paid": 12_000, "total": 12_000,
        "tax": 2_000,
    }  # fmt: skip
    return PaidInvoice(**{**values, **overrides})


def refund(amount: int, number: int = 1, exchanged: Exchanged | None = None) -> Refund:
    return Refund(id=f"re_{number}", refund_id=f"re_{number}", amount=amount, exchanged=exchanged)


def amounts(one: PaidInvoice, reporting: str = "USD") -> dict[str, Decimal | None]:
    return {entry.external_id: entry.amount for entry in entries(one, reporting)}


@pytest.mark.parametrize(
    ("minor", "currency", "whole"),
    [
        (12_345, "USD", "123.45"),
        (500, "JPY", "500"),
        (12_345, "KWD", "12.345"),
        (12_340, "OMR", "12.340"),
        # No smaller unit than the whole one, and yet in hundredths on the wire.
        (50_000, "ISK", "500.00"),
        (50_000, "UGX", "500.00"),
        (50_000, "HUF", "500.00"),
        (7, "CLP", "7"),
    ],
)
def test_minor_units_are_what_stripe_says(minor: int, currency: str, whole: str) -> None:
    assert whole_units(minor, currency) == Decimal(whole)


def test_what_was_paid_counts_less_tax_on_the_day_of_payment() -> None:
    assert entries(invoice(), "USD") == (
        BilledEntry(
            external_id="in_1",
            kind=RevenueKind.INVOICE,
            counted_on=PAID_ON,
            amount=Decimal("100.00"),
            original_amount=Decimal("100.00"),
            original_currency="USD",
            invoice_id="in_1",
        ),
    )


def test_of_a_part_that_was_paid_a_part_of_the_tax_goes_off() -> None:
    assert amounts(invoice(paid=6_000)) == {"in_1": Decimal("50.00")}


def test_what_was_paid_beyond_the_total_bears_no_tax() -> None:
    assert amounts(invoice(paid=13_000)) == {"in_1": Decimal("110.00")}


def test_nothing_paid_is_no_entry() -> None:
    assert entries(invoice(paid=0, total=0, tax=0, credit_notes=()), "USD") == ()


def test_refunds_go_off_less_tax_in_the_month_of_the_payment() -> None:
    one = invoice(refunds=(refund(6_000), refund(6_000, 2)))
    written = entries(one, "USD")
    assert [(entry.kind, entry.amount, entry.counted_on) for entry in written] == [
        (RevenueKind.INVOICE, Decimal(100), PAID_ON),
        (RevenueKind.REFUND, Decimal(-50), PAID_ON),
        (RevenueKind.REFUND, Decimal(-50), PAID_ON),
    ]


def test_a_refund_that_a_credit_note_tells_of_counts_once() -> None:
    note = CreditNote(
        id="cn_1", amount=6_000, total=6_000, tax=1_000, refunded=(("re_1", 6_000),)
    )  # fmt: skip
    one = invoice(refunds=(refund(7_200),), credit_notes=(note,))
    assert amounts(one) == {
        "in_1": Decimal(100), "cn_1": Decimal(-50), "re_1": Decimal(-10),
    }  # fmt: skip


def test_a_credit_note_has_a_tax_of_its_own() -> None:
    note = CreditNote(id="cn_1", amount=500, total=1_000, tax=0)
    assert amounts(invoice(credit_notes=(note,))) == {"in_1": Decimal(100), "cn_1": Decimal(-5)}


# Currencies


def paid_in_euros(**overrides: Any) -> PaidInvoice:
    booked = Exchanged(amount=13_200, currency="USD", gave=12_000)
    values = {"currency": "EUR", "payments": (Payment(amount=12_000, exchanged=booked),)}
    return invoice(**{**values, **overrides})


def test_another_currency_counts_by_what_reached_the_account() -> None:
    (entry,) = entries(paid_in_euros(), "USD")
    assert (entry.amount, entry.original_amount, entry.original_currency) == (
        Decimal("110.00"), Decimal("100.00"), "EUR",
    )  # fmt: skip


def test_an_account_in_a_third_currency_counts_nowhere() -> None:
    (entry,) = entries(paid_in_euros(), "GBP")
    assert entry.amount is None
    assert entry.original_amount == Decimal("100.00")


def test_an_invoice_in_the_reporting_currency_counts_as_it_is() -> None:
    assert amounts(paid_in_euros(), "EUR") == {"in_1": Decimal("100.00")}


def test_what_was_partly_paid_elsewhere_counts_nowhere() -> None:
    half = Payment(amount=6_000, exchanged=Exchanged(amount=6_600, currency="USD", gave=6_000))
    elsewhere = Payment(amount=6_000, exchanged=None)
    assert amounts(paid_in_euros(payments=(half, elsewhere))) == {"in_1": None}
    assert amounts(paid_in_euros(payments=(half,))) == {"in_1": None}


def test_a_refund_goes_off_at_its_own_rate_and_a_credit_at_the_payments() -> None:
    back = refund(1_200, exchanged=Exchanged(amount=1_440, currency="USD", gave=1_200))
    note = CreditNote(id="cn_1", amount=2_400, total=2_400, tax=400, refunded=(("re_1", 1_200),))
    assert amounts(paid_in_euros(refunds=(back,))) == {
        "in_1": Decimal("110.00"), "re_1": Decimal("-12.00"),
    }  # fmt: skip
    assert amounts(paid_in_euros(refunds=(back,), credit_notes=(note,))) == {
        "in_1": Decimal("110.00"), "cn_1": Decimal("-23.00"),
    }  # fmt: skip


def test_a_refund_that_is_not_booked_yet_counts_nowhere() -> None:
    assert amounts(paid_in_euros(refunds=(refund(1_200),)))["re_1"] is None


def test_yen_become_dollars_and_dollars_dinars() -> None:
    yen = invoice(
        currency="JPY", paid=15_000, total=15_000, tax=0,
        payments=(
            Payment(amount=15_000, exchanged=Exchanged(amount=9_999, currency="USD", gave=15_000)),
        ),
    )  # fmt: skip
    assert amounts(yen) == {"in_1": Decimal("99.99")}
    dollars = invoice(
        payments=(
            Payment(amount=12_000, exchanged=Exchanged(amount=36_888, currency="KWD", gave=12_000)),
        ),
    )  # fmt: skip
    assert amounts(dollars, "KWD") == {"in_1": Decimal("30.740")}
