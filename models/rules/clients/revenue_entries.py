"""Revenue entries: which documents of a ledger are kept, and what they count.

Source: clients/tier_scores.yaml, rules.revenue.entries. Drafts and void documents are not kept;
credit notes and refunds take away from revenue, however their amounts were sent.
"""

from collections import Counter
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from models.errors import Conflict, Invalid, ProblemItem
from models.rules.clients.vocabulary import RevenueKind, RevenueOrigin

Reference = tuple[RevenueOrigin, str]
"""What a document is known by: its origin and its id there."""


class RevenueStatus(StrEnum):
    """Where a document of a ledger stands."""

    ISSUED = "issued"
    PAID = "paid"
    DRAFT = "draft"
    VOID = "void"


KEPT = frozenset({RevenueStatus.ISSUED, RevenueStatus.PAID})
"""What is revenue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RevenueDocument:
    """An invoice, credit note or refund as the ledger keeps it; signed, net of tax.

    `amount` is in the tenant's reporting currency; without it the document counts nowhere.
    """

    origin: RevenueOrigin
    external_id: str
    kind: RevenueKind
    counted_on: date
    amount: Decimal | None
    original_amount: Decimal
    original_currency: str
    stripe_invoice_id: str | None = None

    @property
    def reference(self) -> Reference:
        return self.origin, self.external_id


@dataclass(frozen=True, slots=True, kw_only=True)
class SentEntry:
    """A document as a ledger sends it; `in_reporting` is its amount in the reporting currency."""

    origin: RevenueOrigin
    external_id: str
    kind: RevenueKind
    status: RevenueStatus
    dated: date
    amount: Decimal
    currency: str
    in_reporting: Decimal | None = None
    stripe_invoice_id: str | None = None

    @property
    def reference(self) -> Reference:
        return self.origin, self.external_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """What shall be in the ledger from now on, and what shall not."""

    documents: tuple[RevenueDocument, ...]
    withdrawn: tuple[Reference, ...]

    @property
    def not_counted(self) -> int:
        """How many are kept and count nowhere."""
        return sum(one.amount is None for one in self.documents)


def signed(kind: RevenueKind, amount: Decimal) -> Decimal:
    """The amount as it counts: of whatever is no invoice it is below nothing."""
    return amount if kind is RevenueKind.INVOICE else -abs(amount)


def intake(entries: Sequence[SentEntry], reporting_currency: str) -> Intake:
    """Sort out what was sent.

    Raises:
        Invalid: a document is there twice, or the members of one do not fit together.
    """
    times = Counter(one.reference for one in entries)
    items = [
        ProblemItem(location=f"body.entries.{number}.{member}", message=message, value=value)
        for number, one in enumerate(entries)
        for member, message, value in _misfits(one, reporting_currency, times[one.reference])
    ]
    if items:
        raise Invalid("The entries do not fit together.", *items)
    return Intake(
        documents=tuple(
            _document(one, reporting_currency) for one in entries if one.status in KEPT
        ),
        withdrawn=tuple(one.reference for one in entries if one.status not in KEPT),
    )


def refuse_foreign(entries: Sequence[SentEntry], foreign: Container[Reference]) -> None:
    """See to it that no company takes another's documents.

    Raises:
        Conflict: some of the entries are known as another company's.
    """
    items = [
        ProblemItem(
            location=f"body.entries.{number}.external_id",
            message="This id belongs to another company.",
            value=one.external_id,
        )
        for number, one in enumerate(entries)
        if one.reference in foreign
    ]
    if items:
        raise Conflict("Some of the entries belong to another company.", *items)


def _misfits(
    one: SentEntry, reporting_currency: str, times: int
) -> Iterator[tuple[str, str, str | float | None]]:
    if times > 1:
        yield "external_id", "This id is there more than once.", one.external_id
    is_invoice = one.kind is RevenueKind.INVOICE
    if one.stripe_invoice_id is not None and not (
        is_invoice and one.origin is RevenueOrigin.NUCLEUS
    ):
        message = "Only an invoice of nucleus can stand in for one of Stripe."
        yield "stripe_invoice_id", message, one.stripe_invoice_id
    if one.in_reporting is None:
        return
    member, sent = "amount_in_reporting_currency", float(one.in_reporting)
    if one.currency == reporting_currency and signed(one.kind, one.in_reporting) != signed(
        one.kind, one.amount
    ):
        yield member, f"{one.currency} is the reporting currency, so it is the amount.", sent
    elif is_invoice and one.in_reporting * one.amount < 0:
        yield member, "It has another sign than the amount.", sent


def _document(one: SentEntry, reporting_currency: str) -> RevenueDocument:
    known = one.amount if one.currency == reporting_currency else one.in_reporting
    return RevenueDocument(
        origin=one.origin,
        external_id=one.external_id,
        kind=one.kind,
        counted_on=one.dated,
        amount=None if known is None else signed(one.kind, known),
        original_amount=signed(one.kind, one.amount),
        original_currency=one.currency,
        stripe_invoice_id=one.stripe_invoice_id,
    )
