"""Revenue entries: how a document of a ledger is counted.

Source: clients/tier_scores.yaml, rules.revenue.entries. Drafts and void documents are not kept;
credit notes and refunds take away from revenue, however their amounts were sent.
"""

from decimal import Decimal
from enum import StrEnum

from models.rules.clients.vocabulary import RevenueKind


class RevenueStatus(StrEnum):
    """Where a document of a ledger stands."""

    ISSUED = "issued"
    PAID = "paid"
    DRAFT = "draft"
    VOID = "void"


def is_kept(status: RevenueStatus) -> bool:
    """Tell whether a document of this status is revenue."""
    return status in (RevenueStatus.ISSUED, RevenueStatus.PAID)


def signed(kind: RevenueKind, amount: Decimal) -> Decimal:
    """The amount as it counts: of whatever is no invoice it is below nothing."""
    return amount if kind is RevenueKind.INVOICE else -abs(amount)


def counted(
    kind: RevenueKind,
    *,
    amount: Decimal,
    currency: str,
    in_reporting: Decimal | None,
    reporting_currency: str,
) -> Decimal | None:
    """The signed amount in the reporting currency; without one the document counts nowhere."""
    known = amount if currency == reporting_currency else in_reporting
    return None if known is None else signed(kind, known)
