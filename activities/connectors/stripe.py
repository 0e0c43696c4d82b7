"""Stripe through its own library: customers, and the paid invoices of one.

The library never retries: whoever asks within a request wants an answer, and steps are tried
again by their workflow's policy.
"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Final

import stripe
from pydantic import SecretStr

from activities.connectors.stripe_errors import translated_errors
from activities.connectors.stripe_invoices import InvoiceReader
from activities.ports import BillingCustomer, InvoicePage, Unread

API_VERSION: Final = "2026-10-28.endive"
"""What the answers are shaped like. Since 2025-03-31 an invoice names no charge but payments."""
BASE_URL: Final = "https://api.stripe.com"
TIMEOUT_SECONDS: Final = 15.0
_SHORTEST_SEARCH: Final = 3
"""Stripe's search takes parts of three characters and more."""
_PAGE: Final = 100
_BROWSED: Final = 1000
"""How many of the newest customers are looked through for less than that."""


class StripeBilling:
    """Stripe behind the `Billing` protocol; accounts share its connections."""

    def __init__(self, base_url: str = BASE_URL, *, timeout: float = TIMEOUT_SECONDS) -> None:
        self._base_url = base_url
        self._timeout = timeout
        self._http: stripe.HTTPXClient | None = None

    def account(self, key: SecretStr) -> "StripeAccountApi":
        """Open the account of this key; nothing is asked yet."""
        if self._http is None:
            self._http = stripe.HTTPXClient(timeout=self._timeout)
        sdk = stripe.StripeClient(
            key.get_secret_value(),
            stripe_version=API_VERSION,
            base_addresses={"api": self._base_url},
            max_network_retries=0,
            http_client=self._http,
        )
        return StripeAccountApi(sdk)

    async def close(self) -> None:
        """Close the connections."""
        if self._http is not None:
            await self._http.close_async()  # type: ignore[no-untyped-call]
            self._http = None


class StripeAccountApi:
    """One Stripe account behind the `BillingAccount` protocol."""

    def __init__(self, sdk: stripe.StripeClient) -> None:
        self._sdk = sdk

    async def verify(self) -> str | None:
        """Read one of each kind that is needed; the name is told to unrestricted keys alone."""
        v1 = self._sdk.v1
        with translated_errors():
            await v1.customers.list_async({"limit": 1})
            await v1.invoices.list_async({"limit": 1, "expand": ["data.payments"]})
            await v1.credit_notes.list_async({"limit": 1})
            await v1.charges.list_async({"limit": 1, "expand": ["data.balance_transaction"]})
            await v1.refunds.list_async({"limit": 1, "expand": ["data.balance_transaction"]})
            try:
                account = await v1.accounts.retrieve_current_async()
            except (stripe.PermissionError, stripe.InvalidRequestError):
                return None
            profile = getattr(account, "business_profile", None)
            return getattr(profile, "name", None) or account.id

    async def search_customers(self, q: str, limit: int) -> list[BillingCustomer]:
        """Search by Stripe's index, which lags some seconds; the shortest words by looking."""
        with translated_errors():
            if len(q) < _SHORTEST_SEARCH:
                found = await self._browse(q, limit)
            else:
                found = await self._search(q)
        if q.startswith("cus_") and q not in {one.id for one in found}:
            exact = await self.customer(q)
            found += [exact] if exact else []
        return sorted(found, key=lambda one: (one.created, one.id), reverse=True)[:limit]

    async def customer(self, customer_id: str) -> BillingCustomer | None:
        """The customer; None where there is none, or not any more."""
        with translated_errors():
            try:
                found = await self._sdk.v1.customers.retrieve_async(customer_id)
            except stripe.InvalidRequestError as error:
                if error.http_status == 404:
                    return None
                raise
            return None if _is_deleted(found) else _customer(found)

    async def paid_invoices(self, customer_id: str, wanted: Unread) -> AsyncIterator[InvoicePage]:
        """Paid invoices with their refunds and credit notes, newest first."""
        reader = InvoiceReader(self._sdk, customer_id, wanted)
        async for page in reader.pages():
            yield page

    async def _search(self, q: str) -> list[BillingCustomer]:
        text = q.replace("\\", "\\\\").replace('"', '\\"')
        query = f'name~"{text}" OR email~"{text}"'
        page = await self._sdk.v1.customers.search_async({"query": query, "limit": _PAGE})
        return [_customer(one) for one in page.data if not _is_deleted(one)]

    async def _browse(self, q: str, limit: int) -> list[BillingCustomer]:
        wanted, found, seen = q.casefold(), list[BillingCustomer](), 0
        listed = await self._sdk.v1.customers.list_async({"limit": _PAGE})
        async for one in listed.auto_paging_iter():
            seen += 1
            shown = f"{one.name or ''}\n{one.email or ''}".casefold()
            if wanted in shown and not _is_deleted(one):
                found.append(_customer(one))
            if len(found) == limit or seen == _BROWSED:
                break
        return found


def _customer(one: stripe.Customer) -> BillingCustomer:
    currency = getattr(one, "currency", None)
    return BillingCustomer(
        id=one.id,
        name=one.name or None,
        email=one.email or None,
        currency=currency.upper() if currency else None,
        created=datetime.fromtimestamp(one.created, UTC),
    )


def _is_deleted(one: stripe.Customer) -> bool:
    return bool(getattr(one, "deleted", False))
