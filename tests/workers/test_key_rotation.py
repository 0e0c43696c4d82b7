"""Rotation of master keys: all that is sealed, of all tenants, beside those who seal anew."""

import asyncio
import base64
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import update
from typer.testing import CliRunner

from activities.platforms.keys import Keys
from models.contracts.actors import SYSTEM
from models.db.database import Database
from models.db.vault import Sealed, Vault, key_id
from models.errors import Unavailable
from models.queries.people import stripe_accounts
from models.queries.platforms import connection_keys
from models.queries.sealed_rows import SEALED_TABLES
from models.rules.platforms.registry import PlatformId
from models.settings import Settings, settings
from models.tables.base import Base
from models.tables.platforms import PlatformConnection
from tests.factories.agents import TenantMade, make_tenant
from tests.factories.clients import make_client
from tests.factories.platforms import CONNECTED_AT, connect, connection_row
from workers import key_rotation
from workers.cli import app
from workers.key_rotation import rotated

OLD, NEW = bytes(range(32)), bytes(range(32, 64))
META, KLAVIYO = PlatformId.META_ADS, PlatformId.KLAVIYO
CREDENTIALS = {"access_token": "EAABPlanted", "ad_account_id": "12345"}


class Stopped(Exception):
    """Somebody pulls the plug."""


def written(*keys: bytes) -> str:
    return ",".join(base64.b64encode(key).decode() for key in keys)


def keys(database: Database, *master_keys: bytes) -> Keys:
    return Keys(database, lambda: Vault(master_keys), {})


@dataclass
class Safe:
    """Two tenants with what they have sealed under the old key."""

    database: Database
    settings: Settings
    tenants: list[TenantMade]
    connections: list[str]

    async def row(self, number: int) -> Any:
        return await connection_row(self.database, self.tenants[number], self.connections[number])

    async def opens(self, number: int, *master_keys: bytes) -> str:
        tenant, id = self.tenants[number], self.connections[number]
        row = await self.row(number)
        sealed = Sealed.split(row.key_id, row.sealed_credentials)
        place = connection_keys.place(tenant.id, id)
        return Vault(master_keys).open(sealed, place).get_secret_value()


@pytest.fixture
async def safe(db: Database, database_url: str, tmp_path: Path) -> Safe:
    tenants, connections = [], []
    for name in ("Aster", "Borage"):
        tenant = await make_tenant(db, name=name)
        company_id = await make_client(db, tenant)
        connections.append(await connect(db, tenant, company_id, META, CREDENTIALS, keys(db, OLD)))
        await connect(db, tenant, company_id, KLAVIYO, {}, keys(db, OLD), status="disconnected")
        async with db.tenant(tenant.id) as session:
            sealed = Vault([OLD]).seal(SecretStr("rk_live"), stripe_accounts.place(tenant.id))
            await stripe_accounts.connect(
                session, tenant.id, sealed, name=None, actor=SYSTEM, at=CONNECTED_AT
            )
        tenants.append(tenant)
    here = Settings(
        data_dir=tmp_path, database_url=database_url, master_key=SecretStr(written(NEW, OLD))
    )
    return Safe(db, here, tenants, connections)


async def test_everything_opens_with_the_newest_key_alone_afterwards(safe: Safe) -> None:
    before = await safe.row(0)
    result = await rotated(safe.settings)
    assert result.is_complete
    assert str(result).splitlines() == [
        f"Master key {key_id(NEW)}",
        "platform connections: 2 wrapped anew, 0 were, 0 do not open",
        "Stripe accounts: 2 wrapped anew, 0 were, 0 do not open",
    ]
    for number in (0, 1):
        assert "EAABPlanted" in await safe.opens(number, NEW)
        async with safe.database.tenant(safe.tenants[number].id) as db:
            account = await stripe_accounts.one(db)
        assert account is not None
        place = stripe_accounts.place(safe.tenants[number].id)
        sealed = Sealed.split(account.key_id, account.sealed_key)
        assert Vault([NEW]).open(sealed, place).get_secret_value() == "rk_live"
    after = await safe.row(0)
    assert after.updated_at == before.updated_at
    with pytest.raises(Unavailable):
        await safe.opens(0, OLD)


async def test_a_second_run_finds_all_of_it_done(safe: Safe) -> None:
    await rotated(safe.settings)
    before = await safe.row(0)
    again = await rotated(safe.settings)
    assert [(one.rewrapped, one.current, one.failed) for one in again.tallies.values()] == [
        (0, 2, 0), (0, 2, 0),
    ]  # fmt: skip
    assert await safe.row(0) == before


async def test_a_run_that_was_stopped_is_taken_up_where_it_was(
    safe: Safe, monkeypatch: pytest.MonkeyPatch
) -> None:
    company_id = (await safe.row(0)).company_id
    for platform in (PlatformId.SHOPIFY, PlatformId.GA4, PlatformId.MAILCHIMP):
        await connect(
            safe.database, safe.tenants[0], company_id, platform, {}, keys(safe.database, OLD),
            account_id="1",
        )  # fmt: skip
    monkeypatch.setattr(key_rotation, "_BATCH", 1)
    done: list[str] = []
    rewrapped = key_rotation._rewrapped

    def stops(keys: Vault, of: Any, row: Any) -> Sealed | None:
        if len(done) == 2:
            raise Stopped
        done.append(row.row)
        return rewrapped(keys, of, row)

    monkeypatch.setattr(key_rotation, "_rewrapped", stops)
    with pytest.raises(Stopped):
        await rotated(safe.settings)
    monkeypatch.setattr(key_rotation, "_rewrapped", rewrapped)
    result = await rotated(safe.settings)
    assert sum(tally.current for tally in result.tallies.values()) == 2
    assert sum(tally.rewrapped for tally in result.tallies.values()) == 5
    assert result.is_complete


async def test_what_does_not_open_is_counted_and_left_and_the_rest_goes_on(safe: Safe) -> None:
    async with safe.database.tenant(safe.tenants[0].id) as db:
        await db.execute(update(PlatformConnection).values(key_id="lost").where(
            PlatformConnection.id == safe.connections[0]
        ))  # fmt: skip
    result = await rotated(safe.settings)
    assert not result.is_complete
    assert result.tallies["platform connections"].failed == 1
    assert result.tallies["platform connections"].rewrapped == 1
    assert (await safe.row(0)).key_id == "lost"


async def test_credentials_renewed_beside_it_are_the_ones_that_stay(safe: Safe) -> None:
    tenant, id = safe.tenants[0], safe.connections[0]
    async with safe.database.tenant(tenant.id) as db:
        was = await connection_keys.sealed(db, id)
    await rotated(safe.settings)
    new = keys(safe.database, OLD).seal(tenant.id, id, {"access_token": "EAABRenewed"})
    async with safe.database.tenant(tenant.id) as db:
        assert await connection_keys.store_renewed(db, was, new, token_expires_at=None)
    assert "EAABRenewed" in await safe.opens(0, OLD)
    await rotated(safe.settings)
    assert "EAABRenewed" in await safe.opens(0, NEW)


def test_every_sealed_column_is_rotated() -> None:
    sealed = {
        (table.name, column.name)
        for table in Base.metadata.tables.values()
        for column in table.columns
        if column.name.startswith("sealed_")
    }
    assert sealed == {(of.table.__tablename__, of.sealed.key) for of in SEALED_TABLES}


class TestCommand:
    """As an operator runs it."""

    @pytest.fixture
    def here(
        self, tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> Iterator[None]:
        monkeypatch.setenv("THROUGHLINE_DATA_DIR", str(tmp_path))
        monkeypatch.setenv("THROUGHLINE_DATABASE_URL", database_url)
        monkeypatch.setenv("THROUGHLINE_MASTER_KEY", written(NEW, OLD))
        settings.cache_clear()
        yield
        settings.cache_clear()

    def test_it_tells_counts_and_ends_with_what_is_left(
        self, here: None, database_url: str
    ) -> None:
        async def make(master_key: bytes) -> None:
            database = Database(database_url, 1)
            tenant = await make_tenant(database)
            company_id = await make_client(database, tenant)
            await connect(database, tenant, company_id, META, CREDENTIALS,
                          keys(database, master_key))  # fmt: skip
            await database.close()

        asyncio.run(make(OLD))
        first = CliRunner().invoke(app, ["rotate-keys"])
        assert (first.exit_code, "platform connections: 1 wrapped anew" in first.output) == (
            0,
            True,
        )
        asyncio.run(make(bytes(32)))
        second = CliRunner().invoke(app, ["rotate-keys"])
        assert (second.exit_code, "1 do not open" in second.output) == (1, True)
        assert "EAABPlanted" not in first.output + second.output
