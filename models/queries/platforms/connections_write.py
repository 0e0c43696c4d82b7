"""Changes of connections: made, renamed, noted after a sync, expired, disconnected.

Whoever changes the status of a connection holds its client's lock, so that a client never has two
active connections of a platform and each change is recorded once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import or_, update
from sqlalchemy.dialects.postgresql import insert as insert_row
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import InstrumentedAttribute

from models.contracts.actors import SYSTEM, Actor
from models.db.vault import Sealed
from models.errors import Conflict
from models.queries.people import client_profiles
from models.queries.people.client_profiles import ClientProfile
from models.queries.people.history import Occurrence, record
from models.queries.platforms import connections
from models.queries.platforms.connections import IS_ACTIVE, Connection, ConnectionStatus
from models.queries.records import audit
from models.rules.clients.vocabulary import HistoryKind, NotificationKind
from models.rules.platforms.registry import PLATFORMS, PlatformId
from models.tables.platforms import PlatformConnection

ENTITY: Final = "platform_connection"
_GONE: Final[Mapping[str, Any]] = {
    "status": ConnectionStatus.DISCONNECTED,
    "scopes": [],
    "token_expires_at": None,
    "sealed_credentials": None,
    "key_id": None,
    "renewing_until": None,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NewConnection:
    """A connection to be made, of an account whose credentials were accepted."""

    id: str
    platform: PlatformId
    account_id: str
    display_name: str | None
    store_url: str | None
    time_zone: str
    currency: str | None
    scopes: Sequence[str]
    token_expires_at: datetime | None
    sealed: Sealed = field(repr=False)
    source: str = "manual"


async def insert(
    db: AsyncConnection, client: ClientProfile, new: NewConnection, *, actor: Actor, at: datetime
) -> Connection:
    """Connect a locked client; an expired connection to the same platform gives way to the new one.

    Raises:
        Conflict: the client is connected to the platform already.
    """
    replaced = await _give_way(db, client.company_id, new.platform, at)
    written = await db.execute(
        insert_row(PlatformConnection)
        .values(
            id=new.id,
            tenant_id=client.tenant_id,
            company_id=client.company_id,
            platform=new.platform,
            status=ConnectionStatus.ACTIVE,
            source=new.source,
            connected_by_user_id=actor.id if actor.type == "human" else None,
            connected_at=at,
            store_url=new.store_url,
            account_id=new.account_id,
            display_name=new.display_name,
            time_zone=new.time_zone,
            currency=new.currency,
            scopes=list(new.scopes),
            token_expires_at=new.token_expires_at,
            sealed_credentials=new.sealed.joined,
            key_id=new.sealed.key_id,
            created_at=at,
            updated_at=at,
        )
        .on_conflict_do_nothing()
    )
    if not written.rowcount:
        raise taken(new.platform)
    details = {"account_id": new.account_id, "replaced_connection_ids": replaced}
    made = await connections.one(db, new.id)
    await _recorded(db, made, HistoryKind.CONNECTION_CREATED, details, actor=actor, at=at)
    return made


def taken(platform: PlatformId) -> Conflict:
    """The refusal of a second connection to a platform."""
    return Conflict(f"The client is connected to {PLATFORMS[platform].display_name} already.")


async def rename(
    db: AsyncConnection, connection: Connection, display_name: str, *, actor: Actor, at: datetime
) -> None:
    """Give a locked connection another name."""
    if display_name == connection.display_name:
        return
    await _change(db, connection.id, {"display_name": display_name}, at=at)
    await audit.record(
        db,
        connection.tenant_id,
        actor,
        entity=ENTITY,
        entity_id=connection.id,
        action="renamed",
        changes={"display_name": {"from": connection.display_name, "to": display_name}},
    )


async def disconnect(
    db: AsyncConnection, connection: Connection, *, actor: Actor, at: datetime
) -> None:
    """Give up a locked connection of a locked client; what was pulled stays. Twice is once."""
    if connection.status is ConnectionStatus.DISCONNECTED:
        return
    await _change(db, connection.id, _GONE, at=at)
    await _recorded(db, connection, HistoryKind.CONNECTION_DISCONNECTED, {}, actor=actor, at=at)


async def expire(
    db: AsyncConnection,
    client: ClientProfile,
    connection: Connection,
    message: str,
    *,
    at: datetime,
) -> None:
    """Rest a locked, active connection of a locked client until somebody connects it again."""
    rests = {
        "status": ConnectionStatus.EXPIRED, "last_sync_error": message, "renewing_until": None,
    }  # fmt: skip
    await _change(db, connection.id, rests, at=at)
    await _recorded(
        db, connection, HistoryKind.CONNECTION_EXPIRED, {"reason": message}, actor=SYSTEM, at=at
    )
    platform = PLATFORMS[connection.platform].display_name
    await client_profiles.tell_delivery_manager(
        db,
        client,
        NotificationKind.CONNECTION_EXPIRED,
        title=f"{client.name}: {platform} must be connected again",
        body=message,
        payload={"connection_id": connection.id, "platform": connection.platform},
        once=connection.id,
    )


async def note_sync(
    db: AsyncConnection, connection_id: str, *, at: datetime, error: str | None
) -> None:
    """Remember how the last sync of an active connection went.

    `last_synced_at` is when its numbers were last brought up to date: a failure leaves it as it is.
    """
    synced = {} if error is not None else {"last_synced_at": at}
    values = {"last_sync_error": error, **synced}
    await _change(db, connection_id, values, at=at, only_active=True)


async def note_account(
    db: AsyncConnection,
    connection_id: str,
    *,
    time_zone: str,
    currency: str | None,
    at: datetime,
    clears_error: bool = False,
) -> None:
    """Remember what the account of an active connection is like now, as its platform told.

    Where nothing is news the row is not touched: pulls that hold it do not wait for one another.
    """
    values: dict[InstrumentedAttribute[Any], Any] = {
        PlatformConnection.time_zone: time_zone,
        PlatformConnection.currency: currency,
    }
    if clears_error:
        values[PlatformConnection.last_sync_error] = None
    news = [column.is_distinct_from(value) for column, value in values.items()]
    await db.execute(
        update(PlatformConnection)
        .where(
            PlatformConnection.id == connection_id,
            IS_ACTIVE,
            or_(*news),
        )
        .values({**values, PlatformConnection.updated_at: at})
    )


async def _give_way(
    db: AsyncConnection, company_id: str, platform: PlatformId, at: datetime
) -> list[str]:
    gone = await db.execute(
        update(PlatformConnection)
        .where(
            PlatformConnection.company_id == company_id,
            PlatformConnection.platform == platform,
            PlatformConnection.status == ConnectionStatus.EXPIRED,
        )
        .values(**_GONE, updated_at=at)
        .returning(PlatformConnection.id)
    )
    return sorted(gone.scalars())


async def _change(
    db: AsyncConnection,
    connection_id: str,
    values: Mapping[str, Any],
    *,
    at: datetime,
    only_active: bool = False,
) -> None:
    statement = update(PlatformConnection).where(PlatformConnection.id == connection_id)
    if only_active:
        statement = statement.where(IS_ACTIVE)
    await db.execute(statement.values(**values, updated_at=at))


async def _recorded(
    db: AsyncConnection,
    connection: Connection,
    kind: HistoryKind,
    details: dict[str, Any],
    *,
    actor: Actor,
    at: datetime,
) -> None:
    named = {"connection_id": connection.id, "platform": connection.platform}
    await record(
        db,
        tenant_id=connection.tenant_id,
        company_id=connection.company_id,
        actor=actor,
        occurrences=[Occurrence(kind=kind, details={**named, **details})],
        at=at,
        once=connection.id,
    )
