"""A backfill of 90 days x 200 campaigns x 5 connections over HTTP: what it takes of the worker."""

import asyncio
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx

from models.contracts.platforms import backfill_workflow
from models.rules.platforms.registry import PlatformId
from tests.benchmarks.harness import Bench, Measured
from tests.factories.agents import TenantMade
from tests.factories.clients import make_client
from workers.embedded import ROOT
from workers.fakes.platforms import fake_platforms
from workers.processes import Child, spawn, wait_for_port
from workflows.platforms.backfill import BackfillWorkflow

DAYS = 90
CAMPAIGNS = 200
CLIENTS = (
    (PlatformId.META_ADS, PlatformId.GOOGLE_ADS, PlatformId.TIKTOK_ADS, PlatformId.LINKEDIN_ADS),
    (PlatformId.META_ADS,),
)
"""A client has one connection to a platform, so that five of them take two clients."""
_PATIENCE = 300.0


@dataclass(slots=True)
class Load:
    """What a process took: seconds of a processor, and how much more memory than before."""

    cpu: float = 0.0
    grown: int = 0


async def run(bench: Bench) -> list[Measured]:
    """Connect and sync first, so that what is measured is the backfill alone."""
    tenant = await bench.tenant()
    with _vendors(bench):
        async with httpx.AsyncClient(
            base_url=bench.record.api_url, headers=bench.headers(tenant), timeout=60
        ) as http:
            clients = [await _connected(bench, http, tenant, one) for one in CLIENTS]
            await _synced(http, clients)
            begin, load, watching = time.perf_counter(), Load(), asyncio.Event()
            watch = asyncio.create_task(_watch(bench, load, watching))
            try:
                await asyncio.gather(*(_backfilled(bench, http, one) for one in clients))
            finally:
                watching.set()
                await watch
            seconds = time.perf_counter() - begin
            rows = [await _rows(bench, one) for one in clients]
    note = f"{sum(rows):,} rows in {seconds:.0f} s, {sum(rows) / seconds:,.0f} rows/s"
    return [
        Measured(name="backfill", ours=load.cpu / seconds, unit="processors", target=1, note=note),
        Measured(
            name="backfill: memory", ours=load.grown / 2**20, unit="MB", target=64,
            note="the worker's growth at its peak",
        ),
    ]  # fmt: skip


async def _connected(
    bench: Bench, http: httpx.AsyncClient, tenant: TenantMade, platforms: Sequence[PlatformId]
) -> str:
    company_id = await make_client(bench.database, tenant)
    credentials = fake_platforms(datetime.now(UTC).date()).credentials
    for platform in platforms:
        body = {"platform": platform, "credentials": dict(credentials[platform])}
        made = await http.post(f"/api/clients/{company_id}/connections", json=body)
        made.raise_for_status()
    return company_id


async def _synced(http: httpx.AsyncClient, clients: Sequence[str]) -> None:
    deadline = time.monotonic() + _PATIENCE
    for company_id in clients:
        while True:
            found = (await http.get(f"/api/clients/{company_id}/connections")).json()["connections"]
            if failed := [one["last_sync_error"] for one in found if one["last_sync_error"]]:
                raise RuntimeError(f"the first sync failed: {failed}")
            if all(one["last_synced_at"] for one in found):
                break
            if time.monotonic() > deadline:
                raise TimeoutError(f"not synced after {_PATIENCE:.0f} s")
            await asyncio.sleep(0.5)


async def _backfilled(bench: Bench, http: httpx.AsyncClient, company_id: str) -> None:
    path = f"/api/clients/{company_id}/connections/backfill"
    (await http.post(path, json={"days": DAYS})).raise_for_status()
    told = bench.temporal.get_workflow_handle(backfill_workflow(company_id))
    await asyncio.wait_for(told.result(), _PATIENCE)


async def _rows(bench: Bench, company_id: str) -> int:
    told = bench.temporal.get_workflow_handle(backfill_workflow(company_id))
    progress = await told.query(BackfillWorkflow.progress)
    assert progress.windows_done == progress.windows, "windows are missing"
    return progress.rows


async def _watch(bench: Bench, load: Load, over: asyncio.Event) -> None:
    """Look at the worker until it is over."""
    process = bench.record.children["worker-1"].find()
    assert process is not None
    cpu, resident = sum(process.cpu_times()[:2]), process.memory_info().rss
    while not over.is_set():
        await asyncio.sleep(0.2)
        load.cpu = sum(process.cpu_times()[:2]) - cpu
        load.grown = max(load.grown, process.memory_info().rss - resident)


@contextmanager
def _vendors(bench: Bench) -> Iterator[Child]:
    port = bench.platforms_port
    argv = [sys.executable, "-m", "tests.benchmarks.ad_vendors", str(port), str(CAMPAIGNS)]
    child = spawn("vendors", argv, bench.settings.data_dir / "logs" / "vendors.log", cwd=ROOT)
    try:
        wait_for_port(port, child, patience=20)
        yield child
    finally:
        child.stop()
