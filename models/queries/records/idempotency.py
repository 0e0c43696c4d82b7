"""Idempotency keys: claimed before the work, settled with its answer, or given back."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, and_, delete, func, null, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from models.tables.records import IdempotencyKey

LEASE: Final = timedelta(seconds=60)
"""A claim whose process died may be taken over after this long."""
KEPT: Final = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What a key is unique in; `route` is the method and the path."""

    tenant_id: str
    principal_id: str
    route: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """An earlier request with the key; without a status it is still under way."""

    request_hash: str
    status: int | None
    body: bytes


def _is(scope: Scope) -> ColumnElement[bool]:
    return and_(
        IdempotencyKey.tenant_id == scope.tenant_id,
        IdempotencyKey.principal_id == scope.principal_id,
        IdempotencyKey.route == scope.route,
        IdempotencyKey.key == scope.key,
    )


async def claim(
    db: AsyncConnection, scope: Scope, request_hash: str
) -> tuple[datetime | None, Earlier | None]:
    """Claim the key, or tell of the request that has it.

    The claim is known by the end of its lease, which `settle` and `release` must name: whoever
    lost a claim cannot touch its successor's.
    """
    now = func.clock_timestamp()
    fresh = insert(IdempotencyKey).values(
        tenant_id=scope.tenant_id,
        principal_id=scope.principal_id,
        route=scope.route,
        key=scope.key,
        request_hash=request_hash,
        claimed_until=now + LEASE,
        created_on=now,
    )
    outlived = IdempotencyKey.created_on < now - KEPT
    abandoned = and_(
        IdempotencyKey.response_status.is_(None),
        IdempotencyKey.claimed_until < now,
        IdempotencyKey.request_hash == fresh.excluded.request_hash,
    )
    statement = fresh.on_conflict_do_update(
        index_elements=["tenant_id", "principal_id", "route", "key"],
        set_={
            "request_hash": fresh.excluded.request_hash,
            "claimed_until": fresh.excluded.claimed_until,
            "created_on": fresh.excluded.created_on,
            "response_status": null(),
            "response_body": null(),
        },
        where=or_(outlived, abandoned),
    ).returning(IdempotencyKey.claimed_until)
    lease = (await db.execute(statement)).scalar_one_or_none()
    return (lease, None) if lease is not None else (None, await _earlier(db, scope))


async def _earlier(db: AsyncConnection, scope: Scope) -> Earlier | None:
    found = await db.execute(
        select(
            IdempotencyKey.request_hash,
            IdempotencyKey.response_status,
            IdempotencyKey.response_body,
        ).where(_is(scope))
    )
    row = found.one_or_none()
    if row is None:
        return None
    return Earlier(request_hash=row[0], status=row[1], body=bytes(row[2] or b""))


async def settle(
    db: AsyncConnection, scope: Scope, lease: datetime, *, status: int, body: bytes
) -> None:
    """Keep the answer for whoever sends the request again."""
    await db.execute(
        update(IdempotencyKey)
        .where(_is(scope), IdempotencyKey.claimed_until == lease)
        .values(response_status=status, response_body=body)
    )


async def release(db: AsyncConnection, scope: Scope, lease: datetime) -> None:
    """Give the key back after a failure, so that it may be used again."""
    await db.execute(
        delete(IdempotencyKey).where(
            _is(scope),
            IdempotencyKey.claimed_until == lease,
            IdempotencyKey.response_status.is_(None),
        )
    )


async def forget(db: AsyncConnection, *, before: datetime) -> int:
    """Delete the keys that are older than they are kept."""
    gone = await db.execute(delete(IdempotencyKey).where(IdempotencyKey.created_on < before))
    return gone.rowcount
