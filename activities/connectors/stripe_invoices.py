"""Paid invoices as Stripe has them: which of them may have changed, and what belongs to each.

Stripe lets lists be bounded by when a thing was made, not by when it changed. So an invoice is read
again when it was paid since, when one of the refunds made since is of its payments, or when one of
the credit notes made since is of it; only for those are charges and credit notes asked for. The
first time everything is new, and the customer's charges are read in one go.
"""

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fractions import Fraction
from typing import Final

import stripe
from stripe.params import InvoiceListParams

from activities.connectors.stripe_errors import translated_errors
from activities.ports import InvoicePage, Unread
from models.rules.clients.billing import (
    CreditNote,
    Exchanged,
    Minor,
    PaidInvoice,
    Payment,
    Refund,
)

_PAGE: Final = 100
_CHARGE_PARTS: Final = ["data.balance_transaction", "data.refunds.data.balance_transaction"]
_GIVEN_BACK_NOT: Final = frozenset({"failed", "canceled"})


@dataclass(slots=True)
class _Touched:
    """What was refunded or credited since: payments (intents or charges) and invoices."""

    payments: set[str] = field(default_factory=set)
    invoices: set[str] = field(default_factory=set)


class InvoiceReader:
    """Reads one customer's paid invoices, once."""

    def __init__(self, sdk: stripe.StripeClient, customer_id: str, wanted: Unread) -> None:
        self._v1 = sdk.v1
        self._customer_id = customer_id
        self._wanted = wanted
        self._charges: dict[str, list[stripe.Charge]] | None = None

    async def pages(self) -> AsyncIterator[InvoicePage]:
        """All that are wanted, newest first; at the end older ones that were given back."""
        touched = _Touched()
        with translated_errors():
            if self._wanted.since is None:
                self._charges = await self._all_charges()
            else:
                touched = await self._touched_since(self._wanted.since)
        last, more = self._wanted.after, True
        while more:
            with translated_errors():
                listed = await self._v1.invoices.list_async(self._params(last))
                chosen = [one for one in listed.data if self._is_wanted(one, touched)]
                read = [await self._read(one) for one in chosen]
                last = listed.data[-1].id if listed.data else last
                more = listed.has_more and bool(listed.data)
                for one in listed.data:
                    touched.invoices.discard(one.id)
                    touched.payments -= _payment_ids(one.payments.data if one.payments else [])
            yield InvoicePage(invoices=tuple(read), last=last)
        if touched.payments or touched.invoices:
            yield InvoicePage(invoices=tuple(await self._read_older(touched)), last=last)

    def _params(self, after: str | None) -> InvoiceListParams:
        params: InvoiceListParams = {
            "customer": self._customer_id,
            "status": "paid",
            "limit": _PAGE,
            "expand": ["data.payments"],
        }
        if self._wanted.created_since is not None:
            params["created"] = {"gte": int(self._wanted.created_since.timestamp())}
        if after is not None:
            params["starting_after"] = after
        return params

    def _is_wanted(self, one: stripe.Invoice, touched: _Touched) -> bool:
        since = self._wanted.since
        return (
            since is None
            or _paid_at(one) >= since
            or one.id in touched.invoices
            or bool(_payment_ids(one.payments.data if one.payments else []) & touched.payments)
        )

    async def _touched_since(self, since: datetime) -> _Touched:
        created = {"gte": int(since.timestamp())}
        touched = _Touched()
        notes = await self._v1.credit_notes.list_async(
            {"customer": self._customer_id, "created": {"gte": created["gte"]}, "limit": _PAGE}
        )
        async for note in notes.auto_paging_iter():
            touched.invoices.add(_id(note.invoice))
        # Refunds cannot be listed by customer; most of them tell whose they are.
        refunds = await self._v1.refunds.list_async(
            {"created": {"gte": created["gte"]}, "limit": _PAGE}
        )
        async for refund in refunds.auto_paging_iter():
            customer = getattr(refund, "customer", None)
            if customer is None or _id(customer) == self._customer_id:
                # As an invoice names its payments: by the intent, if there is one.
                touched.payments |= _ids(refund.payment_intent or refund.charge)
        return touched

    async def _read_older(self, touched: _Touched) -> list[PaidInvoice]:
        with translated_errors():
            for intent in sorted(one for one in touched.payments if one.startswith("pi_")):
                listed = await self._v1.invoice_payments.list_async(
                    {"payment": {"type": "payment_intent", "payment_intent": intent}}
                )
                async for one in listed.auto_paging_iter():
                    touched.invoices.add(_id(one.invoice))
            read = []
            for invoice_id in sorted(touched.invoices):
                found = await self._v1.invoices.retrieve_async(invoice_id, {"expand": ["payments"]})
                is_theirs = found.customer and _id(found.customer) == self._customer_id
                if is_theirs and found.status == "paid":
                    read.append(await self._read(found))
            return read

    async def _read(self, one: stripe.Invoice) -> PaidInvoice:
        payments, refunds = [], []
        for payment in await self._payments(one):
            amount = payment.amount_paid or 0
            charge = await self._charge(payment)
            payments.append(Payment(amount=amount, exchanged=_exchanged(charge)))
            if charge is not None:
                # A charge may pay several invoices; each bears its share of a refund.
                share = min(Fraction(amount, charge.amount), Fraction(1))
                refunds += [_refund(back, share, one.id) for back in await self._refunds(charge)]
        credited = getattr(one, "post_payment_credit_notes_amount", 0)
        return PaidInvoice(
            id=one.id,
            currency=one.currency.upper(),
            paid_on=_paid_at(one).date(),
            paid=one.amount_paid,
            total=one.total,
            tax=_tax(one),
            payments=tuple(payments),
            refunds=tuple(refunds),
            credit_notes=tuple(await self._credit_notes(one.id)) if credited else (),
        )

    async def _payments(self, one: stripe.Invoice) -> list[stripe.InvoicePayment]:
        listed = one.payments
        if listed is None:
            return []
        everything = listed.data
        if listed.has_more:
            whole = await self._v1.invoice_payments.list_async({"invoice": one.id, "limit": _PAGE})
            everything = [payment async for payment in whole.auto_paging_iter()]
        return [payment for payment in everything if payment.status == "paid"]

    async def _charge(self, payment: stripe.InvoicePayment) -> stripe.Charge | None:
        """The charge that succeeded; None for what was paid outside of Stripe."""
        for known in _payment_ids([payment]):
            charges = (self._charges or {}).get(known)
            if charges is None:
                charges = await self._ask_charges(known)
            paid = next((one for one in charges if one.status == "succeeded"), None)
            if paid is not None:
                return paid
        return None

    async def _ask_charges(self, known: str) -> list[stripe.Charge]:
        if known.startswith("pi_"):
            listed = await self._v1.charges.list_async(
                {"payment_intent": known, "limit": _PAGE, "expand": _CHARGE_PARTS}
            )
            return listed.data
        expand = [part.removeprefix("data.") for part in _CHARGE_PARTS]
        return [await self._v1.charges.retrieve_async(known, {"expand": expand})]

    async def _all_charges(self) -> dict[str, list[stripe.Charge]]:
        charges: dict[str, list[stripe.Charge]] = {}
        listed = await self._v1.charges.list_async(
            {"customer": self._customer_id, "limit": _PAGE, "expand": _CHARGE_PARTS}
        )
        async for one in listed.auto_paging_iter():
            for known in _ids(one.payment_intent, one.id):
                charges.setdefault(known, []).append(one)
        return charges

    async def _refunds(self, charge: stripe.Charge) -> list[stripe.Refund]:
        listed = charge.refunds
        if listed is None:
            return []
        everything = listed.data
        if listed.has_more:
            whole = await self._v1.refunds.list_async(
                {"charge": charge.id, "limit": _PAGE, "expand": ["data.balance_transaction"]}
            )
            everything = [refund async for refund in whole.auto_paging_iter()]
        return [one for one in everything if one.status not in _GIVEN_BACK_NOT]

    async def _credit_notes(self, invoice_id: str) -> list[CreditNote]:
        listed = await self._v1.credit_notes.list_async({"invoice": invoice_id, "limit": _PAGE})
        return [
            _credit_note(note)
            async for note in listed.auto_paging_iter()
            if note.status == "issued" and note.post_payment_amount
        ]


def _refund(one: stripe.Refund, share: Fraction, invoice_id: str) -> Refund:
    return Refund(
        id=one.id if share == 1 else f"{one.id}:{invoice_id}",
        refund_id=one.id,
        amount=one.amount * share,
        exchanged=_exchanged(one),
    )


def _credit_note(note: stripe.CreditNote) -> CreditNote:
    refunded = [
        (_id(part.refund), part.amount_refunded) for part in note.refunds if part.refund is not None
    ]
    return CreditNote(
        id=note.id,
        amount=note.post_payment_amount,
        total=note.total,
        tax=_tax(note),
        refunded=tuple(refunded),
    )


def _exchanged(moved: stripe.Charge | stripe.Refund | None) -> Exchanged | None:
    booked = moved.balance_transaction if moved is not None else None
    if moved is None or not isinstance(booked, stripe.BalanceTransaction):
        return None
    return Exchanged(
        amount=abs(booked.amount), currency=booked.currency.upper(), gave=abs(moved.amount)
    )


def _tax(one: stripe.Invoice | stripe.CreditNote) -> Minor:
    if one.total_excluding_tax is not None:
        return one.total - one.total_excluding_tax
    return sum(tax.amount for tax in one.total_taxes or [])


def _paid_at(one: stripe.Invoice) -> datetime:
    # Only invoices of long ago are paid without saying when.
    return datetime.fromtimestamp(one.status_transitions.paid_at or one.created, UTC)


def _payment_ids(payments: Iterable[stripe.InvoicePayment]) -> set[str]:
    found: set[str] = set()
    for one in payments:
        found |= _ids(
            getattr(one.payment, "payment_intent", None), getattr(one.payment, "charge", None)
        )
    return found


def _ids(*named: str | stripe.StripeObject | None) -> set[str]:
    return {_id(one) for one in named if one is not None}


def _id(named: str | stripe.StripeObject) -> str:
    """The id of what may be named or be there in full."""
    return named if isinstance(named, str) else str(named["id"])
