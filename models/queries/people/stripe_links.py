"""Which Stripe customer a company is: looked up, linked, unlinked."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from models.contracts.actors import Actor
from models.errors import Conflict, NotFound
from models.queries.people.client_profiles import ClientProfile
from models.queries.people.history import Occurrence, record
from models.rules.clients.vocabulary import HistoryKind, RevenueOrigin
from models.tables.clients_revenue import RevenueEntry, StripeLink

TAKEN = "The Stripe customer is linked to another company."
_FIELD = "stripe_customer_id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A company's link, as it is told."""

    company_id: str
    stripe_customer_id: str
    customer_name: str | None
    customer_email: str | None
    linked_by: str
    linked_at: datetime


_LINK = select(
    StripeLink.company_id, StripeLink.stripe_customer_id, StripeLink.customer_name,
    StripeLink.customer_email, StripeLink.linked_by, StripeLink.linked_at,
)  # fmt: skip


async def of_company(db: AsyncConnection, company_id: str) -> Link | None:
    """The company's link."""
    found = await db.execute(_LINK.where(StripeLink.company_id == company_id))
    row = found.one_or_none()
    return Link(**row._mapping) if row else None


async def companies(db: AsyncConnection, customer_ids: Sequence[str]) -> dict[str, str]:
    """The companies that these customers are linked to, by customer."""
    found = await db.execute(
        select(StripeLink.stripe_customer_id, StripeLink.company_id).where(
            StripeLink.stripe_customer_id.in_(customer_ids)
        )
    )
    return {row.stripe_customer_id: row.company_id for row in found}


async def link(db: AsyncConnection, client: ClientProfile, wanted: Link, *, actor: Actor) -> Link:
    """Link a locked client to a customer; the link that is there is left alone.

    Raises:
        Conflict: the company is linked to another customer, or the customer to another company.
    """
    present = await of_company(db, client.company_id)
    if present is not None:
        refuse_other(present, wanted.stripe_customer_id)
        return present
    values = {
        "tenant_id": client.tenant_id,
        "company_id": wanted.company_id,
        "stripe_customer_id": wanted.stripe_customer_id,
        "customer_name": wanted.customer_name,
        "customer_email": wanted.customer_email,
        "linked_by": wanted.linked_by,
        "linked_at": wanted.linked_at,
    }
    # Whoever links the same customer to another company meanwhile is waited for here.
    written = await db.execute(insert(StripeLink).values(values).on_conflict_do_nothing())
    if not written.rowcount:
        raise Conflict(TAKEN)
    await record(
        db,
        tenant_id=client.tenant_id,
        company_id=client.company_id,
        actor=actor,
        occurrences=[
            Occurrence(
                kind=HistoryKind.STRIPE_LINKED,
                field=_FIELD,
                new_value=wanted.stripe_customer_id,
                details={_FIELD: wanted.stripe_customer_id},
            )
        ],
        at=wanted.linked_at,
    )
    return wanted


async def unlink(db: AsyncConnection, client: ClientProfile, *, actor: Actor, at: datetime) -> None:
    """Remove a locked client's link and what was imported by it; the tenant's own invoices stay.

    Raises:
        NotFound: the company has no link.
    """
    # First the link: an import that is writing holds it, and no later one finds it.
    gone = await db.execute(
        delete(StripeLink)
        .where(StripeLink.company_id == client.company_id)
        .returning(StripeLink.stripe_customer_id)
    )
    customer_id = gone.scalar_one_or_none()
    if customer_id is None:
        raise NotFound("The company is not linked to a Stripe customer.")
    await db.execute(
        delete(RevenueEntry).where(
            RevenueEntry.company_id == client.company_id,
            RevenueEntry.origin == RevenueOrigin.STRIPE,
        )
    )
    await record(
        db,
        tenant_id=client.tenant_id,
        company_id=client.company_id,
        actor=actor,
        occurrences=[
            Occurrence(
                kind=HistoryKind.STRIPE_UNLINKED,
                field=_FIELD,
                old_value=customer_id,
                details={_FIELD: customer_id},
            )
        ],
        at=at,
    )


def refuse_other(present: Link, customer_id: str) -> None:
    """Refuse another customer than the one that is linked.

    Raises:
        Conflict: it is another one.
    """
    if present.stripe_customer_id != customer_id:
        raise Conflict("The company is linked to a different Stripe customer.")
