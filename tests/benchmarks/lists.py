"""Lists in a tenant of 100,000 activities, against a bare route that runs the same SQL."""

import asyncio
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

import orjson
import psycopg
from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import AsyncConnection

from models.queries.agents import agent_activities_read, approvals_read, campaigns_read
from models.queries.agents.agent_activities_read import Wanted
from tests.benchmarks.harness import Bench, Measured, compare
from tests.benchmarks.raw_http import per_second, request
from tests.factories.agents import TenantMade
from tests.statements import remembered
from workers.embedded import ROOT
from workers.processes import free_port, spawn, wait_for_port

SECONDS = 0.3
ROUNDS = 5
_LARGE = ("agent_activity", "approval", "campaign", "deliverable")
_FILL = """
insert into campaign (id, tenant_id, name, status, brief, created_by, created_on)
    select '01K9CMP' || lpad(n::text, 19, '0'), %(tenant)s, 'Campaign',
           (array['active', 'paused', 'archived'])[1 + n %% 3], 'b', %(admin)s,
           now() - n * interval '1 hour' from generate_series(1, 1000) n;
insert into deliverable (id, tenant_id, campaign_id, position, type, quantity)
    select '01K9DEV' || lpad(n::text, 19, '0'), %(tenant)s, '01K9CMP' || lpad(n::text, 19, '0'), 0,
           'blog_post', 1 from generate_series(1, 1000) n;
insert into agent_activity (id, tenant_id, campaign_id, deliverable_id, title, type, status,
                            wake_reason, agent_role, assignee_id, input_prompt, created_on)
    select '01K9ACT' || lpad(n::text, 19, '0'), %(tenant)s,
           '01K9CMP' || lpad((1 + n %% 1000)::text, 19, '0'),
           '01K9DEV' || lpad((1 + n %% 1000)::text, 19, '0'), 'Why small teams switch', 'blog_post',
           (array['done', 'done', 'done', 'created', 'failed', 'blocked'])[1 + n * 13 %% 6],
           (array['planned', 'dependency_done', 'auto_retry', 'budget_exhausted'])[1 + n * 7 %% 4],
           (array['copywriter', 'editor', 'analyst'])[1 + n * 11 %% 3], %(admin)s, repeat('x', 200),
           now() - n * interval '1 minute' from generate_series(1, 100000) n;
insert into approval (id, tenant_id, campaign_id, title, type, risk_level, status, created_by,
                      created_on, expires_at)
    select '01K9APR' || lpad(n::text, 19, '0'), %(tenant)s,
           '01K9CMP' || lpad((1 + n %% 1000)::text, 19, '0'), 'Title', 'content_review',
           (array['low', 'medium', 'high'])[1 + n %% 3],
           (array['pending', 'approved', 'expired', 'rejected'])[1 + n %% 4], %(admin)s,
           now() - n * interval '1 minute', now() from generate_series(1, 10000) n;
"""
CAMPAIGN = "01K9CMP" + "7".zfill(19)
DELIVERABLE = "01K9DEV" + "7".zfill(19)
Filters = Mapping[str, str]
ACTIVITIES: Mapping[str, tuple[Filters, Wanted]] = {
    "all": ({}, Wanted()),
    "status": ({"filter.status": "failed"}, Wanted(statuses=("failed",))),
    "two statuses": (
        {"filter.status": "failed,blocked"}, Wanted(statuses=("failed", "blocked"))
    ),
    "agentRole": ({"filter.agentRole": "editor"}, Wanted(agent_role="editor")),
    "campaignId": ({"filter.campaignId": CAMPAIGN}, Wanted(campaign_id=CAMPAIGN)),
    "deliverableId": ({"filter.deliverableId": DELIVERABLE}, Wanted(deliverable_id=DELIVERABLE)),
    "wakeReason": ({"filter.wakeReason": "auto_retry"}, Wanted(wake_reasons=("auto_retry",))),
    "role and status": (
        {"filter.agentRole": "analyst", "filter.status": "failed"},
        Wanted(agent_role="analyst", statuses=("failed",)),
    ),
}  # fmt: skip


async def run(bench: Bench) -> list[Measured]:
    """Requests a second, the app and the bare route taking turns."""
    tenant = await bench.tenant()
    await asyncio.to_thread(_fill, bench, tenant)
    asked = await _statements(bench, tenant)
    scans = await _scans(bench, tenant, asked)
    measured = []
    with bare_route(bench, tenant, asked) as bare_port:
        for number, (name, path, _, _) in enumerate(asked):
            mine = request(f"/dashboard/v1{path}", bench.headers(tenant))
            theirs = request(f"/{number}", {})
            ours, bare = await compare(
                lambda mine=mine: per_second(bench.record.api_port, mine, seconds=SECONDS),  # type: ignore[misc]
                lambda theirs=theirs: per_second(bare_port, theirs, seconds=SECONDS),  # type: ignore[misc]
                rounds=ROUNDS,
                warm=1,
            )
            measured.append(
                Measured(
                    name=f"lists: {name}", ours=ours, bare=bare, unit="/s", target=0.5,
                    at_least=True,
                )
            )  # fmt: skip
    plans = Measured(name="lists: plans that scan", ours=len(scans), unit="of all", target=0,
                     note="; ".join(scans))  # fmt: skip
    return [*measured, plans]


Asked = tuple[str, str, str, dict[str, Any]]
"""A list's name, its path, and the statement that it runs with its parameters."""


async def _statements(bench: Bench, tenant: TenantMade) -> list[Asked]:
    found: list[Asked] = []
    async with bench.database.tenant(tenant.id) as db:
        for name, (filters, wanted) in ACTIVITIES.items():
            sent = await sent_by(db, agent_activities_read.page(db, wanted, limit=26, after=None))
            found.append((f"activities, {name}", _path("/activities", filters), *sent))
        sent = await sent_by(db, campaigns_read.page(db, statuses=(), limit=26))
        found.append(("campaigns", _path("/campaigns", {}), *sent))
        sent = await sent_by(db, approvals_read.page(db, statuses=("pending",), limit=26))
        found.append(("approvals", _path("/approvals", {}), *sent))
    return found


def _path(path: str, filters: Filters) -> str:
    return f"{path}?{urlencode({'limit': '25', **filters})}"


async def sent_by(db: AsyncConnection, call: Any) -> tuple[str, dict[str, Any]]:
    """The one statement that the query sends."""
    with remembered(db) as sent:
        rows = await call
    assert rows, "a benchmark of an empty list says nothing"
    (only,) = sent
    return only


async def _scans(bench: Bench, tenant: TenantMade, asked: list[Asked]) -> list[str]:
    scans = []
    async with bench.database.tenant(tenant.id) as db:
        for name, _, statement, parameters in asked:
            lines = (await db.exec_driver_sql("explain " + statement, parameters)).scalars().all()
            if any(f"Seq Scan on {table} " in line for line in lines for table in _LARGE):
                scans.append(name)
    return scans


def _fill(bench: Bench, tenant: TenantMade) -> None:
    with psycopg.connect(dsn(bench.owner_url), autocommit=True) as db:
        cursor = psycopg.ClientCursor(db)
        cursor.execute(_FILL, {"tenant": tenant.id, "admin": tenant.admin_id})
        for table in _LARGE:
            cursor.execute(f"vacuum analyze {table}")


def dsn(url: str) -> str:
    """The address as psycopg takes it."""
    plain = make_url(url).set(drivername="postgresql")
    return plain.render_as_string(hide_password=False)


@contextmanager
def bare_route(bench: Bench, tenant: TenantMade, asked: list[Asked]) -> Iterator[int]:
    """Serve the statements bare, each at its number; answers the port."""
    sent = [[(statement, parameters)] for _, _, statement, parameters in asked]
    with bare_routes(bench, tenant, sent) as port:
        yield port


@contextmanager
def bare_routes(
    bench: Bench, tenant: TenantMade, statements: Sequence[Sequence[tuple[str, dict[str, Any]]]]
) -> Iterator[int]:
    """Serve several statements at each number; answers the port."""
    file = bench.settings.data_dir / "bare_lists.json"
    given = {"tenant_id": tenant.id, "statements": statements}
    file.write_bytes(orjson.dumps(given, default=str))
    port = free_port()
    argv = [sys.executable, "-m", "tests.benchmarks.bare_lists", str(port)]
    argv += [dsn(bench.settings.database_url), str(file)]
    child = spawn("bare lists", argv, bench.settings.data_dir / "logs" / "bare.log", cwd=ROOT)
    try:
        wait_for_port(port, child, patience=20)
        yield port
    finally:
        child.stop()
