"""A client's profile under a lock, and every change of it: the row, its history, the audit log.

Whatever moves a client's status, delivery manager or dates goes through `change`, so that no date
moves without its event.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models.contracts.actors import Actor
from models.errors import NotFound
from models.queries.people.history import Occurrence, record
from models.queries.records import events
from models.queries.records.notifications import Message, notify_all
from models.rules.clients.profile import changes
from models.rules.clients.qbr_dates import QbrDates
from models.rules.clients.vocabulary import ClientStatus, NotificationKind, Tier
from models.rules.vocabulary import EventKind
from models.tables.clients import Client
from models.tables.companies import Company


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientProfile:
    """A client as far as changes look at it."""

    tenant_id: str
    company_id: str
    name: str
    status: ClientStatus
    tier: Tier | None
    assigned_dm_id: str | None
    health_score: Decimal | None
    last_qbr_date: date | None
    next_qbr_date: date | None
    onboarding_started_at: datetime | None
    onboarding_completed_at: datetime | None
    offboarding_started_at: datetime | None
    offboarding_completed_at: datetime | None

    @property
    def qbr_dates(self) -> QbrDates:
        return QbrDates(last_qbr_date=self.last_qbr_date, next_qbr_date=self.next_qbr_date)


_PROFILE = select(
    Client.tenant_id, Client.company_id, Company.name, Client.status, Client.tier,
    Client.assigned_dm_id, Client.health_score, Client.last_qbr_date, Client.next_qbr_date,
    Client.onboarding_started_at, Client.onboarding_completed_at,
    Client.offboarding_started_at, Client.offboarding_completed_at,
).join(Company, Company.id == Client.company_id)  # fmt: skip


async def locked(db: AsyncConnection, company_id: str) -> ClientProfile:
    """The client, locked until the transaction ends; rows that refer to it can still be added.

    Raises:
        NotFound: the tenant has no such company, or it was never promoted.
    """
    # Sharing the key: who adds a row beside it would wait here with the adoption week in hand.
    found = await db.execute(
        _PROFILE.where(Client.company_id == company_id).with_for_update(of=Client, key_share=True)
    )
    row = found.one_or_none()
    if row is None:
        raise NotFound("There is no such client.")
    values = dict(row._mapping)
    tier = values.pop("tier")
    return ClientProfile(
        **(values | {"status": ClientStatus(row.status)}), tier=Tier(tier) if tier else None
    )


async def require(db: AsyncConnection, company_id: str) -> None:
    """See to it that the company is a client of the tenant.

    Raises:
        NotFound: the tenant has no such company, or it was never promoted.
    """
    found = await db.execute(select(Client.id).where(Client.company_id == company_id))
    if found.one_or_none() is None:
        raise NotFound("There is no such client.")


async def change(
    db: AsyncConnection,
    client: ClientProfile,
    values: Mapping[str, Any],
    *,
    actor: Actor,
    at: datetime,
    leading: Sequence[Occurrence] = (),
    also: Mapping[str, Any] | None = None,
    once: str | None = None,
) -> None:
    """Give fields of the profile new values, with an event for each whose value is another.

    `leading` are the events that caused it and come first; `also` are columns without events.
    """
    changed = moved(asdict(client), values)
    columns = {one.field: values[one.field] for one in changed if one.field} | dict(also or {})
    if columns:
        await db.execute(
            update(Client)
            .where(Client.company_id == client.company_id)
            .values(**columns, updated_at=at)
        )
    await record(
        db,
        tenant_id=client.tenant_id,
        company_id=client.company_id,
        actor=actor,
        occurrences=[*leading, *changed],
        at=at,
        once=once,
    )


def moved(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Occurrence]:
    """An event for each field of `after` whose value is another than before."""
    return [
        Occurrence(kind=one.kind, field=one.field, old_value=one.old_value, new_value=one.new_value)
        for one in changes(before, after)
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What the assigned delivery manager of a client, if there is one, is told; once."""

    company_id: str
    assigned_dm_id: str | None
    title: str
    body: str
    payload: Mapping[str, Any]
    once: str


async def tell_delivery_manager(
    db: AsyncConnection,
    client: ClientProfile,
    kind: NotificationKind,
    *,
    title: str,
    body: str,
    payload: Mapping[str, Any],
    once: str,
) -> None:
    """Notify the assigned delivery manager, if there is one, and the tenant's event stream."""
    notice = Notice(
        company_id=client.company_id, assigned_dm_id=client.assigned_dm_id,
        title=title, body=body, payload=payload, once=once,
    )  # fmt: skip
    await tell_delivery_managers(db, client.tenant_id, kind, [notice])


async def tell_delivery_managers(
    db: AsyncConnection, tenant_id: str, kind: NotificationKind, notices: Sequence[Notice]
) -> None:
    """Notify the delivery managers of many clients, and the tenant's event stream of each."""
    messages = [
        Message(
            principal_id=notice.assigned_dm_id,
            kind=kind,
            subject=notice.title,
            body=notice.body,
            link=f"/clients/{notice.company_id}",
            company_id=notice.company_id,
            payload=notice.payload,
            once=notice.once,
        )
        for notice in notices
        if notice.assigned_dm_id is not None
    ]
    news = [
        {
            "notificationId": message.id,
            "principalId": message.principal_id,
            "type": kind,
            "title": message.subject,
            "companyId": message.company_id,
            "link": message.link,
        }
        for message in await notify_all(db, tenant_id, messages)
    ]
    await events.publish_all(db, tenant_id, EventKind.NOTIFICATION_CREATED, news)
