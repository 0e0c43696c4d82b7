"""Connections of a client: one of a platform at most, listed in order, given up once."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from activities.platforms.keys import Keys
from models.contracts.actors import Actor
from models.db.database import Database
from models.errors import Conflict, NotFound
from models.ids import new_id
from models.queries.people import client_profiles
from models.queries.platforms import connections, connections_write, synced_clients
from models.queries.platforms.connections import Connection, NotActive
from models.queries.platforms.connections_write import NewConnection
from models.rules.platforms.registry import PlatformId
from models.tables.clients import HistoryEvent
from models.tables.records import AuditEntry
from tests.factories.agents import TenantMade, make_tenant
from tests.factories.clients import make_client
from tests.factories.platforms import connect, connection_row, outside
from tests.statements import plan_for_any_values, remembered

NOW = datetime(2026, 3, 10, 9, tzinfo=UTC)
META, SHOPIFY = PlatformId.META_ADS, PlatformId.SHOPIFY
CREDENTIALS = {META: {"access_token": "a", "ad_account_id": "12345"},
               SHOPIFY: {"shop_domain": "a.myshopify.com", "access_token": "a"}}  # fmt: skip


@dataclass
class Desk:
    """A client whose connections are changed."""

    database: Database
    tenant: TenantMade
    company_id: str
    keys: Keys

    @property
    def actor(self) -> Actor:
        return Actor(id=self.tenant.member_id, type="human", name="Ben")

    async def has(self, platform: PlatformId = META, **overrides: Any) -> str:
        return await connect(
            self.database, self.tenant, self.company_id, platform, CREDENTIALS[platform],
            self.keys, **overrides,
        )  # fmt: skip

    async def makes(self, **overrides: Any) -> Connection:
        connection_id = new_id()
        values = {
            "id": connection_id, "platform": META, "account_id": "12345", "display_name": "N",
            "store_url": None, "time_zone": "Europe/Berlin", "currency": "EUR",
            "scopes": ("ads_read",), "token_expires_at": NOW + timedelta(days=60),
            "sealed": self.keys.seal(self.tenant.id, connection_id, CREDENTIALS[META]),
            **overrides,
        }  # fmt: skip
        async with self.database.tenant(self.tenant.id) as db:
            client = await client_profiles.locked(db, self.company_id)
            return await connections_write.insert(
                db, client, NewConnection(**values), actor=self.actor, at=NOW
            )

    async def gives_up(self, connection_id: str) -> None:
        async with self.database.tenant(self.tenant.id) as db:
            await client_profiles.locked(db, self.company_id)
            found = await connections.locked(db, connection_id, company_id=self.company_id)
            await connections_write.disconnect(db, found, actor=self.actor, at=NOW)

    async def events(self) -> list[tuple[str, Any]]:
        async with self.database.tenant(self.tenant.id) as db:
            found = await db.execute(
                select(HistoryEvent.event_type, HistoryEvent.details).order_by(
                    HistoryEvent.created_at, HistoryEvent.id
                )
            )
            return [(row.event_type, row.details) for row in found]

    async def row(self, connection_id: str) -> Any:
        return await connection_row(self.database, self.tenant, connection_id)


@pytest.fixture
async def desk(db: Database) -> AsyncIterator[Desk]:
    tenant = await make_tenant(db)
    company_id = await make_client(db, tenant)
    async with outside() as here:
        yield Desk(db, tenant, company_id, here.keys(db))


async def test_a_connection_is_made_active_with_its_event(desk: Desk) -> None:
    made = await desk.makes()
    assert (made.status, made.source, made.connected_by_user_id) == (
        "active", "manual", desk.tenant.member_id,
    )  # fmt: skip
    assert (made.connected_at, made.created_at, made.last_synced_at) == (NOW, NOW, None)
    assert made.scopes == ["ads_read"]
    ((kind, details),) = await desk.events()
    assert kind == "client.connection_created"
    assert details == {
        "connection_id": made.id, "platform": "meta_ads", "account_id": "12345",
        "replaced_connection_ids": [],
    }  # fmt: skip


async def test_a_second_active_connection_to_a_platform_is_refused(desk: Desk) -> None:
    await desk.makes()
    with pytest.raises(Conflict, match="connected to Meta Ads already"):
        await desk.makes()


async def test_of_two_made_at_once_one_is_refused(desk: Desk) -> None:
    made = await asyncio.gather(desk.makes(), desk.makes(), return_exceptions=True)
    assert sorted(type(one).__name__ for one in made) == ["Conflict", "Connection"]


async def test_an_expired_connection_gives_way_and_keeps_nothing_secret(desk: Desk) -> None:
    old = await desk.has(status="expired", scopes=["ads_read"], token_expires_at=NOW)
    made = await desk.makes()
    row = await desk.row(old)
    assert (row.status, row.sealed_credentials, row.key_id) == ("disconnected", None, None)
    assert (row.scopes, row.token_expires_at) == ([], None)
    ((_, details),) = await desk.events()
    assert details["replaced_connection_ids"] == [old]
    async with desk.database.tenant(desk.tenant.id) as db:
        assert [one.id for one in await connections.active(db, desk.company_id)] == [made.id]


async def test_the_list_has_what_is_connected_first_then_platforms_then_the_newest(
    desk: Desk,
) -> None:
    long_ago, lately = NOW - timedelta(days=9), NOW - timedelta(days=1)
    wanted = {
        "gone, newer": await desk.has(status="disconnected", created_at=lately),
        "shop": await desk.has(SHOPIFY, created_at=long_ago),
        "gone, older": await desk.has(status="disconnected", created_at=long_ago),
        "expired, older": await desk.has(status="expired", created_at=long_ago),
        "active, newer": await desk.has(created_at=lately),
    }
    async with desk.database.tenant(desk.tenant.id) as db:
        listed = [one.id for one in await connections.of_client(db, desk.company_id)]
    names = {id: name for name, id in wanted.items()}
    assert [names[id] for id in listed] == [
        "active, newer", "expired, older", "shop", "gone, newer", "gone, older",
    ]  # fmt: skip


async def test_disconnecting_clears_what_is_secret_and_twice_is_once(desk: Desk) -> None:
    connection_id = await desk.has(scopes=["ads_read"], token_expires_at=NOW, last_synced_at=NOW)
    await desk.gives_up(connection_id)
    await desk.gives_up(connection_id)
    row = await desk.row(connection_id)
    assert (row.status, row.sealed_credentials, row.key_id) == ("disconnected", None, None)
    assert (row.scopes, row.token_expires_at, row.last_synced_at) == ([], None, NOW)
    assert [kind for kind, _ in await desk.events()] == ["client.connection_disconnected"]


async def test_who_disconnects_waits_for_what_is_being_stored_and_nothing_follows(
    desk: Desk,
) -> None:
    connection_id = await desk.has()
    async with desk.database.tenant(desk.tenant.id) as pull:
        await connections.require_active(pull, connection_id)
        async with desk.database.tenant(desk.tenant.id) as other:
            await connections.require_active(other, connection_id)
        giving_up = asyncio.create_task(desk.gives_up(connection_id))
        done, _ = await asyncio.wait([giving_up], timeout=0.2)
        assert not done
    await giving_up
    async with desk.database.tenant(desk.tenant.id) as db:
        with pytest.raises(NotActive):
            await connections.require_active(db, connection_id)


async def test_a_sync_that_went_well_clears_the_error_of_one_that_failed(desk: Desk) -> None:
    connection_id = await desk.has()
    for at, error in [(NOW, None), (NOW + timedelta(hours=1), "Meta is down.")]:
        async with desk.database.tenant(desk.tenant.id) as db:
            await connections_write.note_sync(db, connection_id, at=at, error=error)
    row = await desk.row(connection_id)
    assert (row.last_synced_at, row.last_sync_error) == (NOW, "Meta is down.")
    later = NOW + timedelta(hours=2)
    async with desk.database.tenant(desk.tenant.id) as db:
        await connections_write.note_sync(db, connection_id, at=later, error=None)
    row = await desk.row(connection_id)
    assert (row.last_synced_at, row.last_sync_error) == (later, None)


async def test_a_sync_that_ends_after_the_connection_says_nothing_of_it(desk: Desk) -> None:
    connection_id = await desk.has(status="disconnected")
    async with desk.database.tenant(desk.tenant.id) as db:
        await connections_write.note_sync(db, connection_id, at=NOW, error="Rejected.")
    row = await desk.row(connection_id)
    assert (row.last_synced_at, row.last_sync_error) == (None, None)


async def test_what_an_account_is_like_is_kept_where_it_is_news(desk: Desk) -> None:
    connection_id = await desk.has(last_sync_error="Meta is down.", updated_at=NOW)
    later = NOW + timedelta(hours=1)

    async def note(currency: str, **options: Any) -> Any:
        async with desk.database.tenant(desk.tenant.id) as db:
            await connections_write.note_account(
                db, connection_id, time_zone="Europe/Berlin", currency=currency, at=later, **options
            )
        row = await desk.row(connection_id)
        return row.currency, row.last_sync_error, row.updated_at

    assert await note("EUR") == ("EUR", "Meta is down.", NOW)
    assert await note("USD") == ("USD", "Meta is down.", later)
    assert await note("USD", clears_error=True) == ("USD", None, later)


async def test_pulls_that_begin_at_once_do_not_wait_for_one_another(desk: Desk) -> None:
    connection_id = await desk.has()
    both_hold = asyncio.Barrier(2)

    async def begin() -> None:
        async with desk.database.tenant(desk.tenant.id) as db:
            await connections.require_active(db, connection_id)
            await both_hold.wait()
            await connections_write.note_account(
                db, connection_id, time_zone="Europe/Berlin", currency="EUR", at=NOW
            )

    async with asyncio.timeout(5):
        await asyncio.gather(begin(), begin())


async def test_a_new_name_is_kept_and_audited(desk: Desk) -> None:
    connection_id = await desk.has()
    async with desk.database.tenant(desk.tenant.id) as db:
        found = await connections.locked(db, connection_id, company_id=desk.company_id)
        await connections_write.rename(db, found, "Shop ads", actor=desk.actor, at=NOW)
        await connections_write.rename(
            db, await connections.one(db, connection_id), "Shop ads", actor=desk.actor, at=NOW
        )
        audited = (await db.execute(select(AuditEntry.action, AuditEntry.changes))).all()
    assert (await desk.row(connection_id)).display_name == "Shop ads"
    assert [(row.action, row.changes["display_name"]["to"]) for row in audited] == [
        ("renamed", "Shop ads")
    ]


async def test_another_client_and_another_tenant_have_no_such_connection(desk: Desk) -> None:
    connection_id = await desk.has()
    other = await make_client(desk.database, desk.tenant, "Other")
    async with desk.database.tenant(desk.tenant.id) as db:
        with pytest.raises(NotFound):
            await connections.one(db, connection_id, company_id=other)
    stranger = await make_tenant(desk.database, name="Borage")
    async with desk.database.tenant(stranger.id) as db:
        with pytest.raises(NotFound):
            await connections.one(db, connection_id)
        assert await connections.of_client(db, desk.company_id) == []
        with pytest.raises(NotActive):
            await connections.require_active(db, connection_id)


async def test_no_second_active_row_gets_past_the_database(desk: Desk) -> None:
    await desk.has()
    with pytest.raises(DBAPIError, match="uq_platform_connection_active"):
        await desk.has()


async def test_who_is_synced_is_read_off_an_index_of_the_active(desk: Desk) -> None:
    await desk.has()
    async with desk.database.tenant(desk.tenant.id) as db:
        with remembered(db) as sent:
            (client,) = await synced_clients.synced(db)
        # Of a few rows the planner would read the table itself, and of two indexes take either.
        await db.execute(text("set local enable_seqscan = off"))
        plan = await plan_for_any_values(db, sent[0][0])
    assert client.company_id == desk.company_id
    assert "Index" in plan, plan
    assert "status" not in plan
