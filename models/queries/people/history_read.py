"""Reading a client's history, newest events first."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import DateTime, Select, Text, bindparam, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from models.db.prepared import Prepared
from models.errors import NotFound
from models.queries.people.history import RESOURCE
from models.queries.walks import LIMIT
from models.tables.clients import Client, HistoryEvent
from models.tables.people import Principal


class HistoryRow(NamedTuple):
    """An event with the name of whoever caused it; without an actor the system did."""

    id: str
    resource_type: str
    resource_id: str
    event_type: str
    field: str | None
    old_value: Any
    new_value: Any
    details: dict[str, Any]
    actor_id: str | None
    actor_name: str | None
    created_at: datetime


async def of_client(
    db: AsyncConnection, company_id: str, *, limit: int, before: datetime | None
) -> Sequence[HistoryRow]:
    """The newest events of a client, of those before a moment where one is given.

    Raises:
        NotFound: the tenant has no such company, or it was never promoted.
    """
    bound: dict[str, Any] = {"company_id": company_id, "limit": limit}
    if before is not None:
        bound["before"] = before
    rows = await _listed(before is not None).fetch(db, bound)
    if not rows:
        raise NotFound("There is no such client.")
    # A client of which nothing is told has one row, without an event.
    return [row for row in rows if row.id]


@cache
def _listed(is_bounded: bool) -> Prepared[HistoryRow]:
    event = HistoryEvent
    walk = select(*event.__table__.c).where(
        event.resource_type == RESOURCE, event.resource_id == Client.company_id
    )
    if is_bounded:
        walk = walk.where(event.created_at < bindparam("before", type_=DateTime(timezone=True)))
    newest = walk.order_by(event.created_at.desc(), event.id.desc()).limit(LIMIT)
    found = newest.lateral("event")
    columns: dict[str, Any] = {**found.c, "actor_name": Principal.name}
    listed: Select[*tuple[Any, ...]] = (
        select(*(columns[name].label(name) for name in HistoryRow._fields))
        .select_from(Client)
        .outerjoin(found, true())
        .outerjoin(Principal, Principal.id == found.c.actor_id)
        .where(Client.company_id == bindparam("company_id", type_=Text))
        .order_by(found.c.created_at.desc(), found.c.id.desc())
    )
    return Prepared(listed, HistoryRow)
