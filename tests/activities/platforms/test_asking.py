"""What goes wrong at a platform, what it is told as, and what is known afterwards."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import date, timedelta
from math import inf
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from activities.connectors.errors import PlatformBusy, RequestRefused
from activities.platforms.asking import Asking
from models.contracts.platforms import (
    BUSY,
    NOT_ACTIVE,
    REFUSED,
    REJECTED,
    RESTING,
    BeginPull,
    ConnectionRef,
)
from models.queries.platforms import quota_leases
from models.rules.platforms.ledger import Level
from models.rules.platforms.quotas import RATES
from models.rules.platforms.registry import PlatformId
from tests.activities.platforms.puller import Puller, ago, between
from workers.fakes import meta_ads

META = PlatformId.META_ADS


async def failing(awaitable: Any) -> ApplicationError:
    with pytest.raises(ApplicationError) as failed:
        await awaitable
    return failed.value


async def begun(puller: Puller) -> ConnectionRef:
    of = await puller.connect(META)
    await puller.steps.begin(BeginPull(of=of))
    return of


async def test_rejected_credentials_expire_the_connection_and_are_not_tried_again(
    puller: Puller,
) -> None:
    of = await begun(puller)
    puller.fake(META).faults.revoked = True
    error = await failing(puller.pull(of))
    assert (error.type, error.non_retryable) == (REJECTED, True)
    (row,) = await puller.rows("select status, last_sync_error from platform_connection")
    assert (row.status, row.last_sync_error) == ("expired", error.message)
    assert meta_ads.TOKEN not in error.message
    assert set((await puller.ledger(of)).values()) == {"missing"}
    assert (await failing(puller.pull(of))).type == NOT_ACTIVE


async def test_what_was_rejected_and_is_renewed_by_now_is_tried_again(
    puller: Puller, monkeypatch: pytest.MonkeyPatch
) -> None:
    of = await begun(puller)
    versions: list[str | None] = []

    async def expire(*_: Any, version: str | None = None) -> bool:
        versions.append(version)
        return False

    opened = await puller.keys.access(of.tenant_id, of.connection_id)
    monkeypatch.setattr(puller.keys, "expire", expire)
    puller.fake(META).faults.revoked = True
    error = await failing(puller.pull(of))
    assert (error.type, error.non_retryable) == (BUSY, False)
    assert versions == [opened.version]


async def test_a_quota_that_is_used_up_lets_all_workers_rest(puller: Puller) -> None:
    of = await begun(puller)
    puller.fake(META).faults.quota = 1
    error = await failing(puller.pull(of))
    until = puller.now + timedelta(minutes=6)
    assert (error.type, error.non_retryable) == (RESTING, True)
    assert error.details == (until.isoformat(),)
    asked = len(puller.fake(META).calls)
    again = await failing(puller.pull(of, Level.CAMPAIGN))
    assert (again.type, again.details) == (RESTING, (until.isoformat(),))
    assert len(puller.fake(META).calls) == asked
    puller.now = until
    assert await puller.pull(of)


@pytest.mark.parametrize("fault", ["errors", "html", "cut", "odd"])
async def test_a_platform_that_answers_nonsense_is_asked_again_and_nothing_is_stored(
    puller: Puller, fault: str
) -> None:
    of = await begun(puller)
    setattr(puller.fake(META).faults, fault, 1)
    error = await failing(puller.pull(of))
    assert (error.type, error.non_retryable) == (BUSY, False)
    assert await puller.stored_days() == set()
    assert set((await puller.ledger(of)).values()) == {"missing"}
    await puller.pull(of)
    assert await puller.stored_days() == between(3)


async def test_a_page_that_comes_twice_is_counted_once(puller: Puller) -> None:
    of = await begun(puller)
    fake = puller.fake(META)
    await puller.pull(of, Level.CAMPAIGN)
    await puller.steps.campaigns(of)
    once = await puller.contents()
    fake.page_limit, fake.faults.doubled_pages = 3, True
    await puller.pull(of, Level.CAMPAIGN)
    await puller.steps.campaigns(of)
    assert await puller.contents() == once


async def test_the_platforms_retry_after_sets_when_it_is_tried_again(puller: Puller) -> None:
    of = await begun(puller)
    asking = Asking(puller.database, puller.keys, now=puller.clock)

    async def ask(error: Exception) -> None:
        async with asking.open(of):
            raise error

    told = await failing(ask(PlatformBusy("Meta rests.", retry_after=42)))
    assert told.next_retry_delay == timedelta(seconds=42)
    untold = await failing(ask(PlatformBusy("Meta rests.")))
    assert untold.next_retry_delay is None
    for endless in (1e17, inf):
        much = await failing(ask(PlatformBusy("Meta rests.", retry_after=endless)))
        assert much.next_retry_delay == timedelta(minutes=10)
    refused = await failing(ask(RequestRefused("Not so.")))
    assert (refused.type, refused.non_retryable) == (REFUSED, True)


async def test_a_disconnect_during_a_pull_stores_nothing_more_and_loses_nothing(
    puller: Puller, monkeypatch: pytest.MonkeyPatch
) -> None:
    of = await begun(puller)
    await puller.pull(of, first=3, last=2)
    before = await puller.contents()
    connector = puller.here.connectors[META]
    read = connector.daily_metrics

    async def cut_off(*asked: Any) -> AsyncIterator[Any]:
        async for row in read(*asked):
            yield row
        await puller.disconnect(of)

    monkeypatch.setattr(connector, "daily_metrics", cut_off)
    assert (await failing(puller.pull(of, first=9, last=0))).type == NOT_ACTIVE
    assert await puller.contents() == before
    known = await puller.ledger(of)
    assert {day for day, state in known.items() if state != "missing"} == between(3, 2)


async def test_windows_that_are_pulled_at_the_same_time_are_stored_once(puller: Puller) -> None:
    of = await begun(puller)
    await puller.pull(of, Level.CAMPAIGN, 9, 0)
    once = await puller.contents()
    await asyncio.gather(
        *(puller.pull(of, Level.CAMPAIGN, first, last) for first, last in ((9, 3), (6, 0), (8, 1)))
    )
    assert await puller.contents() == once


@pytest.mark.parametrize("level", list(Level))
async def test_a_slow_pull_does_not_bring_back_what_a_quicker_one_has_replaced(
    puller: Puller, monkeypatch: pytest.MonkeyPatch, level: Level
) -> None:
    of = await begun(puller)
    connector = puller.here.connectors[META]
    name = "daily_metrics" if level is Level.ACCOUNT else "campaign_days"
    read = getattr(connector, name)
    overtaken: list[bool] = []

    async def slow(*asked: Any) -> AsyncIterator[Any]:
        async for row in read(*asked):
            yield row
        if not overtaken:
            overtaken.append(True)
            puller.fake(META).account.restated = {ago(2): 3}
            puller.now += timedelta(minutes=1)
            await puller.pull(of, level, 6, 0)

    monkeypatch.setattr(connector, name, slow)
    await puller.pull(of, level, 9, 1)
    stored = await puller.contents()
    puller.now += timedelta(minutes=1)
    await puller.pull(of, level, 9, 0)
    assert await puller.contents() == stored


async def test_days_that_were_not_asked_for_are_left_alone(
    puller: Puller, monkeypatch: pytest.MonkeyPatch
) -> None:
    of = await begun(puller)
    connector = puller.here.connectors[META]
    for name in ("daily_metrics", "campaign_days", "creative_days"):
        read: Callable[..., AsyncIterator[Any]] = getattr(connector, name)

        def more(
            access: Any, first: date, last: date, read: Callable[..., AsyncIterator[Any]] = read
        ) -> AsyncIterator[Any]:
            return read(access, first - timedelta(days=400), last)

        monkeypatch.setattr(connector, name, more)
    for level in Level:
        await puller.pull(of, level)
    for table in ("metric_snapshot", "campaign_daily", "creative_daily"):
        assert await puller.stored_days(table) == between(3)


async def test_turns_are_shared_by_all_workers(puller: Puller) -> None:
    of = await puller.connect(META)

    async def turn() -> bool:
        async with puller.database.tenant(of.tenant_id) as db:
            until = await quota_leases.take_turn(
                db, of.tenant_id, of.connection_id, META, puller.now
            )
        return until is None

    burst = RATES[META].burst
    taken = await asyncio.gather(*(turn() for _ in range(burst + 20)))
    assert sum(taken) == burst
