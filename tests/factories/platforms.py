"""Connections of clients to the fakes of their platforms."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import httpx
from sqlalchemy import insert, select

from activities.connectors.clock import Clock, Sleep, utc_now
from activities.platforms.connectors import Connectors
from activities.platforms.keys import Keys
from models.db.database import Database
from models.db.vault import Vault
from models.ids import new_id
from models.rules.platforms.credentials import account_id
from models.rules.platforms.registry import PLATFORMS, PlatformId
from models.settings import Settings
from models.tables.platforms import PlatformConnection
from tests.factories.agents import TenantMade
from workers.fakes.platforms import FakePlatforms, fake_platforms, settings_at
from workers.platforms import build_connectors

ADDRESS = "http://platforms.test"
MASTER_KEY = bytes(range(32))
CONNECTED_AT = datetime(2026, 3, 1, 9, tzinfo=UTC)


@dataclass(frozen=True)
class Outside:
    """All platforms of one client, and the connectors that speak to them."""

    fakes: FakePlatforms
    connectors: Connectors

    def keys(
        self, database: Database, *, now: Clock = utc_now, sleep: Sleep = asyncio.sleep
    ) -> Keys:
        vault = Vault([MASTER_KEY])
        return Keys(database, lambda: vault, self.connectors, now=now, sleep=sleep)


@asynccontextmanager
async def outside(today: date = date(2026, 3, 10), *, seed: int = 1) -> AsyncIterator[Outside]:
    """The platforms within this process."""
    fakes = fake_platforms(today, seed=seed)
    http = httpx.AsyncClient(transport=httpx.ASGITransport(app=fakes.app))
    settings = Settings.model_validate(settings_at(ADDRESS))
    connectors = build_connectors(settings, http)
    yield Outside(fakes, connectors)
    await connectors.close()


def settings_with_platforms(settings: Settings) -> Settings:
    """The settings of a deployment that has application settings for every platform."""
    known = settings_at(ADDRESS)
    return settings.model_copy(update=Settings.model_validate(known).model_dump(include=set(known)))


async def connect(
    database: Database,
    tenant: TenantMade,
    company_id: str,
    platform: PlatformId,
    credentials: Mapping[str, str],
    keys: Keys,
    **overrides: Any,
) -> str:
    """An active connection with these credentials; answers its id."""
    connection_id = new_id()
    sealed = keys.seal(tenant.id, connection_id, credentials)
    values = {
        "id": connection_id,
        "tenant_id": tenant.id,
        "company_id": company_id,
        "platform": platform,
        "status": "active",
        "source": "manual",
        "connected_at": CONNECTED_AT,
        "account_id": overrides.get("account_id")
        or account_id(PLATFORMS[platform], credentials)
        or "1",
        "display_name": "Northwind Outfitters",
        "time_zone": "Europe/Berlin",
        "currency": "EUR",
        "sealed_credentials": sealed.joined,
        "key_id": sealed.key_id,
        **overrides,
    }
    if values["status"] == "disconnected":
        values |= {"sealed_credentials": None, "key_id": None}
    async with database.tenant(tenant.id) as db:
        await db.execute(insert(PlatformConnection).values(values))
    return connection_id


async def connection_row(database: Database, tenant: TenantMade, connection_id: str) -> Any:
    """The row as it is stored."""
    async with database.tenant(tenant.id) as db:
        found = await db.execute(
            select(PlatformConnection.__table__).where(PlatformConnection.id == connection_id)
        )
        return found.one()
