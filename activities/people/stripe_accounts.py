"""A tenant's Stripe account, opened: its key is unsealed here, and goes nowhere but to Stripe."""

from collections.abc import Callable

from sqlalchemy.ext.asyncio import AsyncConnection

from activities.ports import Billing, BillingAccount
from models.db.vault import Sealed, Vault
from models.queries.people import stripe_accounts


class StripeAccounts:
    """Opens accounts with the keys that the vault keeps."""

    def __init__(self, billing: Billing, vault: Callable[[], Vault]) -> None:
        self._billing = billing
        self._vault = vault

    async def opened(self, db: AsyncConnection, tenant_id: str) -> BillingAccount | None:
        """The tenant's account, None when it has none; Stripe is not asked yet."""
        row = await stripe_accounts.one(db)
        if row is None:
            return None
        sealed = Sealed.split(row.key_id, row.sealed_key)
        return self._billing.account(self._vault().open(sealed, stripe_accounts.place(tenant_id)))

    async def close(self) -> None:
        """Close the connections to Stripe."""
        await self._billing.close()
