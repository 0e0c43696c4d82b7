"""The API with every platform within reach, and a client whose accounts are there."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from activities.platforms.connectors import Connectors
from activities.platforms.keys import Keys
from api.http.services import Services
from models.db.database import Database
from models.rules.platforms.registry import PlatformId
from models.settings import Settings
from models.tables.clients import HistoryEvent
from models.tables.platforms import PlatformConnection
from tests.api.conftest import Person, TenantPeople
from tests.factories.agents import TenantMade
from tests.factories.clients import make_client
from tests.factories.platforms import Outside, connect, outside, settings_with_platforms
from workers.fakes.vendor import FakeVendor


@pytest.fixture
async def platforms() -> AsyncIterator[Outside]:
    async with outside() as here:
        yield here


@pytest.fixture
def connectors(platforms: Outside) -> Connectors:
    return platforms.connectors


@pytest.fixture
def api_settings(api_settings: Settings) -> Settings:
    return settings_with_platforms(api_settings)


@pytest.fixture
def made(tenant_a: TenantPeople) -> TenantMade:
    return TenantMade(id=tenant_a.id, admin_id=tenant_a.admin.id, member_id=tenant_a.member.id)


@pytest.fixture
async def company_id(db: Database, made: TenantMade) -> str:
    return await make_client(db, made, assigned_dm_id=made.admin_id)


@dataclass(frozen=True)
class Office:
    """Somebody who connects a client's platforms."""

    http: httpx.AsyncClient
    database: Database
    made: TenantMade
    person: Person
    company_id: str
    platforms: Outside
    keys: Keys

    @property
    def url(self) -> str:
        return f"/api/clients/{self.company_id}/connections"

    def good(self, platform: PlatformId) -> dict[str, str]:
        return dict(self.platforms.fakes.credentials[platform])

    def vendor(self, platform: PlatformId) -> FakeVendor:
        return self.platforms.fakes.vendors[platform]

    async def connects(
        self, platform: PlatformId, /, headers: dict[str, str] | None = None, **body: Any
    ) -> httpx.Response:
        """Send good credentials, unless others are given."""
        wanted = {"platform": platform, "credentials": self.good(platform), **body}
        return await self.http.post(
            self.url, json=wanted, headers={**self.person.headers, **(headers or {})}
        )

    async def asks(self, method: str, path: str, body: Any = None) -> httpx.Response:
        url = f"{self.url}/{path}" if path else self.url
        return await self.http.request(method, url, json=body, headers=self.person.headers)

    async def has(self, platform: PlatformId = PlatformId.META_ADS, **overrides: Any) -> str:
        """A connection that is there already; answers its id."""
        credentials = overrides.pop("credentials", self.good(platform))
        return await connect(
            self.database, self.made, self.company_id, platform, credentials, self.keys,
            **overrides,
        )  # fmt: skip

    async def rows(self) -> list[Any]:
        async with self.database.tenant(self.made.id) as db:
            found = await db.execute(
                select(PlatformConnection.__table__).order_by(PlatformConnection.connected_at)
            )
            return list(found)

    async def events(self) -> list[tuple[str, str | None]]:
        async with self.database.tenant(self.made.id) as db:
            found = await db.execute(
                select(HistoryEvent.event_type, HistoryEvent.actor_id).order_by(
                    HistoryEvent.created_at, HistoryEvent.id
                )
            )
            return [(row.event_type, row.actor_id) for row in found]


@pytest.fixture
def office(
    http: httpx.AsyncClient,
    db: Database,
    made: TenantMade,
    tenant_a: TenantPeople,
    company_id: str,
    platforms: Outside,
    services: Services,
) -> Office:
    return Office(http, db, made, tenant_a.member, company_id, platforms, services.keys)
