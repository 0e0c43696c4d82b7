"""The gap ledger: what is known of each day of a connection, on each level.

A client that connects an account again has another connection to it; what is known of the account
is what is known of all of them.
"""

from collections.abc import Container, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import and_, bindparam, func, select, update
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import aliased

from models.db import many
from models.rules.platforms.ledger import DayState, Level, days_of, state_of
from models.rules.platforms.registry import PlatformId
from models.tables.platforms import ConnectionDay, PlatformConnection


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulling:
    """The connection that is pulled from, and the account behind it."""

    tenant_id: str
    company_id: str
    connection_id: str
    platform: PlatformId
    account_id: str


_OTHER = aliased(PlatformConnection)
_KNOWN: Final = (
    select(ConnectionDay.level, ConnectionDay.day, ConnectionDay.state)
    .join(_OTHER, _OTHER.id == ConnectionDay.connection_id)
    .join(
        PlatformConnection,
        and_(
            PlatformConnection.company_id == _OTHER.company_id,
            PlatformConnection.platform == _OTHER.platform,
            PlatformConnection.account_id == _OTHER.account_id,
        ),
    )
    .where(PlatformConnection.id == bindparam("connection_id"))
    .ext(distinct_on(ConnectionDay.level, ConnectionDay.day))
    .order_by(
        ConnectionDay.level,
        ConnectionDay.day,
        ConnectionDay.as_of.desc().nulls_last(),
        ConnectionDay.state.desc(),
    )
)  # fmt: skip
_LAST_STORED: Final = select(func.max(ConnectionDay.day)).where(
    ConnectionDay.connection_id == bindparam("connection_id"),
    ConnectionDay.level == Level.ACCOUNT,
    ConnectionDay.state != DayState.MISSING,
)
_MOMENTS: Final = (
    select(ConnectionDay.day, ConnectionDay.as_of)
    .where(
        ConnectionDay.connection_id == bindparam("connection_id"),
        ConnectionDay.level == bindparam("level"),
        ConnectionDay.day.between(bindparam("first"), bindparam("last")),
        ConnectionDay.as_of.is_not(None),
    )
    .order_by(ConnectionDay.day)
)
_KEY: Final = ("connection_id", "level", "day")
_OPENING = many.inserting(ConnectionDay, "tenant_id", "connection_id", "level", "day", "state")
_OPENED: Final = _OPENING.on_conflict_do_nothing()
_STILL_OPEN: Final = _OPENING.on_conflict_do_update(index_elements=_KEY, set_={"error": None})
_CLOSING = many.inserting(
    ConnectionDay, "tenant_id", "connection_id", "level", "day", "state", "as_of"
)
_CLOSED: Final = _CLOSING.on_conflict_do_update(
    index_elements=_KEY,
    set_={"state": _CLOSING.excluded.state, "as_of": _CLOSING.excluded.as_of, "error": None},
)


async def known(db: AsyncConnection, connection_id: str) -> dict[Level, dict[date, DayState]]:
    """What is known of the account's days, whichever connection they came by."""
    found: dict[Level, dict[date, DayState]] = {level: {} for level in Level}
    for row in await db.execute(_KNOWN, {"connection_id": connection_id}):
        found[Level(row.level)][row.day] = DayState(row.state)
    return found


async def last_stored(db: AsyncConnection, connection_id: str) -> date | None:
    """The last day that is stored of the account itself."""
    found = await db.execute(_LAST_STORED, {"connection_id": connection_id})
    return found.scalar_one()


async def moments(
    db: AsyncConnection, connection_id: str, level: Level, first: date, last: date
) -> tuple[tuple[date, datetime], ...]:
    """As of when each of these days is stored: others, once somebody has stored one of them."""
    asked = {"connection_id": connection_id, "level": level, "first": first, "last": last}
    return tuple((row.day, row.as_of) for row in await db.execute(_MOMENTS, asked))


async def open_days(
    db: AsyncConnection, of: Pulling, days: Iterable[tuple[Level, date, date]]
) -> None:
    """Note that these days are wanted: missing, where nothing is known of them yet."""
    rows = [
        _row(of, level, day, DayState.MISSING)
        for level, first, last in days
        for day in days_of(first, last)
    ]
    if rows:
        await db.execute(_OPENED, many.rows(rows))


async def close_days(
    db: AsyncConnection,
    of: Pulling,
    level: Level,
    first: date,
    last: date,
    *,
    today: date,
    as_of: datetime,
    told: Container[date] | None = None,
) -> None:
    """Note that these days are stored as the platform told them at a moment of its `today`.

    Where it gives each day a row, `told` are those that had one. A recent day without any stays
    what it was: the platform does not have it yet.
    """
    closed, open_ = [], []
    for day in days_of(first, last):
        is_told = told is None or day in told
        state = state_of(of.platform, day, today=today, is_told=is_told)
        if state is DayState.MISSING:
            open_.append(_row(of, level, day, state))
        else:
            closed.append({**_row(of, level, day, state), "as_of": as_of})
    if closed:
        await db.execute(_CLOSED, many.rows(closed))
    if open_:
        await db.execute(_STILL_OPEN, many.rows(open_))


async def note_error(
    db: AsyncConnection, connection_id: str, level: Level, first: date, last: date, error: str
) -> None:
    """Note why these days could not be pulled; what is stored of them is known as before."""
    await db.execute(
        update(ConnectionDay)
        .where(
            ConnectionDay.connection_id == connection_id,
            ConnectionDay.level == level,
            ConnectionDay.day.between(first, last),
            ConnectionDay.state != DayState.FINAL,
        )
        .values(error=error)
    )


def _row(of: Pulling, level: Level, day: date, state: DayState) -> dict[str, object]:
    return {
        "tenant_id": of.tenant_id,
        "connection_id": of.connection_id,
        "level": level,
        "day": day,
        "state": state,
    }
