"""Backfills: one at a time, of every ad platform, whatever happens to one of them."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.testing import WorkflowEnvironment

from models.db.database import Database
from models.rules.platforms.ledger import Level
from models.rules.platforms.registry import PlatformId
from tests.workflows.conftest import know_our_attributes
from tests.workflows.syncing import Syncing, hardly_pause
from workers.fakes import meta_ads
from workflows.platforms.backfill import BackfillWorkflow

META = PlatformId.META_ADS
TIKTOK = PlatformId.TIKTOK_ADS
GA4 = PlatformId.GA4


@pytest.fixture
async def syncing(
    db: Database, time_skipping: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Syncing]:
    hardly_pause(monkeypatch)
    await know_our_attributes(time_skipping)
    async with Syncing.at_work(db, time_skipping.client) as running:
        yield running


async def test_a_backfill_loads_both_levels_of_ad_platforms_alone(syncing: Syncing) -> None:
    puller = syncing.puller
    refs = [await puller.connect(one) for one in (META, TIKTOK)]
    ga4 = await puller.connect(GA4)
    handle = await syncing.start_backfill(30)
    with pytest.raises(WorkflowAlreadyStartedError):
        await syncing.start_backfill(60)
    said = await handle.result()
    assert "Backfill of 30 days" in said
    assert await puller.ledger(ga4) == {}
    for of in refs:
        for level in Level:
            known = await puller.ledger(of, level)
            assert len(known) == 30
            assert set(known.values()) <= {"provisional", "final"}
        # Its success is no sync.
        assert (await syncing.connection(of.connection_id)).last_synced_at is None
    progress = await handle.query(BackfillWorkflow.progress)
    assert (progress.connections, progress.windows, progress.windows_done) == (2, 20, 20)
    assert progress.rows > 0
    (event,) = await puller.rows(
        "select actor_id, details from history_event where event_type = 'client.backfill_started'"
    )
    assert (event.actor_id, event.details) == (puller.tenant.member_id, {"days": 30})
    taken = await syncing.steps_taken(handle)
    account = [one for one in taken if one.startswith("Meta Ads: account")]
    assert account == sorted(account, reverse=True)


async def test_a_token_that_is_revoked_in_mid_backfill_does_not_stop_the_others(
    syncing: Syncing,
) -> None:
    puller = syncing.puller
    of, other = await puller.connect(META), await puller.connect(TIKTOK)
    connector: Any = puller.here.connectors[META]
    read, seen = connector.campaign_days, [0]

    def revoked_later(*asked: Any) -> Any:
        seen[0] += 1
        puller.fake(META).faults.revoked = seen[0] >= 3
        return read(*asked)

    connector.campaign_days = revoked_later
    handle = await syncing.start_backfill(30)
    await handle.result()
    row = await syncing.connection(of.connection_id)
    assert row.status == "expired"
    assert meta_ads.TOKEN not in row.last_sync_error
    for level, done in ((Level.ACCOUNT, 21), (Level.CAMPAIGN, 14)):
        known = list((await puller.ledger(of, level)).values())
        assert (len(known), known.count("missing")) == (30, 30 - done)
        assert "missing" not in (await puller.ledger(other, level)).values()
    assert (await syncing.connection(other.connection_id)).last_sync_error is None
    assert meta_ads.TOKEN not in (await handle.fetch_history()).to_json()


async def test_a_backfill_beside_a_sync_stores_every_day_once(syncing: Syncing) -> None:
    puller = syncing.puller
    of = await puller.connect(META)
    handle = await syncing.start_backfill(30)
    await syncing.ask()
    await handle.result()
    await syncing.sync()
    for level in Level:
        known = await puller.ledger(of, level)
        assert (len(known), "missing" in known.values()) == (31, False)
    sums = await puller.rows(
        "select m.day from metric_snapshot m left join campaign_daily c using (platform, day)"
        " where m.metric_key = 'spend' group by m.day, m.value"
        " having m.value = coalesce(sum(c.spend), 0)"
    )
    assert len(sums) == 31


async def test_a_failure_is_told_at_the_connection_and_its_gap_is_closed_by_the_next_sync(
    syncing: Syncing,
) -> None:
    puller = syncing.puller
    of = await puller.connect(META)
    connector: Any = puller.here.connectors[META]
    read = connector.campaign_days

    def broken(*asked: Any) -> Any:
        puller.fake(META).faults.html = 10_000
        return read(*asked)

    connector.campaign_days = broken
    await (await syncing.start_backfill(30)).result()
    row = await syncing.connection(of.connection_id)
    assert (row.status, row.last_synced_at) == ("active", None)
    assert "Meta" in row.last_sync_error
    connector.campaign_days, puller.fake(META).faults.html = read, 0
    await syncing.sync()
    assert (await syncing.connection(of.connection_id)).last_sync_error is None
    for level in Level:
        assert "missing" not in (await puller.ledger(of, level)).values()
