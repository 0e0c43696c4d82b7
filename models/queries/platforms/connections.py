"""Connections of clients to platforms, as they stand: never with what is sealed.

Source: clients/connections.yaml.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import bindparam, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models.db.rows import AnyRow
from models.errors import Conflict, NotFound
from models.rules.platforms.registry import PLATFORMS, PlatformId
from models.tables.platforms import PlatformConnection


class ConnectionStatus(StrEnum):
    """What a connection is: in use, refused by its platform, or given up for good."""

    ACTIVE = "active"
    EXPIRED = "expired"
    DISCONNECTED = "disconnected"


class NotActive(Conflict):
    """The connection expired or was disconnected: nothing of it may be pulled or stored."""

    def __init__(self) -> None:
        super().__init__("The connection is not active any more.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """A connection without its credentials; `time_zone` and `currency` are the account's own."""

    id: str
    tenant_id: str
    company_id: str
    platform: PlatformId
    status: ConnectionStatus
    source: str
    connected_by_user_id: str | None
    connected_at: datetime
    last_synced_at: datetime | None
    last_sync_error: str | None
    store_url: str | None
    account_id: str | None
    display_name: str | None
    time_zone: str | None
    currency: str | None
    scopes: Sequence[str]
    token_expires_at: datetime | None
    created_at: datetime
    updated_at: datetime

    @property
    def is_active(self) -> bool:
        return self.status is ConnectionStatus.ACTIVE

    @property
    def is_ad_platform(self) -> bool:
        return PLATFORMS[self.platform].is_ad_platform


# Part of the text: for a parameter no plan of any value takes the indexes of the active alone.
IS_ACTIVE: Final = PlatformConnection.status == literal(
    ConnectionStatus.ACTIVE.value, literal_execute=True
)
_CONNECTION = select(
    PlatformConnection.id, PlatformConnection.tenant_id, PlatformConnection.company_id,
    PlatformConnection.platform, PlatformConnection.status, PlatformConnection.source,
    PlatformConnection.connected_by_user_id, PlatformConnection.connected_at,
    PlatformConnection.last_synced_at, PlatformConnection.last_sync_error,
    PlatformConnection.store_url, PlatformConnection.account_id, PlatformConnection.display_name,
    PlatformConnection.time_zone, PlatformConnection.currency, PlatformConnection.scopes,
    PlatformConnection.token_expires_at, PlatformConnection.created_at,
    PlatformConnection.updated_at,
)  # fmt: skip
_OF_CLIENT = _CONNECTION.where(PlatformConnection.company_id == bindparam("company_id")).order_by(
    PlatformConnection.status == ConnectionStatus.DISCONNECTED,
    PlatformConnection.platform,
    PlatformConnection.created_at.desc(),
    PlatformConnection.id,
)
_ACTIVE_OF_CLIENT = _OF_CLIENT.where(IS_ACTIVE)
_HELD = (
    select(PlatformConnection.id)
    .where(PlatformConnection.id == bindparam("connection_id"), IS_ACTIVE)
    .with_for_update(read=True)
)


async def of_client(db: AsyncConnection, company_id: str) -> list[Connection]:
    """Every connection: those not disconnected first, then by platform, newest first."""
    return [_read(row) for row in await db.execute(_OF_CLIENT, {"company_id": company_id})]


async def active(db: AsyncConnection, company_id: str) -> list[Connection]:
    """The connections that are pulled from, one of a platform at most."""
    found = await db.execute(_ACTIVE_OF_CLIENT, {"company_id": company_id})
    return [_read(row) for row in found]


async def one(
    db: AsyncConnection, connection_id: str, *, company_id: str | None = None
) -> Connection:
    """A connection, of this client where one is named.

    Raises:
        NotFound: there is none.
    """
    return await _one(db, connection_id, company_id, lock=False)


async def locked(
    db: AsyncConnection, connection_id: str, *, company_id: str | None = None
) -> Connection:
    """A connection, locked until the transaction ends; who locks its client does so before.

    Raises:
        NotFound: there is none.
    """
    return await _one(db, connection_id, company_id, lock=True)


async def require_active(db: AsyncConnection, connection_id: str) -> None:
    """Hold the connection active until the transaction ends, for whoever stores what was pulled.

    Who disconnects it waits until then, and what comes later is refused here. Others may hold it
    at the same time.

    Raises:
        NotActive: it expired, was disconnected, or there is none.
    """
    found = await db.execute(_HELD, {"connection_id": connection_id})
    if found.one_or_none() is None:
        raise NotActive


async def _one(
    db: AsyncConnection, connection_id: str, company_id: str | None, *, lock: bool
) -> Connection:
    statement = _CONNECTION.where(PlatformConnection.id == connection_id)
    if company_id is not None:
        statement = statement.where(PlatformConnection.company_id == company_id)
    if lock:
        statement = statement.with_for_update(key_share=True)
    row = (await db.execute(statement)).one_or_none()
    if row is None:
        raise NotFound("The client has no such connection.")
    return _read(row)


def _read(row: AnyRow) -> Connection:
    values = dict(row._mapping)
    platform, status = PlatformId(row.platform), ConnectionStatus(row.status)
    return Connection(**(values | {"platform": platform, "status": status}))
