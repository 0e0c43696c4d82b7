"""Records histories of syncs, backfills and their dispatcher, as `record.py` does.

.venv/bin/python -m pytest tests/histories/record_platforms.py
"""

from collections.abc import AsyncIterator

import pytest
from temporalio.testing import WorkflowEnvironment

from models.contracts.platforms import BACKFILL, SYNC, SYNC_DISPATCH
from models.db.database import Database
from models.rules.platforms.registry import PlatformId
from tests.histories.record import save
from tests.workflows.conftest import know_our_attributes
from tests.workflows.syncing import Syncing
from tests.workflows.test_sync_dispatch import Told, run_for

META = PlatformId.META_ADS
GA4 = PlatformId.GA4


@pytest.fixture
async def syncing(db: Database, time_skipping: WorkflowEnvironment) -> AsyncIterator[Syncing]:
    await know_our_attributes(time_skipping)
    async with Syncing.at_work(db, time_skipping.client) as running:
        yield running


async def test_synced_after_a_rest_with_a_connection_that_came_late(syncing: Syncing) -> None:
    await syncing.puller.connect(META)
    syncing.puller.fake(META).faults.quota = 2
    await syncing.ask(syncing.puller.tenant.member_id)
    await syncing.puller.connect(GA4)
    await syncing.ask()
    await syncing.sync()
    await save(syncing.temporal, syncing.sync_handle.id, SYNC, "rested")


async def test_synced_by_the_dispatcher_with_failures(syncing: Syncing) -> None:
    await syncing.puller.connect(META)
    await syncing.puller.connect(GA4)
    syncing.puller.fake(META).faults.revoked = True
    syncing.puller.fake(GA4).faults.html = 10_000
    await syncing.sync()
    await save(syncing.temporal, syncing.sync_handle.id, SYNC, "failed")


async def test_backfilled(syncing: Syncing) -> None:
    await syncing.puller.connect(META)
    syncing.puller.fake(META).faults.errors = 1
    handle = await syncing.start_backfill(30)
    await handle.result()
    await save(syncing.temporal, handle.id, BACKFILL, "month")


async def test_backfilled_with_a_gap(syncing: Syncing) -> None:
    of = await syncing.puller.connect(META)
    connector = syncing.puller.here.connectors[META]
    read = connector.daily_metrics

    def cut(*asked: object) -> object:
        syncing.puller.fake(META).faults.cut = 5
        return read(*asked)  # type: ignore[arg-type]

    connector.daily_metrics = cut  # type: ignore[method-assign, assignment]
    handle = await syncing.start_backfill(30)
    await handle.result()
    assert "missing" in (await syncing.puller.ledger(of)).values()
    await save(syncing.temporal, handle.id, BACKFILL, "gap")


@pytest.mark.parametrize(
    ("scenario", "cron", "hours"), [("first", "", 1), ("next", "0 * * * *", 2.5)]
)
async def test_dispatched(
    time_skipping: WorkflowEnvironment, scenario: str, cron: str, hours: float
) -> None:
    told = Told()
    told.failing = {2, 25}
    # A run that a cron has started ends as no other does: of that one the beginning is kept.
    await run_for(time_skipping, told, cron, hours)
    await save(time_skipping.client, SYNC_DISPATCH, SYNC_DISPATCH, scenario)
