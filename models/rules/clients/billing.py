"""What a paid invoice of a billing system counts: less tax, less what was given back.

Source: clients/tier_scores.yaml, rules.revenue.stripe and rules.revenue.entries. Amounts come in
minor units, as Stripe counts them, and are kept in whole units.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Final

from models.rules.clients.rounding import rounded
from models.rules.clients.vocabulary import RevenueKind

ZERO_DECIMAL: Final = frozenset(
    "BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF".split()
)
"""Currencies whose smallest unit is the whole one. ISK and UGX have no smaller one either, but
Stripe goes on counting them in hundredths."""
THREE_DECIMAL: Final = frozenset("BHD JOD KWD OMR TND".split())


Minor = Fraction | int
"""An exact number of the smallest units of a currency."""


def decimals(currency: str) -> int:
    """How many decimals Stripe's smallest unit of the currency stands for."""
    if currency in ZERO_DECIMAL:
        return 0
    return 3 if currency in THREE_DECIMAL else 2


def whole_units(minor: Minor, currency: str) -> Decimal:
    """Turn minor units into whole ones, rounded to the smallest there is, half away from zero."""
    places = decimals(currency)
    return rounded(Fraction(minor) / 10**places, places)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchanged:
    """What a payment or refund became on the account: `amount` of `currency` for `gave` of it.

    All three are positive; `gave` is in the invoice's currency.
    """

    amount: Minor
    currency: str
    gave: Minor

    def rate(self, reporting: str) -> Fraction | None:
        """Minor units of the reporting currency for one of the invoice's."""
        if self.currency != reporting or not self.gave:
            return None
        return Fraction(self.amount) / self.gave


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """What was paid towards an invoice; without `exchanged`, outside of the billing system."""

    amount: Minor
    exchanged: Exchanged | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """Money given back. `id` is of the document, `refund_id` of what credit notes refer to."""

    id: str
    refund_id: str
    amount: Minor
    exchanged: Exchanged | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditNote:
    """What was credited after the payment; `refunded` of it, by refund, went back as money.

    A credit before the payment is none here: less was paid.
    """

    id: str
    amount: Minor
    total: Minor
    tax: Minor
    refunded: tuple[tuple[str, Minor], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PaidInvoice:
    """A paid invoice with what happened to it since; amounts are positive minor units."""

    id: str
    currency: str
    paid_on: date
    paid: Minor
    total: Minor
    tax: Minor
    payments: tuple[Payment, ...] = ()
    refunds: tuple[Refund, ...] = ()
    credit_notes: tuple[CreditNote, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BilledEntry:
    """One line for the ledger; `amount` is in the reporting currency, None when it has none."""

    external_id: str
    kind: RevenueKind
    counted_on: date
    amount: Decimal | None
    original_amount: Decimal
    original_currency: str
    invoice_id: str


def entries(invoice: PaidInvoice, reporting: str) -> tuple[BilledEntry, ...]:
    """What the invoice counts in the month of its payment; nothing, if nothing was paid.

    A refund counts as far as no credit note covers it: the two tell of the same money.
    """
    if not invoice.paid:
        return ()
    books = _Books(invoice, reporting)
    return tuple(
        entry
        for entry in (books.invoice(), *books.credit_notes(), *books.refunds())
        if entry.original_amount
    )


class _Books:
    """The arithmetic of one invoice."""

    def __init__(self, invoice: PaidInvoice, reporting: str) -> None:
        self._invoice = invoice
        self._reporting = reporting
        self._rates = {one.refund_id: self._rate(one.exchanged) for one in invoice.refunds}
        self._paid_rate = self._rate_of_payments()

    def invoice(self) -> BilledEntry:
        one = self._invoice
        net = less_tax(one.paid, tax=one.tax, total=one.total)
        return self._entry(one.id, RevenueKind.INVOICE, net, _times(net, self._paid_rate))

    def credit_notes(self) -> list[BilledEntry]:
        return [self._credit_note(note) for note in self._invoice.credit_notes]

    def refunds(self) -> list[BilledEntry]:
        invoice = self._invoice
        written = []
        for refund in invoice.refunds:
            rest = max(refund.amount - self._covered(refund.refund_id), Fraction(0))
            net = -less_tax(rest, tax=invoice.tax, total=invoice.total)
            converted = _times(net, self._rates[refund.refund_id])
            written.append(self._entry(refund.id, RevenueKind.REFUND, net, converted))
        return written

    def _credit_note(self, note: CreditNote) -> BilledEntry:
        net = -less_tax(note.amount, tax=note.tax, total=note.total)
        # What went back as money did so at a rate of its own, the rest never left the account.
        parts = [(amount, self._rates.get(by)) for by, amount in note.refunded]
        rest = note.amount - sum((amount for amount, _ in parts), Fraction(0))
        rate = _mean_rate([*parts, (rest, self._paid_rate)])
        return self._entry(note.id, RevenueKind.CREDIT_NOTE, net, _times(net, rate))

    def _covered(self, refund_id: str) -> Fraction:
        return Fraction(
            sum(
                amount
                for note in self._invoice.credit_notes
                for by, amount in note.refunded
                if by == refund_id
            )
        )

    def _rate(self, exchanged: Exchanged | None) -> Fraction | None:
        if self._invoice.currency == self._reporting:
            return Fraction(1)
        return exchanged.rate(self._reporting) if exchanged else None

    def _rate_of_payments(self) -> Fraction | None:
        if self._invoice.currency == self._reporting:
            return Fraction(1)
        parts = [(one.amount, self._rate(one.exchanged)) for one in self._invoice.payments]
        unknown = self._invoice.paid - sum((amount for amount, _ in parts), Fraction(0))
        return _mean_rate([*parts, (unknown, None)])

    def _entry(
        self, external_id: str, kind: RevenueKind, net: Fraction, converted: Fraction | None
    ) -> BilledEntry:
        invoice = self._invoice
        amount = None if converted is None else whole_units(converted, self._reporting)
        return BilledEntry(
            external_id=external_id,
            kind=kind,
            counted_on=invoice.paid_on,
            amount=amount,
            original_amount=whole_units(net, invoice.currency),
            original_currency=invoice.currency,
            invoice_id=invoice.id,
        )


def less_tax(amount: Minor, *, tax: Minor, total: Minor) -> Fraction:
    """Take the tax out of a part of a total that includes it; what is beyond it has no tax."""
    return amount - Fraction(tax) * min(amount, total) / total if total > 0 else Fraction(amount)


def _times(amount: Fraction, rate: Fraction | None) -> Fraction | None:
    return None if rate is None else amount * rate


def _mean_rate(parts: Sequence[tuple[Minor, Fraction | None]]) -> Fraction | None:
    """The rate of several amounts together; None as soon as one of them has none."""
    counted = [(amount, rate) for amount, rate in parts if amount]
    if not counted or any(rate is None for _, rate in counted):
        return None
    amounts = Fraction(sum(amount for amount, _ in counted))
    return Fraction(sum(amount * rate for amount, rate in counted if rate)) / amounts
