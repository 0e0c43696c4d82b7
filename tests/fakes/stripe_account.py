"""A tenant whose Stripe account is the fake one."""

from datetime import UTC, datetime

from pydantic import SecretStr
from sqlalchemy import insert, update

from models.contracts.actors import SYSTEM
from models.db.database import Database
from models.db.vault import Vault
from models.queries.people import stripe_accounts
from models.tables.clients_revenue import StripeLink
from models.tables.people import Tenant
from tests.fakes.stripe import KEY

LINKED_AT = datetime(2026, 3, 1, tzinfo=UTC)


async def connect(
    database: Database, tenant_id: str, vault: Vault, *, key: str = KEY, currency: str = "USD"
) -> None:
    """Connect the account, for a tenant that reports in this currency."""
    sealed = vault.seal(SecretStr(key), stripe_accounts.place(tenant_id))
    async with database.tenant(tenant_id) as db:
        await db.execute(update(Tenant).values(currency=currency))
        await stripe_accounts.connect(
            db, tenant_id, sealed, name="Aster Agency", actor=SYSTEM, at=LINKED_AT
        )


async def link(
    database: Database,
    tenant_id: str,
    company_id: str,
    customer_id: str,
    linked_by: str,
    at: datetime = LINKED_AT,
) -> None:
    """Link a company as the API does, without asking for the import."""
    values = {
        "tenant_id": tenant_id, "company_id": company_id, "stripe_customer_id": customer_id,
        "linked_by": linked_by, "linked_at": at,
    }  # fmt: skip
    async with database.tenant(tenant_id) as db:
        await db.execute(insert(StripeLink).values(values))
