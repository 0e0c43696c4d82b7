"""Syncs: every connection by itself, through whatever its platform does."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from models.contracts.platforms import LOOK_AGAIN
from models.db.database import Database
from models.rules.platforms.ledger import Level
from models.rules.platforms.registry import PlatformId
from tests.workflows.conftest import know_our_attributes
from tests.workflows.syncing import Syncing, hardly_pause
from workers.fakes import meta_ads
from workflows import policies

META = PlatformId.META_ADS
GA4 = PlatformId.GA4
KLAVIYO = PlatformId.KLAVIYO
TIKTOK = PlatformId.TIKTOK_ADS


@pytest.fixture
async def syncing(
    db: Database, time_skipping: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Syncing]:
    hardly_pause(monkeypatch)
    await know_our_attributes(time_skipping)
    async with Syncing.at_work(db, time_skipping.client) as running:
        yield running


async def test_a_sync_pulls_from_every_connection_and_notes_that_it_did(syncing: Syncing) -> None:
    refs = [await syncing.puller.connect(one) for one in (META, GA4, KLAVIYO)]
    said = await syncing.sync()
    for of in refs:
        row = await syncing.connection(of.connection_id)
        assert (row.status, row.last_sync_error) == ("active", None)
        assert row.last_synced_at is not None
        known = await syncing.puller.ledger(of)
        assert len(known) == 31
        assert "missing" not in known.values()
        assert of.name in said
    tables = ("campaign_daily", "creative_daily", "ad_campaign", "ad_creative", "campaign_reach")
    for table in tables:
        assert await syncing.puller.rows(f"select 1 from {table} limit 1")


async def test_a_person_who_asks_is_in_the_history_and_a_running_sync_is_joined(
    syncing: Syncing,
) -> None:
    puller = syncing.puller
    await puller.connect(GA4)
    puller.fake(GA4).faults.quota = 1
    people = (puller.tenant.member_id, puller.tenant.admin_id)
    for person in people:
        await syncing.ask(person)
    run = (await syncing.sync_handle.describe()).run_id
    await syncing.ask()
    assert (await syncing.sync_handle.describe()).run_id == run
    await syncing.sync()
    events = await puller.rows(
        "select actor_id from history_event where event_type = 'client.sync_started'"
    )
    assert {row.actor_id for row in events} == set(people)
    assert len(events) == 2


async def test_a_quota_that_is_used_up_for_an_hour_costs_an_hour_and_nothing_else(
    syncing: Syncing,
) -> None:
    meta, ga4 = [await syncing.puller.connect(one) for one in (META, GA4)]
    fake = syncing.puller.fake(META)
    await _after(syncing, 2, quota=10)
    await syncing.sync()
    assert timedelta(hours=1) <= await syncing.duration() < timedelta(hours=2)
    taken = await syncing.steps_taken(syncing.sync_handle)
    windows = [one for one in taken if one.startswith("Meta Ads: ") and " to " in one]
    # Windows that were done are not pulled again; one was tried again and again.
    assert max(windows.count(one) for one in set(windows)) > 5
    assert sum(windows.count(one) > 1 for one in set(windows)) == 1
    for of in (meta, ga4):
        row = await syncing.connection(of.connection_id)
        assert row.last_sync_error is None
        assert "missing" not in (await syncing.puller.ledger(of)).values()
    done = {of: (await syncing.connection(of.connection_id)).last_synced_at for of in (meta, ga4)}
    assert done[ga4] + timedelta(minutes=50) < done[meta]
    assert fake.faults.quota == 0


async def test_a_platform_that_has_never_enough_of_resting_is_left_to_the_next_sync(
    syncing: Syncing,
) -> None:
    of = await syncing.puller.connect(TIKTOK)
    fake = syncing.puller.fake(TIKTOK)
    fake.faults.quota = 10_000
    await syncing.sync()
    assert timedelta(hours=24) <= await syncing.duration() < timedelta(hours=26)
    row = await syncing.connection(of.connection_id)
    assert (row.status, row.last_synced_at) == ("active", None)
    assert "TikTok" in row.last_sync_error
    # Ever less often, or the platform would never be left in peace.
    assert len(fake.calls) < 120


async def _after(syncing: Syncing, pulls: int, **faults: Any) -> None:
    """Let something go wrong at Meta once so many windows of the account were pulled."""
    connector: Any = syncing.puller.here.connectors[META]
    read, seen = connector.daily_metrics, [0]

    def pulled(*asked: Any) -> Any:
        seen[0] += 1
        if seen[0] == pulls:
            for fault, value in faults.items():
                setattr(syncing.puller.fake(META).faults, fault, value)
        return read(*asked)

    connector.daily_metrics = pulled


async def test_a_platform_that_fails_for_a_while_is_tried_again(syncing: Syncing) -> None:
    of = await syncing.puller.connect(META)
    await _after(syncing, 2, errors=3)
    await syncing.sync()
    assert (await syncing.connection(of.connection_id)).last_sync_error is None
    for level in Level:
        assert "missing" not in (await syncing.puller.ledger(of, level)).values()


async def test_a_platform_that_never_ends_its_answer_is_waited_for_once_a_window(
    db: Database, temporal: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(policies.PULL, "start_to_close_timeout", timedelta(seconds=1))
    # A server that skips time skips none of a step's.
    async with Syncing.at_work(db, temporal) as syncing:
        await _wait_in_vain(syncing)


async def _wait_in_vain(syncing: Syncing) -> None:
    of, other = await syncing.puller.connect(GA4), await syncing.puller.connect(KLAVIYO)
    connector: Any = syncing.puller.here.connectors[GA4]

    async def endless(*asked: Any) -> AsyncIterator[Any]:
        await asyncio.Event().wait()
        yield None

    connector.daily_metrics = endless
    await syncing.sync()
    assert await syncing.duration() < timedelta(seconds=12)
    assert (await syncing.connection(of.connection_id)).last_sync_error is not None
    assert set((await syncing.puller.ledger(of)).values()) == {"missing"}
    assert (await syncing.connection(other.connection_id)).last_sync_error is None


async def test_a_platform_that_stays_down_is_told_and_the_next_sync_closes_the_gap(
    syncing: Syncing,
) -> None:
    of, other = await syncing.puller.connect(META), await syncing.puller.connect(GA4)
    await _after(syncing, 2, errors=10_000)
    await syncing.sync()
    row = await syncing.connection(of.connection_id)
    assert row.status == "active"
    assert "Meta" in row.last_sync_error
    assert row.last_synced_at is None
    assert (await syncing.connection(other.connection_id)).last_sync_error is None
    gaps = await syncing.puller.rows(
        "select day, error from connection_day where connection_id = :id and state = 'missing'"
        " and level = 'account'",
        id=of.connection_id,
    )
    assert len(gaps) == 21
    assert {gap.error for gap in gaps} == {row.last_sync_error}
    syncing.puller.fake(META).faults.errors = 0
    await syncing.sync()
    row = await syncing.connection(of.connection_id)
    assert (row.last_sync_error, row.last_synced_at is None) == (None, False)
    known = await syncing.puller.ledger(of)
    assert len(known) == 31
    assert "missing" not in known.values()


async def test_a_token_that_is_revoked_in_the_middle_expires_the_connection_alone(
    syncing: Syncing,
) -> None:
    of, other = await syncing.puller.connect(META), await syncing.puller.connect(GA4)
    await _after(syncing, 2, revoked=True)
    await syncing.sync()
    row = await syncing.connection(of.connection_id)
    assert row.status == "expired"
    assert meta_ads.TOKEN not in row.last_sync_error
    assert (await syncing.connection(other.connection_id)).last_sync_error is None
    assert list((await syncing.puller.ledger(of)).values()).count("missing") == 21
    history = await syncing.sync_handle.fetch_history()
    assert meta_ads.TOKEN not in history.to_json()


async def test_a_connection_made_during_a_sync_is_pulled_by_it(syncing: Syncing) -> None:
    await syncing.puller.connect(META)
    await _after(syncing, 1, quota=3)
    await syncing.ask()
    late = await syncing.puller.connect(GA4)
    await syncing.ask()
    await syncing.sync()
    assert (await syncing.connection(late.connection_id)).last_synced_at is not None


async def test_a_platform_that_rests_for_hours_does_not_hold_the_others_back(
    syncing: Syncing, time_skipping: WorkflowEnvironment
) -> None:
    tiktok, ga4 = [await syncing.puller.connect(one) for one in (TIKTOK, GA4)]
    syncing.puller.fake(TIKTOK).faults.quota = 20
    handle = await syncing.start(start_signal=LOOK_AGAIN)
    await time_skipping.sleep(timedelta(minutes=30))
    first = (await syncing.connection(ga4.connection_id)).last_synced_at
    await syncing.start(start_signal=LOOK_AGAIN)
    await time_skipping.sleep(timedelta(minutes=10))
    # It is fresh enough.
    assert (await syncing.connection(ga4.connection_id)).last_synced_at == first
    await time_skipping.sleep(timedelta(hours=2))
    await syncing.start(start_signal=LOOK_AGAIN)
    await time_skipping.sleep(timedelta(minutes=10))
    again = (await syncing.connection(ga4.connection_id)).last_synced_at
    assert again - first > timedelta(hours=2)
    assert (await syncing.connection(tiktok.connection_id)).last_synced_at is None
    await handle.result()
    assert (await syncing.connection(tiktok.connection_id)).last_synced_at is not None


async def test_a_connection_that_is_given_up_during_a_sync_is_left_alone(syncing: Syncing) -> None:
    of = await syncing.puller.connect(META)
    connector: Any = syncing.puller.here.connectors[META]
    read = connector.campaign_days

    async def cut_off(*asked: Any) -> AsyncIterator[Any]:
        async for row in read(*asked):
            yield row
        await syncing.puller.disconnect(of)

    connector.campaign_days = cut_off
    assert "not active any more" in await syncing.sync()
    row = await syncing.connection(of.connection_id)
    assert (row.status, row.last_synced_at, row.last_sync_error) == ("disconnected", None, None)
    known = await syncing.puller.ledger(of)
    stored = await syncing.puller.stored_days()
    assert stored == {day for day, state in known.items() if state != "missing"}
    assert stored
