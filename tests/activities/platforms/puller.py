"""A client with connections to the fakes, and the steps that pull from them."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import text

from activities.platforms.asking import Asking
from activities.platforms.keys import Keys
from activities.platforms.pull_records import PullRecordSteps
from activities.platforms.pulls import PullSteps
from models.contracts.actors import SYSTEM
from models.contracts.platforms import BeginPull, ConnectionRef, PullWindow, Window
from models.db.database import Database
from models.queries.people import client_profiles
from models.queries.platforms import connections, connections_write
from models.rules.platforms.ledger import Level, days_of
from models.rules.platforms.registry import PlatformId
from tests.factories.agents import TenantMade, make_tenant
from tests.factories.clients import make_client
from tests.factories.platforms import Outside, connect, outside

TODAY = date(2026, 3, 10)
NOON = datetime(2026, 3, 10, 11, tzinfo=UTC)


@dataclass
class Puller:
    """One client; the time is what the test says."""

    database: Database
    tenant: TenantMade
    company_id: str
    here: Outside
    keys: Keys
    now: datetime = NOON

    @classmethod
    @asynccontextmanager
    async def at_work(cls, database: Database, today: date = TODAY) -> AsyncIterator["Puller"]:
        tenant = await make_tenant(database)
        company_id = await make_client(database, tenant, assigned_dm_id=tenant.member_id)
        async with outside(today) as here:
            meta: Any = here.fakes.vendors[PlatformId.META_ADS]
            shop: Any = here.fakes.vendors[PlatformId.SHOPIFY]
            # A report that is ready at once and a large bucket of points need no waiting for.
            meta.polls_needed, shop.bucket = 0, 100_000
            noon = NOON + (today - TODAY)
            puller = cls(database, tenant, company_id, here, here.keys(database), noon)
            puller.keys = here.keys(database, now=puller.clock)
            yield puller

    def clock(self) -> datetime:
        return self.now

    @property
    def steps(self) -> PullSteps:
        return PullSteps(self.database, Asking(self.database, self.keys, now=self.clock))

    @property
    def records(self) -> PullRecordSteps:
        return PullRecordSteps(self.database)

    def fake(self, platform: PlatformId) -> Any:
        """The vendor that plays the platform."""
        return self.here.fakes.vendors[platform]

    async def connect(self, platform: PlatformId, **overrides: Any) -> ConnectionRef:
        connection_id = await connect(
            self.database, self.tenant, self.company_id, platform,
            self.here.fakes.credentials[platform], self.keys, **overrides,
        )  # fmt: skip
        return ConnectionRef(
            tenant_id=self.tenant.id, company_id=self.company_id,
            connection_id=connection_id, platform=platform,
        )  # fmt: skip

    async def disconnect(self, of: ConnectionRef) -> None:
        async with self.database.tenant(self.tenant.id) as db:
            await client_profiles.locked(db, self.company_id)
            found = await connections.locked(db, of.connection_id)
            await connections_write.disconnect(db, found, actor=SYSTEM, at=self.now)

    async def later(self, days: int) -> None:
        """Let days pass, here and at the platforms."""
        self.now += timedelta(days=days)
        for vendor in self.here.fakes.vendors.values():
            account: Any = vendor
            account.account.today += timedelta(days=days)

    async def pull(
        self, of: ConnectionRef, level: Level = Level.ACCOUNT, first: int = 3, last: int = 0
    ) -> int:
        """Pull the days between so many days ago."""
        today = self.now.date()
        window = Window(
            level=level, first=today - timedelta(days=first), last=today - timedelta(days=last)
        )
        return (await self.steps.window(PullWindow(of=of, window=window))).rows

    async def pull_all(self, of: ConnectionRef, days: int | None = None) -> Sequence[Window]:
        """All that a sync or a backfill asks for; answers the windows."""
        begun = await self.steps.begin(BeginPull(of=of, days=days))
        for window in begun.windows:
            await self.steps.window(PullWindow(of=of, window=window))
        return begun.windows

    async def rows(self, sql: str, **values: Any) -> list[Any]:
        async with self.database.tenant(self.tenant.id) as db:
            return list((await db.execute(text(sql), values)).all())

    async def run(self, sql: str, **values: Any) -> None:
        async with self.database.tenant(self.tenant.id) as db:
            await db.execute(text(sql), values)

    async def ledger(self, of: ConnectionRef, level: Level = Level.ACCOUNT) -> dict[date, str]:
        """What is known of each day."""
        found = await self.rows(
            "select day, state from connection_day where connection_id = :id and level = :level",
            id=of.connection_id, level=level,
        )  # fmt: skip
        return dict(found)

    async def stored_days(
        self, table: str = "metric_snapshot", platform: PlatformId | None = None
    ) -> set[date]:
        found = await self.rows(
            f"select distinct day from {table} where platform = :platform or :platform is null",
            platform=platform,
        )
        return {row.day for row in found}

    async def spend(self) -> dict[date, Any]:
        """What the account has spent by day."""
        sql = "select day, value from metric_snapshot where metric_key = 'spend'"
        return dict(await self.rows(sql))

    async def contents(self) -> dict[str, list[Any]]:
        """All numbers that are stored, without when they were asked for."""
        columns = {
            "metric_snapshot": "day, platform, account_id, metric_key, value, currency",
            "campaign_daily": "day, platform, campaign_id, spend, impressions, clicks,"
            " conversions, conversion_value, reach, currency",
            "creative_daily": "day, platform, creative_id, spend, conversions",
            "ad_campaign": "platform, campaign_id, name, status, daily_budget, lifetime_budget",
            "ad_creative": "platform, creative_id, campaign_id, title, body",
            "campaign_reach": "platform, campaign_id, period_start, period_end, reach",
        }
        return {
            table: [
                tuple(row) for row in await self.rows(f"select {of} from {table} order by {of}")
            ]
            for table, of in columns.items()
        }


def ago(days: int) -> date:
    """So many days before the first day of a test."""
    return TODAY - timedelta(days=days)


def between(first: int, last: int = 0) -> set[date]:
    """The days between so many days ago."""
    return set(days_of(ago(first), ago(last)))
