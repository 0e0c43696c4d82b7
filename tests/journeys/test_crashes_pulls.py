"""A worker that dies while a platform answers: one window is asked for again, and stored once."""

import asyncio
import json
import logging
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
import uvicorn
from sqlalchemy import text
from starlette.types import ASGIApp, Receive, Scope, Send
from temporalio.client import Client, WorkflowHandle

from activities.platforms.keys import Keys
from models.contracts.platforms import (
    BackfillOrder,
    SyncOrder,
    backfill_workflow,
    sync_workflow,
)
from models.db.vault import lazy_vault
from models.rules.platforms.ledger import BACKFILL_WINDOW, SYNC_WINDOW
from models.rules.platforms.registry import PlatformId
from models.settings import Settings
from tests.factories.agents import TenantMade
from tests.factories.clients import make_client
from tests.factories.platforms import connect
from tests.journeys.conftest import Journey
from tests.journeys.stack import PATIENCE, Stack
from workers.fakes.platforms import FakePlatforms, fake_platforms, settings_at
from workers.platforms import build_connectors
from workers.prove import model_environment
from workers.tokens import signing_key
from workers.wire_model import WireModel
from workflows.client import data_converter
from workflows.platforms.backfill import BackfillWorkflow
from workflows.platforms.sync import SyncWorkflow
from workflows.policies import TASK_QUEUE

pytestmark = [pytest.mark.slow, pytest.mark.timeout(150)]

TIKTOK = PlatformId.TIKTOK_ADS
Report = tuple[str, date, date]
"""A report of days: of what, from, to."""


@dataclass
class Gate:
    """Stands before the platforms: remembers reports of days, and lets some of them wait.

    Of those of campaigns, the second of each of these lengths has no answer the first time.
    """

    app: ASGIApp
    held: set[int]
    reports: Counter[Report] = field(default_factory=Counter)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        query = {name: given[0] for name, given in parse_qs(scope["query_string"].decode()).items()}
        dimensions = json.loads(query.get("dimensions", "[]"))
        if "stat_time_day" in dimensions:
            first, last = (date.fromisoformat(query[of]) for of in ("start_date", "end_date"))
            self.reports[dimensions[0], first, last] += 1
            if dimensions[0] == "campaign_id" and self._is_second((last - first).days + 1):
                await asyncio.sleep(PATIENCE)
        await self.app(scope, receive, send)

    def _is_second(self, days: int) -> bool:
        same = [
            of for of, first, last in self.reports
            if of == "campaign_id" and (last - first).days + 1 == days
        ]  # fmt: skip
        if len(same) < 2 or days not in self.held:
            return False
        self.held.remove(days)
        return True


@pytest.fixture(scope="module")
def fakes() -> FakePlatforms:
    return fake_platforms(datetime.now(UTC).date())


@pytest.fixture(scope="module")
def gate(fakes: FakePlatforms) -> Iterator[tuple[Gate, str]]:
    gate = Gate(fakes.app, {SYNC_WINDOW, BACKFILL_WINDOW})
    listener = socket.create_server(("127.0.0.1", 0))
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    config = uvicorn.Config(gate, log_config=None, lifespan="off", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    yield gate, f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join(timeout=5)
    listener.close()


@pytest.fixture(scope="module")
def stack(
    tmp_path_factory: pytest.TempPathFactory, model: WireModel, gate: tuple[Gate, str]
) -> Iterator[Stack]:
    data_dir = tmp_path_factory.mktemp("pulls")
    signing_key(Settings(data_dir=data_dir))
    platforms = {f"THROUGHLINE_{n.upper()}": value for n, value in settings_at(gate[1]).items()}
    running = Stack(data_dir, {**model_environment(model.url), **platforms})
    try:
        running.start()
        yield running
    finally:
        running.stop()


async def connected(journey: Journey, fakes: FakePlatforms) -> str:
    """A client with a connection to TikTok, sealed with the stack's own key."""
    tenant_id = journey.agency.tenant_id
    tenant = TenantMade(id=tenant_id, admin_id=tenant_id, member_id=tenant_id)
    company_id = await make_client(journey.database, tenant)
    settings = Settings(data_dir=journey.stack.data_dir, mode="embedded")
    async with httpx.AsyncClient() as http:
        keys = Keys(journey.database, lazy_vault(settings), build_connectors(settings, http))
        credentials = fakes.credentials[TIKTOK]
        await connect(journey.database, tenant, company_id, TIKTOK, credentials, keys)
    return company_id


async def rows(journey: Journey, sql: str, **values: Any) -> list[Any]:
    async with journey.database.tenant(journey.agency.tenant_id) as db:
        return list((await db.execute(text(sql), values)).all())


async def start(journey: Journey, synced: str, filled: str) -> list[WorkflowHandle[Any, str]]:
    """Start the sync of one client and the backfill of another."""
    temporal = await Client.connect(
        journey.stack.record.temporal_address, data_converter=data_converter(Settings())
    )
    tenant_id = journey.agency.tenant_id
    (person,) = await rows(journey, "select id from principal where type = 'human' limit 1")
    sync = SyncOrder(tenant_id=tenant_id, company_id=synced)
    backfill = BackfillOrder(
        tenant_id=tenant_id, company_id=filled, days=30, principal_id=person.id
    )
    return [
        await temporal.start_workflow(
            SyncWorkflow.run, sync, id=sync_workflow(synced), task_queue=TASK_QUEUE
        ),
        await temporal.start_workflow(
            BackfillWorkflow.run, backfill, id=backfill_workflow(filled), task_queue=TASK_QUEUE
        ),
    ]


async def is_whole(journey: Journey, company_id: str, days: int) -> None:
    """Nothing is missing, nothing is there twice, and campaigns add up to the account."""
    ledger = await rows(
        journey,
        "select d.level, d.state from connection_day d join platform_connection c"
        " on c.id = d.connection_id where c.company_id = :id",
        id=company_id,
    )
    assert Counter(row.level for row in ledger) == {"account": days, "campaign": days}
    assert "missing" not in {row.state for row in ledger}
    sums = await rows(
        journey,
        "select m.day from metric_snapshot m"
        " left join campaign_daily c using (company_id, platform, day)"
        " where m.metric_key = 'spend' and company_id = :id group by m.day, m.value"
        " having m.value = coalesce(sum(c.spend), 0)",
        id=company_id,
    )
    assert len(sums) == days


async def test_a_sync_and_a_backfill_outlive_their_worker_and_ask_for_one_window_again(
    journey: Journey, gate: tuple[Gate, str], fakes: FakePlatforms
) -> None:
    synced, filled = await connected(journey, fakes), await connected(journey, fakes)
    handles = await start(journey, synced, filled)
    until = time.monotonic() + PATIENCE
    while gate[0].held:
        assert time.monotonic() < until, journey.stack.words()
        await asyncio.sleep(0.02)
    journey.stack.kill("worker-1")
    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(*(handle.result() for handle in handles))
    await is_whole(journey, synced, 31)
    await is_whole(journey, filled, 30)
    repeated = [report for report, times in gate[0].reports.items() if times > 1]
    assert sorted((last - first).days + 1 for _, first, last in repeated) == [
        BACKFILL_WINDOW, SYNC_WINDOW,
    ]  # fmt: skip
    (row,) = await rows(
        journey,
        "select last_sync_error, last_synced_at from platform_connection where company_id = :id",
        id=synced,
    )
    assert (row.last_sync_error, row.last_synced_at is None) == (None, False)
    events = await rows(journey, "select event_type from history_event where actor_id is not null")
    assert [row.event_type for row in events].count("client.backfill_started") == 1
