"""Stripe customers and the link of a company to one, on the wire."""

from typing import Any, Literal

from pydantic import ConfigDict, Field

from api.http.wire import Second, Snake

_LINK: dict[str, Any] = {
    "company_id": "01K9C0MPANY000000000000001",
    "stripe_customer_id": "cus_Qx7LkT2vN4aB9c",
    "customer_name": "Northwind Traders",
    "customer_email": "billing@northwind.example",
    "linked_by": "01K9VSER000000000000000001",
    "linked_at": "2026-03-10T09:12:45Z",
}
_CUSTOMER: dict[str, Any] = {
    "id": "cus_Qx7LkT2vN4aB9c",
    "name": "Northwind Traders",
    "email": "billing@northwind.example",
    "currency": "USD",
    "created": "2024-11-05T14:03:20Z",
    "linked_company_id": None,
}


class StripeCustomerOut(Snake):
    """A customer of the tenant's Stripe account."""

    model_config = ConfigDict(json_schema_extra={"examples": [_CUSTOMER]})

    id: str
    name: str | None
    email: str | None
    currency: str | None = Field(description="What the customer is usually billed in, ISO 4217.")
    created: Second
    linked_company_id: str | None = Field(description="The company that is linked to it already.")


class StripeCustomersOut(Snake):
    """What a search found, newest first."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"customers": [_CUSTOMER]}]})

    customers: list[StripeCustomerOut]


class StripeLinkIn(Snake):
    """Which customer the company is."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"stripe_customer_id": "cus_Qx7LkT2vN4aB9c"}]}
    )

    stripe_customer_id: str = Field(pattern="^cus_[A-Za-z0-9]+$", max_length=255)


class StripeLinkOut(Snake):
    """A company's link, with what the customer was called when it was made."""

    model_config = ConfigDict(json_schema_extra={"examples": [_LINK]})

    company_id: str
    stripe_customer_id: str
    customer_name: str | None
    customer_email: str | None
    linked_by: str
    linked_at: Second


class StripeLinkedOut(Snake):
    """The link that holds now."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"link": _LINK}]})

    link: StripeLinkOut


class StripeUnlinkedOut(Snake):
    """The link is gone."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"ok": True}]})

    ok: Literal[True] = True
