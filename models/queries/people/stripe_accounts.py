"""The Stripe account of a tenant: there is one or none, and its key is sealed."""

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from models.contracts.actors import Actor
from models.db.rows import AnyRow
from models.db.vault import Place, Sealed
from models.queries.records import audit
from models.tables.clients_revenue import StripeAccount

ENTITY = "stripe_account"


def place(tenant_id: str) -> Place:
    """Where the account's key is kept."""
    return Place(tenant_id=tenant_id, table=StripeAccount.__tablename__)


async def one(db: AsyncConnection) -> AnyRow | None:
    """The account: its `name`, when it was `connected_at`, and its `sealed_key` and `key_id`."""
    found = await db.execute(
        select(
            StripeAccount.name,
            StripeAccount.connected_at,
            StripeAccount.sealed_key,
            StripeAccount.key_id,
        )
    )
    return found.one_or_none()


async def is_connected(db: AsyncConnection) -> bool:
    """Tell whether the tenant has an account."""
    found = await db.execute(select(StripeAccount.tenant_id))
    return found.one_or_none() is not None


async def connect(
    db: AsyncConnection,
    tenant_id: str,
    sealed: Sealed,
    *,
    name: str | None,
    actor: Actor,
    at: datetime,
) -> None:
    """Connect the account, in place of the one that is connected."""
    values = {
        "sealed_key": sealed.joined,
        "key_id": sealed.key_id,
        "name": name,
        "connected_at": at,
    }
    await db.execute(
        insert(StripeAccount)
        .values(tenant_id=tenant_id, **values)
        .on_conflict_do_update(index_elements=["tenant_id"], set_=values)
    )
    await audit.record(
        db,
        tenant_id,
        actor,
        entity=ENTITY,
        entity_id=tenant_id,
        action="connected",
        changes={"name": name},
    )


async def disconnect(db: AsyncConnection, tenant_id: str, *, actor: Actor) -> bool:
    """Forget the account and its key; links stay, with what was imported. False if none was."""
    gone = await db.execute(delete(StripeAccount))
    if not gone.rowcount:
        return False
    await audit.record(
        db, tenant_id, actor, entity=ENTITY, entity_id=tenant_id, action="disconnected"
    )
    return True
