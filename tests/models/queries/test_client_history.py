"""Changes of a client's profile, with the events and the notice that go with them."""

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select

from models.contracts.actors import SYSTEM, Actor
from models.db.database import Database
from models.errors import NotFound
from models.ids import new_id
from models.queries.people import client_profiles
from models.queries.people.history import Occurrence, record
from models.rules.clients.vocabulary import HistoryKind, NotificationKind
from models.rules.vocabulary import EventKind, PrincipalType
from models.tables.clients import AdoptionWeek, HistoryEvent
from models.tables.people import Notification
from models.tables.records import AuditEntry, Event
from tests.factories.agents import TenantMade, make_tenant
from tests.factories.clients import make_client

NOW = datetime(2026, 3, 10, 9, tzinfo=UTC)


@pytest.fixture
async def tenant(db: Database) -> TenantMade:
    return await make_tenant(db)


def person(tenant: TenantMade) -> Actor:
    return Actor(id=tenant.admin_id, type=PrincipalType.HUMAN, name="Mara")


async def test_a_changed_date_has_an_event_and_an_audit_entry(
    db: Database, tenant: TenantMade
) -> None:
    company_id = await make_client(db, tenant, next_qbr_date=date(2026, 4, 1))
    async with db.tenant(tenant.id) as session:
        client = await client_profiles.locked(session, company_id)
        values = {"next_qbr_date": date(2026, 5, 1), "status": "active"}
        await client_profiles.change(session, client, values, actor=person(tenant), at=NOW)
    async with db.tenant(tenant.id) as session:
        (event,) = (await session.execute(select(HistoryEvent.__table__))).all()
        entry = (
            await session.execute(select(AuditEntry.__table__).order_by(AuditEntry.id.desc()))
        ).first()
    assert (event.event_type, event.old_value, event.new_value, event.actor_id) == (
        HistoryKind.NEXT_QBR_DATE_CHANGED,
        "2026-04-01",
        "2026-05-01",
        tenant.admin_id,
    )
    assert entry is not None
    assert entry.action == "next_qbr_date_changed"


async def test_what_a_step_records_twice_is_recorded_once(db: Database, tenant: TenantMade) -> None:
    company_id = await make_client(db, tenant)
    for _ in range(2):
        async with db.tenant(tenant.id) as session:
            await record(
                session,
                tenant_id=tenant.id,
                company_id=company_id,
                actor=SYSTEM,
                occurrences=[Occurrence(kind=HistoryKind.AI_SUMMARY_GENERATED)],
                at=NOW,
                once="run-1",
            )
    async with db.tenant(tenant.id) as session:
        events = (await session.execute(select(HistoryEvent.__table__))).all()
        entries = await session.execute(
            select(AuditEntry.__table__).where(AuditEntry.entity_type == "client")
        )
    assert [event.actor_id for event in events] == [None]
    assert len(entries.all()) == 1


async def test_a_goal_marks_the_week_as_used(db: Database, tenant: TenantMade) -> None:
    company_id = await make_client(db, tenant)
    async with db.tenant(tenant.id) as session:
        await record(
            session,
            tenant_id=tenant.id,
            company_id=company_id,
            actor=person(tenant),
            occurrences=[Occurrence(kind=HistoryKind.GOAL_CREATED)],
            at=NOW,
        )
        weeks = (await session.execute(select(AdoptionWeek.week))).scalars().all()
    assert weeks == [date(2026, 3, 9)]


async def test_the_delivery_manager_is_told_once_and_the_stream_hears_of_it(
    db: Database, tenant: TenantMade
) -> None:
    company_id = await make_client(db, tenant, assigned_dm_id=tenant.admin_id)
    for _ in range(2):
        async with db.tenant(tenant.id) as session:
            client = await client_profiles.locked(session, company_id)
            await client_profiles.tell_delivery_manager(
                session,
                client,
                NotificationKind.HEALTH_LOW,
                title="Acme is not well",
                body="The score fell to 40.",
                payload={"score": 40},
                once="score-1",
            )
    async with db.tenant(tenant.id) as session:
        told = (await session.execute(select(Notification.__table__))).all()
        heard = (await session.execute(select(Event.kind))).scalars().all()
    assert [(one.principal_id, one.company_id) for one in told] == [(tenant.admin_id, company_id)]
    assert heard == [EventKind.NOTIFICATION_CREATED]


async def test_another_tenants_client_is_not_there(db: Database, tenant: TenantMade) -> None:
    company_id = await make_client(db, await make_tenant(db))
    async with db.tenant(tenant.id) as session:
        with pytest.raises(NotFound):
            await client_profiles.locked(session, company_id)
        with pytest.raises(NotFound):
            await client_profiles.require(session, new_id())
