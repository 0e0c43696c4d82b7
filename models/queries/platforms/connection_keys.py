"""What connections are sealed with: read by whoever asks the platform, renewed by one at a time."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import blake2b

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models.db.vault import Place, Sealed
from models.queries.platforms.connections import IS_ACTIVE, NotActive
from models.rules.platforms.registry import PlatformId
from models.tables.platforms import PlatformConnection


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedConnection:
    """An active connection with its sealed credentials."""

    id: str
    tenant_id: str
    company_id: str
    platform: PlatformId
    account_id: str
    currency: str | None
    time_zone: str
    token_expires_at: datetime | None
    sealed: Sealed = field(repr=False)

    @property
    def version(self) -> str:
        """Tells credentials from those that replace them; another master key changes nothing."""
        return blake2b(self.sealed.ciphertext, digest_size=16).hexdigest()


_SEALED = select(
    PlatformConnection.id, PlatformConnection.tenant_id, PlatformConnection.company_id,
    PlatformConnection.platform, PlatformConnection.account_id, PlatformConnection.currency,
    PlatformConnection.time_zone, PlatformConnection.token_expires_at,
    PlatformConnection.sealed_credentials, PlatformConnection.key_id,
).where(IS_ACTIVE)  # fmt: skip


def place(tenant_id: str, connection_id: str) -> Place:
    """Where a connection's credentials are kept."""
    return Place(tenant_id=tenant_id, table=PlatformConnection.__tablename__, row=connection_id)


async def sealed(
    db: AsyncConnection, connection_id: str, *, lock: bool = False
) -> SealedConnection:
    """The connection's credentials as they are now.

    Raises:
        NotActive: it expired, was disconnected, or there is none.
    """
    statement = _SEALED.where(PlatformConnection.id == connection_id)
    if lock:
        statement = statement.with_for_update(key_share=True)
    row = (await db.execute(statement)).one_or_none()
    if row is None:
        raise NotActive
    return SealedConnection(
        id=row.id,
        tenant_id=row.tenant_id,
        company_id=row.company_id,
        platform=PlatformId(row.platform),
        account_id=row.account_id or "",
        currency=row.currency,
        time_zone=row.time_zone or "UTC",
        token_expires_at=row.token_expires_at,
        sealed=Sealed.split(row.key_id, row.sealed_credentials),
    )


async def claim_renewal(
    db: AsyncConnection, connection_id: str, lease: timedelta
) -> datetime | None:
    """Take the right to renew the token; None while somebody else has it.

    It ends by itself, for whoever dies with it, by the clock of the database.
    """
    now = func.clock_timestamp()
    taken = await db.execute(
        update(PlatformConnection)
        .where(
            PlatformConnection.id == connection_id,
            IS_ACTIVE,
            PlatformConnection.renewing_until.is_(None) | (PlatformConnection.renewing_until < now),
        )
        .values(renewing_until=now + lease)
        .returning(PlatformConnection.renewing_until)
    )
    return taken.scalar_one_or_none()


async def release_renewal(db: AsyncConnection, connection_id: str, until: datetime) -> None:
    """Give the right to renew back, if it is still held."""
    await db.execute(
        update(PlatformConnection)
        .where(PlatformConnection.id == connection_id, PlatformConnection.renewing_until == until)
        .values(renewing_until=None)
    )


async def store_renewed(
    db: AsyncConnection,
    was: SealedConnection,
    renewed: Sealed,
    *,
    token_expires_at: datetime | None,
) -> bool:
    """Put new credentials in the place of those that they were made from.

    False, and nothing is stored, when the connection is not active or has others by now.
    """
    try:
        now = await sealed(db, was.id, lock=True)
    except NotActive:
        return False
    if now.version != was.version:
        return False
    await db.execute(
        update(PlatformConnection)
        .where(PlatformConnection.id == was.id)
        .values(
            sealed_credentials=renewed.joined,
            key_id=renewed.key_id,
            token_expires_at=token_expires_at,
            updated_at=func.clock_timestamp(),
        )
    )
    return True
