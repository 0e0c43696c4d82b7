"""The clients that are synced: what they are called, and who is due in which zone."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models.db.prepared import Prepared
from models.errors import NotFound
from models.queries.platforms.connections import IS_ACTIVE
from models.tables.companies import Company
from models.tables.platforms import PlatformConnection


class SyncedClient(NamedTuple):
    """A client with an active connection; the zone is that of most of them, if any is known."""

    company_id: str
    time_zone: str | None


_SYNCED: Final = Prepared(
    select(
        PlatformConnection.company_id,
        func.mode().within_group(PlatformConnection.time_zone.asc()).label("time_zone"),
    )
    .where(IS_ACTIVE)
    .group_by(PlatformConnection.company_id),
    SyncedClient,
)


async def synced(db: AsyncConnection) -> Sequence[SyncedClient]:
    """The tenant's clients that have an active connection."""
    return await _SYNCED.fetch(db, {})


async def name(db: AsyncConnection, company_id: str) -> str:
    """What the client is called.

    Raises:
        NotFound: the tenant has no such company.
    """
    found = (
        await db.execute(select(Company.name).where(Company.id == company_id))
    ).scalar_one_or_none()
    if found is None:
        raise NotFound("There is no such client.")
    return str(found)
