"""The revenue ledger, and the link of a company to its Stripe customer.

Source: clients/tier_scores.yaml, rules.revenue, and clients/stripe.yaml. Money is in whole currency
units, net of tax.
"""

from datetime import date

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base, Created, Moment, Money, TenantRow


class RevenueEntry(TenantRow, Base):
    """An invoice, credit note or refund that counts; drafts and void invoices have no row.

    Each origin takes entries in by ids of its own (`external_id`), so that taking one in again
    changes the row that is there: nucleus by the number of the document, stripe by the Stripe id
    of the invoice, credit note or refund, productive by the id over there. `amount` is in the
    tenant's reporting currency, fixed when the entry came in; without it the entry counts nowhere.
    `counted_on` is the invoice's date, of what Stripe sends the day of payment. Of Stripe's
    documents, and of a nucleus invoice that was billed by Stripe, `stripe_invoice_id` names the
    invoice they belong to: the nucleus invoice replaces them.
    """

    __tablename__ = "revenue_entry"
    id: Mapped[str] = mapped_column(primary_key=True)
    company_id: Mapped[str] = mapped_column(ForeignKey("company.id"))
    origin: Mapped[str]
    external_id: Mapped[str]
    kind: Mapped[str]
    counted_on: Mapped[date]
    amount: Mapped[Money | None]
    original_amount: Mapped[Money]
    original_currency: Mapped[str]
    stripe_invoice_id: Mapped[str | None]
    created_at: Mapped[Created]
    updated_at: Mapped[Created]

    __table_args__ = (
        UniqueConstraint("tenant_id", "origin", "external_id"),
        CheckConstraint("origin in ('nucleus', 'stripe', 'productive')", name="origin"),
        CheckConstraint("kind in ('invoice', 'credit_note', 'refund')", name="kind"),
        CheckConstraint("kind = 'invoice' or original_amount <= 0", name="sign"),
        CheckConstraint("original_currency ~ '^[A-Z]{3}$'", name="original_currency"),
        CheckConstraint(
            "origin <> 'stripe' or stripe_invoice_id is not null", name="stripe_invoice"
        ),
        # All that a sum needs, company by company and day by day, without a look at the table.
        Index(
            "ix_revenue_entry_counted", "tenant_id", "company_id", "counted_on",
            postgresql_include=["origin", "amount"],
            postgresql_where="amount is not null",
        ),
        Index("ix_revenue_entry_listed", "company_id", "counted_on", "id"),
        Index(
            "ix_revenue_entry_stripe_invoice", "tenant_id", "stripe_invoice_id",
            postgresql_where="stripe_invoice_id is not null",
        ),
    )  # fmt: skip


class StripeAccount(TenantRow, Base):
    """The tenant's own Stripe account; its restricted key is sealed with the key `key_id`."""

    __tablename__ = "stripe_account"
    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenant.id"), primary_key=True)
    sealed_key: Mapped[bytes] = mapped_column(LargeBinary)
    key_id: Mapped[str]
    name: Mapped[str | None]
    connected_at: Mapped[Created]


class StripeLink(TenantRow, Base):
    """Which Stripe customer a company is; one company a customer, one customer a company."""

    __tablename__ = "stripe_link"
    company_id: Mapped[str] = mapped_column(ForeignKey("client.company_id"), primary_key=True)
    stripe_customer_id: Mapped[str]
    customer_name: Mapped[str | None]
    customer_email: Mapped[str | None]
    linked_by: Mapped[str] = mapped_column(ForeignKey("principal.id"))
    linked_at: Mapped[Moment]
    imported_at: Mapped[Moment | None]
    """When the customer's invoices were imported last."""

    __table_args__ = (UniqueConstraint("tenant_id", "stripe_customer_id"),)
