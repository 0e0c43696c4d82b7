"""The steps of a sync and a backfill that ask platforms, and store what they answer.

A step asks first and stores then, all of it in one transaction with what the ledger knows of it:
there is no row without the ledger, and never half a window. Done twice it changes nothing. Where
others stored the same days meanwhile, theirs may be newer: then the platform is asked anew.
"""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, datetime
from typing import Any, Final, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection
from temporalio import activity

from activities.connectors.errors import PlatformBusy
from activities.connectors.ports import (
    Campaign,
    CampaignDay,
    Creative,
    CreativeDay,
    DayMetric,
    PeriodReach,
)
from activities.platforms.asking import Asking
from activities.platforms.keys import Opened
from activities.platforms.row_spool import RowSpool
from models.contracts.platforms import (
    BeginPull,
    Begun,
    ConnectionRef,
    Pulled,
    PullWindow,
    Window,
)
from models.db.database import Database
from models.queries.platforms import connection_days, connections_write, metric_writes
from models.queries.platforms.connection_days import Pulling
from models.rules.clients.metrics import STANDINGS
from models.rules.clients.vocabulary import PeriodType
from models.rules.platforms.ledger import Level, backfill_ranges, sync_ranges
from models.rules.results.periods import period

Day = TypeVar("Day", DayMetric, CampaignDay, CreativeDay)
Moments = tuple[tuple[date, datetime], ...]

_TRIES: Final = 3
"""How often a window is asked for whose days somebody else stores meanwhile."""


class PullSteps:
    """Asks platforms through the connectors of the keys."""

    def __init__(self, database: Database, asking: Asking) -> None:
        self._database = database
        self._asking = asking

    @activity.defn(name="pull.begin")
    async def begin(self, begin: BeginPull) -> Begun:
        """Learn what the account is like now, and note in the ledger which days are wanted."""
        async with self._asking.open(begin.of) as opened:
            account = await opened.connector.verify(opened.access.credentials)
            at = self._asking.now()
            of = _pulling(opened)
            async with self._database.tenant(of.tenant_id) as db:
                await metric_writes.hold(db, of)
                await connections_write.note_account(
                    db, of.connection_id,
                    time_zone=account.time_zone, currency=account.currency, at=at,
                )  # fmt: skip
                now = replace(opened.access, time_zone=account.time_zone)
                today = now.today(at)
                windows = await _wanted(db, of, begin, today)
                ranges = [(one.level, one.first, one.last) for one in windows]
                await connection_days.open_days(db, of, ranges)
        return Begun(windows=tuple(windows))

    @activity.defn(name="pull.window")
    async def window(self, pull: PullWindow) -> Pulled:
        """Pull the account's days, or those of its campaigns and creatives, and store them."""
        read = self._account if pull.window.level is Level.ACCOUNT else self._campaigns
        async with self._asking.open(pull.of) as opened:
            for _ in range(_TRIES):
                before = await self._moments(pull.of, pull.window)
                pulled = await read(opened, pull.window, before)
                if pulled is not None:
                    return pulled
            raise PlatformBusy("The same days were pulled by others all the time.")

    @activity.defn(name="pull.campaigns")
    async def campaigns(self, of: ConnectionRef) -> Pulled:
        """Pull what the campaigns and the creatives are now."""
        async with self._asking.open(of) as opened:
            ads = opened.ads
            assert ads is not None
            with RowSpool() as campaigns, RowSpool() as creatives:
                at = self._asking.now()
                await campaigns.take(ads.campaigns(opened.access), _campaign)
                await creatives.take(ads.creatives(opened.access), _creative)
                pulling = _pulling(opened)
                async with self._database.tenant(of.tenant_id) as db:
                    await metric_writes.hold(db, pulling)
                    await metric_writes.put_campaigns(
                        db, pulling, at,
                        campaigns=campaigns.batches(), creatives=creatives.batches(),
                    )  # fmt: skip
                return Pulled(rows=campaigns.rows + creatives.rows)

    @activity.defn(name="pull.reach")
    async def reach(self, of: ConnectionRef) -> Pulled:
        """Pull the reach of the four periods that end on the last stored day; none, without one."""
        rows = 0
        async with self._asking.open(of) as opened:
            ads = opened.ads
            assert ads is not None
            async with self._database.tenant(of.tenant_id) as db:
                last = await connection_days.last_stored(db, of.connection_id)
            for wanted in [] if last is None else [period(type, last) for type in PeriodType]:
                with RowSpool() as spool:
                    at = self._asking.now()
                    reach = ads.reach(opened.access, wanted.start, wanted.end)
                    await spool.take(reach, _reach)
                    rows += spool.rows
                    pulling = _pulling(opened)
                    async with self._database.tenant(of.tenant_id) as db:
                        await metric_writes.hold(db, pulling)
                        await metric_writes.replace_reach(
                            db, pulling, wanted.start, wanted.end, at, spool.batches()
                        )
        return Pulled(rows=rows)

    async def _moments(self, of: ConnectionRef, window: Window) -> Moments:
        async with self._database.tenant(of.tenant_id) as db:
            return await _moments(db, of.connection_id, window)

    async def _account(self, opened: Opened, window: Window, before: Moments) -> Pulled | None:
        of, first, last = _pulling(opened), window.first, window.last
        told, with_standing = set[date](), set[date]()

        def columns(row: DayMetric) -> dict[str, Any]:
            told.add(row.day)
            if row.metric_key in STANDINGS:
                with_standing.add(row.day)
            return _metric(row)

        with RowSpool() as rows:
            # What is told is as of the moment before it was asked for.
            at = self._asking.now()
            read = opened.connector.daily_metrics(opened.access, first, last)
            await rows.take(_within(window, read), columns)
            async with self._database.tenant(of.tenant_id) as db:
                await metric_writes.hold(db, of)
                if await _moments(db, of.connection_id, window) != before:
                    return None
                await metric_writes.replace_account_days(
                    db, of, first, last, at, rows.batches(),
                    told=told, with_standing=with_standing,
                )  # fmt: skip
                today = opened.access.today(at)
                await connection_days.close_days(
                    db, of, window.level, first, last, today=today, as_of=at, told=told
                )
            return Pulled(rows=rows.rows)

    async def _campaigns(self, opened: Opened, window: Window, before: Moments) -> Pulled | None:
        of, first, last = _pulling(opened), window.first, window.last
        ads = opened.ads
        assert ads is not None
        with RowSpool() as campaigns, RowSpool() as creatives:
            at = self._asking.now()
            of_campaigns = ads.campaign_days(opened.access, first, last)
            await campaigns.take(_within(window, of_campaigns), _campaign_day)
            of_creatives = ads.creative_days(opened.access, first, last)
            await creatives.take(_within(window, of_creatives), _creative_day)
            async with self._database.tenant(of.tenant_id) as db:
                await metric_writes.hold(db, of)
                if await _moments(db, of.connection_id, window) != before:
                    return None
                await metric_writes.replace_campaign_days(
                    db, of, first, last, at,
                    campaigns=campaigns.batches(), creatives=creatives.batches(),
                )  # fmt: skip
                today = opened.access.today(at)
                await connection_days.close_days(
                    db, of, window.level, first, last, today=today, as_of=at
                )
            return Pulled(rows=campaigns.rows + creatives.rows)


async def _moments(db: AsyncConnection, connection_id: str, window: Window) -> Moments:
    """What tells whether somebody stored days of the window: what they know may be newer."""
    return await connection_days.moments(db, connection_id, window.level, window.first, window.last)


async def _within(window: Window, rows: AsyncIterator[Day]) -> AsyncIterator[Day]:
    """The rows of the window's days: of others, should one come, the ledger would know nothing."""
    async for row in rows:
        if window.first <= row.day <= window.last:
            yield row


async def _wanted(db: AsyncConnection, of: Pulling, begin: BeginPull, today: date) -> list[Window]:
    """The windows in the order in which they are pulled: newest first, the account's before."""
    known = await connection_days.known(db, of.connection_id)
    levels = tuple(Level) if begin.of.is_ad_platform else (Level.ACCOUNT,)
    windows: list[Window] = []
    for level in levels:
        if begin.days is None:
            ranges = sync_ranges(of.platform, known[level], today=today)
        else:
            ranges = backfill_ranges(known[level], today=today, days=begin.days)
        windows += [Window(level=level, first=first, last=last) for first, last in ranges]
    return sorted(windows, key=lambda one: (one.last, one.level is Level.ACCOUNT), reverse=True)


def _pulling(opened: Opened) -> Pulling:
    return Pulling(
        tenant_id=opened.tenant_id,
        company_id=opened.company_id,
        connection_id=opened.connection_id,
        platform=opened.platform,
        account_id=opened.access.account_id,
    )


def _metric(row: DayMetric) -> dict[str, Any]:
    return {
        "day": row.day,
        "metric_key": row.metric_key,
        "value": row.value,
        "currency": row.currency,
    }


def _campaign_day(row: CampaignDay) -> dict[str, Any]:
    return {
        "day": row.day,
        "campaign_id": row.campaign_id,
        "spend": row.spend,
        "impressions": row.impressions,
        "clicks": row.clicks,
        "conversions": row.conversions,
        "conversion_value": row.conversion_value,
        "reach": row.reach,
        "currency": row.currency,
    }


def _creative_day(row: CreativeDay) -> dict[str, Any]:
    return {
        "day": row.day,
        "creative_id": row.creative_id,
        "spend": row.spend,
        "conversions": row.conversions,
    }


def _campaign(row: Campaign) -> dict[str, Any]:
    return {
        "campaign_id": row.campaign_id,
        "name": row.name,
        "status": row.status,
        "objective": row.objective,
        "daily_budget": row.daily_budget,
        "lifetime_budget": row.lifetime_budget,
    }


def _creative(row: Creative) -> dict[str, Any]:
    return {
        "creative_id": row.creative_id,
        "campaign_id": row.campaign_id,
        "title": row.title,
        "body": row.body,
    }


def _reach(row: PeriodReach) -> dict[str, Any]:
    return {"campaign_id": row.campaign_id, "reach": row.reach}
