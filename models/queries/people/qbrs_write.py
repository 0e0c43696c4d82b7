"""QBRs as they are written: recorded, edited and presented.

Source: clients/qbrs.yaml, the effects of record, update and present. Each change locks the client
first and the QBR second, so that two of them never wait for each other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from models.contracts.actors import Actor
from models.errors import Conflict, NotFound
from models.queries.people import client_profiles, history
from models.queries.people.client_profiles import ClientProfile
from models.queries.people.history import Occurrence
from models.queries.people.qbrs import IN_FULL, QbrRow, in_full
from models.rules.clients.qbr_dates import check_next, on_present, on_record, presented_on
from models.rules.clients.qbrs import PortalVisibility, QbrSection, is_final, merged
from models.rules.clients.vocabulary import HistoryKind, QbrStatus
from models.tables.clients_reviews import Qbr

MISSING: Final = "The client has no such QBR."
_LOCKED: Final = IN_FULL.with_for_update()


@dataclass(frozen=True, slots=True, kw_only=True)
class NewQbr:
    """A QBR to be stored, recorded by a person or prepared; JSON members are as JSON has them."""

    id: str
    tenant_id: str
    company_id: str
    held_on: date
    status: QbrStatus
    created_by: str | None
    created_at: datetime
    attendees: Sequence[str] = ()
    summary: str | None = None
    outcomes: str | None = None
    next_qbr_date: date | None = None
    granola_meeting_id: str | None = None
    content: Mapping[str, Any] | None = None
    source_data: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QbrEdit:
    """What to change: columns with their new values, and keys of the portal's visibility."""

    values: Mapping[str, Any] = field(default_factory=dict)
    visible: bool | None = None
    sections: Mapping[QbrSection, bool] = field(default_factory=dict)


async def insert_qbr(db: AsyncConnection, qbr: NewQbr) -> bool:
    """Store a QBR that the portal does not show yet; False when one with its id is there."""
    values = asdict(qbr) | {
        "attendees": list(qbr.attendees),
        "portal_visibility": _written(PortalVisibility()),
        "updated_at": qbr.created_at,
    }
    stored = await db.execute(insert(Qbr).values(values).on_conflict_do_nothing())
    return bool(stored.rowcount)


async def record(db: AsyncConnection, qbr: NewQbr, *, actor: Actor) -> None:
    """Store a QBR that was held or is planned, and move the client's dates.

    Raises:
        NotFound: there is no such client.
        Invalid: the next QBR would not be after this one.
    """
    check_next(qbr.next_qbr_date, after=qbr.held_on)
    client = await client_profiles.locked(db, qbr.company_id)
    await insert_qbr(db, qbr)
    dates = on_record(
        client.qbr_dates,
        held_on=qbr.held_on,
        body=qbr.next_qbr_date,
        tier=client.tier,
        today=qbr.created_at.date(),
    )
    recorded = Occurrence(
        kind=HistoryKind.QBR_RECORDED,
        details={"qbr_id": qbr.id, "date": qbr.held_on.isoformat(), "status": qbr.status},
    )
    await client_profiles.change(
        db, client, asdict(dates), actor=actor, at=qbr.created_at, leading=[recorded]
    )


async def edit(
    db: AsyncConnection,
    company_id: str,
    qbr_id: str,
    wanted: QbrEdit,
    *,
    actor: Actor,
    at: datetime,
) -> None:
    """Give a QBR that is not final new values; what it has already is no change.

    Raises:
        NotFound: there is no such client, or it has no such QBR.
        Conflict: the QBR has been presented.
    """
    client, qbr = await _open(db, company_id, qbr_id)
    shown = merged(_read(qbr.portal_visibility), visible=wanted.visible, sections=wanted.sections)
    values = {**wanted.values, "portal_visibility": _written(shown)}
    changed = {name: value for name, value in values.items() if value != getattr(qbr, name)}
    if not changed:
        return
    await _set(db, qbr_id, {**changed, "updated_at": at})
    updated = Occurrence(
        kind=HistoryKind.QBR_UPDATED, details={"qbr_id": qbr_id, "changed": sorted(changed)}
    )
    await history.record(
        db,
        tenant_id=client.tenant_id,
        company_id=company_id,
        actor=actor,
        occurrences=[updated],
        at=at,
    )


async def present(
    db: AsyncConnection,
    company_id: str,
    qbr_id: str,
    *,
    next_qbr_date: date | None,
    actor: Actor,
    at: datetime,
) -> None:
    """Make a QBR final, and move the client's dates; only one of two callers at once does.

    Raises:
        NotFound: there is no such client, or it has no such QBR.
        Conflict: the QBR has been presented before.
        Invalid: the next QBR would not be after this one.
    """
    client, qbr = await _open(db, company_id, qbr_id)
    today = at.date()
    check_next(next_qbr_date, after=presented_on(qbr.held_on, today))
    dates = on_present(
        client.qbr_dates,
        held_on=qbr.held_on,
        body=next_qbr_date,
        stored=qbr.next_qbr_date,
        tier=client.tier,
        today=today,
    )
    values = {
        "status": QbrStatus.PRESENTED,
        "presented_at": at,
        "presented_by": actor.id,
        "next_qbr_date": next_qbr_date or qbr.next_qbr_date,
        "updated_at": at,
    }
    await _set(db, qbr_id, values)
    presented = Occurrence(
        kind=HistoryKind.QBR_PRESENTED,
        details={"qbr_id": qbr_id, "date": qbr.held_on.isoformat()},
    )
    await client_profiles.change(db, client, asdict(dates), actor=actor, at=at, leading=[presented])


async def _open(db: AsyncConnection, company_id: str, qbr_id: str) -> tuple[ClientProfile, QbrRow]:
    """The client and its QBR that is not final, both locked until the transaction ends."""
    client = await client_profiles.locked(db, company_id)
    found = await db.execute(_LOCKED, {"company_id": company_id, "qbr_id": qbr_id})
    row = found.one_or_none()
    if row is None:
        raise NotFound(MISSING)
    qbr = in_full(row._mapping)
    if is_final(qbr.status):
        raise Conflict("The QBR has been presented, and stays as it is.")
    return client, qbr


async def _set(db: AsyncConnection, qbr_id: str, values: Mapping[str, Any]) -> None:
    await db.execute(update(Qbr).where(Qbr.id == qbr_id).values(**values))


def _read(stored: Mapping[str, Any]) -> PortalVisibility:
    sections = {QbrSection(name): shown for name, shown in stored["sections"].items()}
    return PortalVisibility(visible=stored["visible"], sections=sections)


def _written(visibility: PortalVisibility) -> dict[str, Any]:
    sections = {section.value: visibility.sections[section] for section in QbrSection}
    return {"visible": visibility.visible, "sections": sections}
