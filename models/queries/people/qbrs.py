"""QBRs as they are read: a client's list, and one in full."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models.rules.clients.vocabulary import QbrStatus
from models.tables.clients_reviews import Qbr


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedQbr:
    """A QBR as lists have it, without what it was made of."""

    id: str
    company_id: str
    held_on: date
    status: QbrStatus
    attendees: Sequence[str]
    summary: str | None
    outcomes: str | None
    next_qbr_date: date | None
    granola_meeting_id: str | None
    presented_at: datetime | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class QbrRow(ListedQbr):
    """A QBR in full; `content`, `source_data` and `portal_visibility` are as JSON has them."""

    content: Mapping[str, Any] | None
    source_data: Mapping[str, Any] | None
    portal_visibility: Mapping[str, Any]
    presented_by: str | None
    created_by: str | None


_IN_LIST = (
    Qbr.id, Qbr.company_id, Qbr.held_on, Qbr.status, Qbr.attendees, Qbr.summary, Qbr.outcomes,
    Qbr.next_qbr_date, Qbr.granola_meeting_id, Qbr.presented_at, Qbr.created_at, Qbr.updated_at,
)  # fmt: skip
_OF_CLIENT = (
    select(*_IN_LIST)
    .where(Qbr.company_id == bindparam("company_id"))
    .order_by(Qbr.held_on.desc(), Qbr.created_at.desc(), Qbr.id.desc())
)
IN_FULL = select(
    *_IN_LIST, Qbr.content, Qbr.source_data, Qbr.portal_visibility, Qbr.presented_by,
    Qbr.created_by,
).where(Qbr.id == bindparam("qbr_id"), Qbr.company_id == bindparam("company_id"))  # fmt: skip
"""One QBR, of this client and of no other."""


async def of_client(db: AsyncConnection, company_id: str) -> Sequence[ListedQbr]:
    """All QBRs of a client, newest date first."""
    found = await db.execute(_OF_CLIENT, {"company_id": company_id})
    return [ListedQbr(**{**row._mapping, "status": QbrStatus(row.status)}) for row in found]


async def one(db: AsyncConnection, company_id: str, qbr_id: str) -> QbrRow | None:
    """One QBR of the client."""
    found = await db.execute(IN_FULL, {"company_id": company_id, "qbr_id": qbr_id})
    row = found.one_or_none()
    return in_full(row._mapping) if row is not None else None


def in_full(columns: Mapping[Any, Any]) -> QbrRow:
    """A row of `IN_FULL`."""
    return QbrRow(**{**columns, "status": QbrStatus(columns["status"])})
