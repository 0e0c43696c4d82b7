"""Stripe: the customers of the tenant's account, and which of them a company is.

Stripe is asked within the request: who looks for a customer waits for the answer, and names and
e-mail addresses do not belong into a workflow's history. No transaction is open meanwhile.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Final

from fastapi import APIRouter, Query
from pydantic import StringConstraints
from sqlalchemy.ext.asyncio import AsyncConnection

from activities.ports import BillingAccount, BillingCustomer
from api.http.auth import Principal
from api.http.commands import Commands, Desk
from api.http.db import WriteDb
from api.http.problems import problems
from api.http.services import Given, Services
from api.http.wire import UlidPath
from api.people.rights import ClientEditor, ClientViewer
from api.people.stripe.schemas import (
    StripeCustomerOut,
    StripeCustomersOut,
    StripeLinkedOut,
    StripeLinkIn,
    StripeLinkOut,
    StripeUnlinkedOut,
)
from models.contracts.revenue import (
    RECALCULATION,
    SUMMARY,
    Recalculate,
    RecalculateRevenue,
    recalculation_workflow,
)
from models.errors import Conflict, NotFound, Unprocessable
from models.queries.people import client_profiles, stripe_links
from models.queries.people.stripe_links import Link
from workflows.people.revenue_recalculation import RevenueRecalculationWorkflow

router = APIRouter(prefix="/{company_id}/stripe", tags=["Client Stripe"])

_FOUND_AT_MOST: Final = 20
_WHY: Final = {
    422: "The tenant has no connected Stripe account.",
    502: "Stripe could not be reached, or refused the call.",
}

Sought = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200),
    Query(description="Part of a name or an e-mail address, or a whole id."),
]


@router.get(
    "/search", summary="Search Stripe customers", responses=problems(404, 422, 502, why=_WHY)
)
async def search_customers(
    company_id: UlidPath, viewer: ClientViewer, services: Given, q: Sought
) -> StripeCustomersOut:
    """Find customers of the tenant's Stripe account, newest first, at most 20."""
    async with services.database.tenant(viewer.tenant_id) as db:
        await client_profiles.require(db, company_id)
        account = await _account(services, db, viewer)
    customers = await account.search_customers(q, _FOUND_AT_MOST)
    async with services.database.tenant(viewer.tenant_id) as db:
        linked = await stripe_links.companies(db, [one.id for one in customers])
    return _found(customers, linked)


@router.post(
    "/link",
    summary="Link a Stripe customer",
    responses=problems(
        404,
        409,
        422,
        502,
        503,
        why={
            **_WHY,
            404: "There is no such client, or Stripe knows no such customer (any more).",
            409: "The company is linked to a different customer, or the customer elsewhere.",
            503: "The link is kept, but its invoices are not imported yet: send it again.",
        },
    ),
)
async def link_customer(
    company_id: UlidPath,
    wanted: StripeLinkIn,
    editor: ClientEditor,
    services: Given,
    commands: Commands,
) -> StripeLinkedOut:
    """Link the company to a customer, and have its invoices imported in the background.

    The same link again is no change, but its import is asked for again. So where Temporal does not
    answer (503, with Retry-After) the link is kept, and a repeat makes up for the import.
    """
    customer_id = wanted.stripe_customer_id
    async with services.database.tenant(editor.tenant_id) as db:
        await client_profiles.require(db, company_id)
        account = await _account(services, db, editor)
        link = await _present(db, company_id, customer_id)
    if link is None:
        customer = await account.customer(customer_id)
        if customer is None:
            raise NotFound("Stripe knows no such customer.")
        link = await _stored(services, editor, company_id, customer)
    await _import_soon(commands, editor.tenant_id, company_id)
    return StripeLinkedOut(link=StripeLinkOut.model_validate(link))


@router.delete(
    "/link",
    summary="Unlink the Stripe customer",
    responses=problems(404, why={404: "There is no such client, or it has no link."}),
)
async def unlink_customer(
    company_id: UlidPath, editor: ClientEditor, db: WriteDb
) -> StripeUnlinkedOut:
    """Remove the link with what was imported by it; scores follow at the next recalculation."""
    client = await client_profiles.locked(db, company_id)
    await stripe_links.unlink(db, client, actor=editor.actor, at=datetime.now(UTC))
    return StripeUnlinkedOut()


async def _account(services: Services, db: AsyncConnection, principal: Principal) -> BillingAccount:
    account = await services.stripe.opened(db, principal.tenant_id)
    if account is None:
        raise Unprocessable("The tenant has no connected Stripe account.")
    return account


async def _present(db: AsyncConnection, company_id: str, customer_id: str) -> Link | None:
    """The link, if it is there already; whoever else holds either side of it is a conflict."""
    link = await stripe_links.of_company(db, company_id)
    if link is not None:
        stripe_links.refuse_other(link, customer_id)
    elif await stripe_links.companies(db, [customer_id]):
        raise Conflict(stripe_links.TAKEN)
    return link


async def _stored(
    services: Services, editor: Principal, company_id: str, customer: BillingCustomer
) -> Link:
    wanted = Link(
        company_id=company_id,
        stripe_customer_id=customer.id,
        customer_name=customer.name,
        customer_email=customer.email,
        linked_by=editor.id,
        linked_at=datetime.now(UTC),
    )
    async with services.database.tenant(editor.tenant_id) as db:
        client = await client_profiles.locked(db, company_id)
        return await stripe_links.link(db, client, wanted, actor=editor.actor)


async def _import_soon(commands: Desk, tenant_id: str, company_id: str) -> None:
    await commands.tell_with_start(
        RevenueRecalculationWorkflow.run,
        RecalculateRevenue(tenant_id=tenant_id),
        RevenueRecalculationWorkflow.recalculate,
        Recalculate(company_ids=(company_id,)),
        id=recalculation_workflow(tenant_id),
        kind=RECALCULATION,
        static_summary=SUMMARY,
    )


def _found(customers: Sequence[BillingCustomer], linked: dict[str, str]) -> StripeCustomersOut:
    return StripeCustomersOut(
        customers=[
            StripeCustomerOut(
                id=one.id,
                name=one.name,
                email=one.email,
                currency=one.currency,
                created=one.created,
                linked_company_id=linked.get(one.id),
            )
            for one in customers
        ]
    )
