"""What crosses Temporal about Stripe: ids, days and counts; never a key, a name or an address."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportStripeRevenue:
    """Import what a company's Stripe customer has paid, for the window from `first` to `end`.

    The first import takes in all that was ever paid; a later one what may have changed since.
    """

    tenant_id: str
    company_id: str
    first: date
    end: date


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedStripeRevenue:
    """How many documents were read and written; nothing, where no account or link is there."""

    invoices: int = 0
    credit_notes: int = 0
    refunds: int = 0
