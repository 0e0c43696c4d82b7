"""Keys to clients' accounts: opened by nobody else, renewed by one at a time, expired once."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from activities.connectors.errors import CredentialsRejected, PlatformBusy
from activities.connectors.ports import Connector, Credentials, Renewed
from activities.platforms.keys import Keys
from models.contracts.actors import SYSTEM
from models.db.database import Database
from models.errors import NotFound, Unavailable
from models.queries.people import client_profiles
from models.queries.platforms import connection_keys, connections, connections_write
from models.queries.platforms.connections import NotActive
from models.rules.platforms.registry import PlatformId
from models.tables.clients import HistoryEvent
from models.tables.people import Notification
from models.tables.platforms import PlatformConnection
from tests.factories.agents import TenantMade, make_tenant
from tests.factories.clients import make_client
from tests.factories.platforms import Outside, connect, connection_row, outside
from workers.fakes.linkedin_ads import FakeLinkedIn

NOW = datetime(2026, 3, 10, 9, tzinfo=UTC)
SOON = NOW + timedelta(minutes=40)
LINKEDIN = PlatformId.LINKEDIN_ADS


@dataclass
class Ring:
    """A client with a connection to LinkedIn whose token ends within the hour."""

    database: Database
    tenant: TenantMade
    company_id: str
    connection_id: str
    here: Outside
    keys: Keys
    waits: list[float] = field(default_factory=list)

    @property
    def linkedin(self) -> FakeLinkedIn:
        fake = self.here.fakes.vendors[LINKEDIN]
        assert isinstance(fake, FakeLinkedIn)
        return fake

    async def renew(self) -> None:
        await self.keys.renew_if_due(self.tenant.id, self.connection_id)

    async def token(self) -> str:
        opened = await self.keys.access(self.tenant.id, self.connection_id)
        return opened.access.credentials["access_token"]

    async def row(self) -> Any:
        return await connection_row(self.database, self.tenant, self.connection_id)

    async def change(self, **values: Any) -> None:
        async with self.database.tenant(self.tenant.id) as db:
            await db.execute(
                update(PlatformConnection)
                .where(PlatformConnection.id == self.connection_id)
                .values(**values)
            )

    async def disconnect(self) -> None:
        async with self.database.tenant(self.tenant.id) as db:
            await client_profiles.locked(db, self.company_id)
            found = await connections.locked(db, self.connection_id)
            await connections_write.disconnect(db, found, actor=SYSTEM, at=NOW)

    async def told(self) -> tuple[list[str], list[str]]:
        """The kinds of history events and of notifications."""
        async with self.database.tenant(self.tenant.id) as db:
            events = await db.execute(
                select(HistoryEvent.event_type).order_by(HistoryEvent.event_type)
            )
            notices = await db.execute(select(Notification.kind))
            return list(events.scalars()), list(notices.scalars())


@pytest.fixture
async def ring(db: Database) -> AsyncIterator[Ring]:
    tenant = await make_tenant(db)
    company_id = await make_client(db, tenant, assigned_dm_id=tenant.member_id)
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        await asyncio.sleep(0.01)

    async with outside() as here:
        keys = here.keys(db, now=lambda: NOW, sleep=sleep)
        connection_id = await connect(
            db, tenant, company_id, LINKEDIN, here.fakes.credentials[LINKEDIN], keys,
            token_expires_at=SOON,
        )  # fmt: skip
        yield Ring(db, tenant, company_id, connection_id, here, keys, waits)


async def test_a_connection_opens_with_what_it_was_sealed_with(ring: Ring) -> None:
    opened = await ring.keys.access(ring.tenant.id, ring.connection_id)
    assert opened.access.credentials == ring.here.fakes.credentials[LINKEDIN]
    assert (opened.access.time_zone, opened.access.currency) == ("Europe/Berlin", "EUR")
    assert opened.company_id == ring.company_id
    assert opened.ads is opened.connector
    assert ring.linkedin.token not in repr(opened)


async def test_credentials_moved_to_another_connection_do_not_open(ring: Ring) -> None:
    other = await connect(
        ring.database, ring.tenant, ring.company_id, PlatformId.META_ADS,
        {"access_token": "x", "ad_account_id": "12345"}, ring.keys,
    )  # fmt: skip
    row = await ring.row()
    async with ring.database.tenant(ring.tenant.id) as db:
        await db.execute(
            update(PlatformConnection)
            .where(PlatformConnection.id == other)
            .values(sealed_credentials=row.sealed_credentials)
        )
    with pytest.raises(Unavailable, match="cannot be opened"):
        await ring.keys.access(ring.tenant.id, other)


async def test_what_is_not_active_is_not_opened(ring: Ring) -> None:
    await ring.keys.expire(ring.tenant.id, ring.connection_id, "Rejected.")
    with pytest.raises(NotActive):
        await ring.keys.access(ring.tenant.id, ring.connection_id)
    await ring.disconnect()
    with pytest.raises(NotActive):
        await ring.keys.access(ring.tenant.id, ring.connection_id)
    with pytest.raises(NotActive):
        await ring.renew()


async def test_another_tenant_has_no_such_connection(ring: Ring) -> None:
    stranger = await make_tenant(ring.database, name="Borage")
    with pytest.raises(NotActive):
        await ring.keys.access(stranger.id, ring.connection_id)
    with pytest.raises(NotFound):
        await ring.keys.expire(stranger.id, ring.connection_id, "Rejected.")
    assert (await ring.row()).status == "active"


async def test_a_platform_that_the_deployment_is_not_set_up_for_is_told_so(ring: Ring) -> None:
    keys = Keys(ring.database, ring.keys._vault, {})
    with pytest.raises(Unavailable, match="not set up for LinkedIn Ads"):
        await keys.access(ring.tenant.id, ring.connection_id)


async def test_a_token_that_ends_within_the_hour_is_renewed_and_stored(ring: Ring) -> None:
    before = await ring.token()
    await ring.renew()
    assert await ring.token() == ring.linkedin.token != before
    row = await ring.row()
    assert row.token_expires_at > NOW + timedelta(days=50)
    assert row.renewing_until is None
    await ring.renew()
    assert ring.linkedin.renewals == 1


@pytest.mark.parametrize("ends", [None, NOW + timedelta(minutes=61)])
async def test_a_token_that_lives_on_is_left_alone(ring: Ring, ends: datetime | None) -> None:
    await ring.change(token_expires_at=ends)
    await ring.renew()
    assert ring.linkedin.calls == []


async def test_of_all_workers_one_renews_and_the_others_find_the_new_token(ring: Ring) -> None:
    workers = [ring.here.keys(ring.database, now=lambda: NOW, sleep=ring.keys._sleep)] * 6

    async def sync(keys: Keys) -> str:
        await keys.renew_if_due(ring.tenant.id, ring.connection_id)
        opened = await keys.access(ring.tenant.id, ring.connection_id)
        return opened.access.credentials["access_token"]

    tokens = await asyncio.gather(*(sync(keys) for keys in workers))
    assert ring.linkedin.renewals == 1
    assert set(tokens) == {ring.linkedin.token}


class SlowRenewal:
    """A platform that has made its new token, and takes its time to say so."""

    def __init__(self, platform: Connector) -> None:
        self._platform = platform
        self.is_made, self.goes_on = asyncio.Event(), asyncio.Event()

    async def renew(self, credentials: Credentials) -> Renewed | None:
        renewed = await self._platform.renew(credentials)
        self.is_made.set()
        await self.goes_on.wait()
        return renewed


async def test_a_renewal_that_nobody_waits_for_any_more_is_stored(ring: Ring) -> None:
    slow: Any = SlowRenewal(ring.keys.connector(LINKEDIN))
    keys = Keys(ring.database, ring.keys._vault, {LINKEDIN: slow}, now=lambda: NOW)
    asking = asyncio.create_task(keys.renew_if_due(ring.tenant.id, ring.connection_id))
    await slow.is_made.wait()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    slow.goes_on.set()
    await asyncio.gather(*keys._renewals)
    assert await ring.token() == ring.linkedin.token
    assert (await ring.row()).renewing_until is None


async def test_a_worker_that_died_while_renewing_holds_nobody_up_for_good(ring: Ring) -> None:
    await ring.change(renewing_until=func.clock_timestamp() + timedelta(milliseconds=80))
    await ring.renew()
    assert ring.waits
    assert ring.linkedin.renewals == 1


async def test_a_platform_that_is_down_leaves_the_token_and_the_turn_to_the_next(
    ring: Ring,
) -> None:
    before = await ring.row()
    ring.linkedin.faults.errors = 1
    with pytest.raises(PlatformBusy):
        await ring.renew()
    row = await ring.row()
    assert (row.status, row.sealed_credentials) == ("active", before.sealed_credentials)
    assert row.renewing_until is None
    await ring.renew()
    assert ring.linkedin.renewals == 1


async def test_a_refresh_token_that_was_revoked_expires_the_connection(ring: Ring) -> None:
    ring.linkedin.faults.revoked = True
    secret = ring.linkedin.refresh_token
    with pytest.raises(CredentialsRejected) as caught:
        await ring.renew()
    row = await ring.row()
    assert row.status == "expired"
    assert secret not in f"{caught.value} {row.last_sync_error}"
    assert await ring.told() == (["client.connection_expired"], ["client.connection_expired"])


@pytest.mark.parametrize(("ends", "status"), [(NOW, "expired"), (SOON, "active")])
async def test_a_token_without_a_refresh_token_is_used_until_it_ends(
    ring: Ring, ends: datetime, status: str
) -> None:
    credentials = dict(ring.here.fakes.credentials[LINKEDIN])
    del credentials["refresh_token"]
    sealed = ring.keys.seal(ring.tenant.id, ring.connection_id, credentials)
    await ring.change(sealed_credentials=sealed.joined, token_expires_at=ends)
    if status == "expired":
        with pytest.raises(CredentialsRejected, match="cannot be renewed"):
            await ring.renew()
    else:
        await ring.renew()
    assert (await ring.row()).status == status


async def test_what_was_disconnected_while_its_token_was_renewed_stays_without_one(
    ring: Ring,
) -> None:
    async with ring.database.tenant(ring.tenant.id) as db:
        was = await connection_keys.sealed(db, ring.connection_id)
    await ring.disconnect()
    new = ring.keys.seal(ring.tenant.id, ring.connection_id, {"access_token": "new"})
    async with ring.database.tenant(ring.tenant.id) as db:
        kept = await connection_keys.store_renewed(db, was, new, token_expires_at=None)
    row = await ring.row()
    assert (kept, row.status, row.sealed_credentials) == (False, "disconnected", None)


async def test_credentials_that_were_replaced_meanwhile_are_not_overwritten(ring: Ring) -> None:
    async with ring.database.tenant(ring.tenant.id) as db:
        was = await connection_keys.sealed(db, ring.connection_id)
    await ring.renew()
    stale = ring.keys.seal(ring.tenant.id, ring.connection_id, {"access_token": "stale"})
    async with ring.database.tenant(ring.tenant.id) as db:
        assert not await connection_keys.store_renewed(db, was, stale, token_expires_at=None)
    assert await ring.token() == ring.linkedin.token


async def test_a_connection_expires_once_however_often_that_is_said(ring: Ring) -> None:
    said = await asyncio.gather(
        *(ring.keys.expire(ring.tenant.id, ring.connection_id, "Rejected.") for _ in range(4))
    )
    assert said == [True] * 4
    assert await ring.told() == (["client.connection_expired"], ["client.connection_expired"])
    assert (await ring.row()).last_sync_error == "Rejected."


async def test_a_rejected_token_that_was_renewed_since_expires_nothing(ring: Ring) -> None:
    opened = await ring.keys.access(ring.tenant.id, ring.connection_id)
    await ring.renew()
    with pytest.raises(CredentialsRejected):
        await opened.connector.verify(opened.access.credentials)
    expired = await ring.keys.expire(
        ring.tenant.id, ring.connection_id, "Rejected.", version=opened.version
    )
    assert (expired, (await ring.row()).status) == (False, "active")
    assert await ring.told() == ([], [])


async def test_a_secret_in_a_message_is_hidden_before_it_is_kept(ring: Ring) -> None:
    said = "Bearer EAAB0PlantedTokenOfTheNorthwindClient7hQ is not valid"
    await ring.keys.expire(ring.tenant.id, ring.connection_id, said)
    assert "Planted" not in (await ring.row()).last_sync_error


async def test_another_master_key_around_the_same_credentials_is_no_new_version(
    ring: Ring,
) -> None:
    async with ring.database.tenant(ring.tenant.id) as db:
        found = await connection_keys.sealed(db, ring.connection_id)
    rewrapped = replace(found.sealed, key_id="other", wrapped_key=b"\0" * 60)
    assert replace(found, sealed=rewrapped).version == found.version
