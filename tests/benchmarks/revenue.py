"""A recalculation of 20,000 clients with a year of invoices, against the sum in one statement."""

import statistics
import time

import psutil
import psycopg
from sqlalchemy import make_url
from temporalio.client import WithStartWorkflowOperation
from temporalio.common import Priority, WorkflowIDConflictPolicy

from models.contracts.revenue import (
    RECALCULATION,
    Recalculate,
    Recalculated,
    RecalculateRevenue,
    recalculation_workflow,
)
from tests.benchmarks.harness import Bench, Measured
from tests.factories.agents import TenantMade
from workflows import policies
from workflows.people.revenue_recalculation import RevenueRecalculationWorkflow

CLIENTS = 20_000
ENTRIES_A_MONTH = 10
ROUNDS = 3
_FILL = """
set session_replication_role = replica;
insert into company (id, tenant_id, name)
    select '01K9CMY' || lpad(n::text, 19, '0'), %(tenant)s, 'Company ' || n
    from generate_series(1, %(clients)s) n;
insert into client (id, tenant_id, company_id, name_key, status, tier, tier_track, tier_score,
                    tier_revenue_score, tier_profitability_score, tier_strategic_score,
                    tier_relationship_score, tier_growth_score, tier_adoption_score)
    select '01K9CMN' || substr(id, 8), tenant_id, id, name_key, 'active', 'review',
           case when substr(id, 26)::int %% 2 = 0 then 'product' else 'delivery' end, 1, 1,
           3, 3, 3, 3, 1
    from company where tenant_id = %(tenant)s;
insert into revenue_entry (id, tenant_id, company_id, origin, external_id, kind, counted_on, amount,
                           original_amount, original_currency)
    select '01K9REV' || lpad((c * 1000 + m * 10 + e)::text, 19, '0'), %(tenant)s,
           '01K9CMY' || lpad(c::text, 19, '0'), 'nucleus', c || '-' || m || '-' || e, 'invoice',
           (date_trunc('month', now() at time zone 'utc') - m * interval '1 month')::date + e,
           c %% 4000, c %% 4000, 'USD'
    from generate_series(1, %(clients)s) c, generate_series(1, 12) m,
         generate_series(0, %(entries)s - 1) e;
"""
_TABLES = ("company", "client", "revenue_entry")
_SUM = """
select company_id,
       count(*) filter (where origin <> 'productive'),
       sum(amount) filter (where origin <> 'productive'),
       count(*) filter (where origin = 'productive'),
       sum(amount) filter (where origin = 'productive')
from revenue_entry
where tenant_id = %(tenant)s and amount is not null
      and counted_on >= date_trunc('month', now() at time zone 'utc') - interval '12 months'
      and counted_on < date_trunc('month', now() at time zone 'utc')
group by company_id
"""
_FORGET = """
update client set tier_revenue_score = 1 + tier_revenue_score %% 5, tier_score = 1, tier = 'review'
where tenant_id = %(tenant)s
"""


async def run(bench: Bench) -> list[Measured]:
    """From the word of a caller to its result; what moves no score is the usual month."""
    tenant = await bench.tenant()
    _execute(bench, tenant, _FILL)
    _vacuum(bench)
    first = await _recalculate(bench, tenant)
    assert first.updated == CLIENTS, first
    before = _worker_mb(bench)
    still: list[float] = []
    moved: list[float] = []
    bare: list[float] = []
    for _ in range(ROUNDS):
        bare.append(_sum(bench, tenant))
        still.append(await _timed(bench, tenant, updated=0))
        _execute(bench, tenant, _FORGET)
        _vacuum(bench)
        moved.append(await _timed(bench, tenant, updated=CLIENTS))
    grown = _worker_mb(bench) - before
    clients = f"{CLIENTS:,} clients, {CLIENTS * 12 * ENTRIES_A_MONTH:,} entries"
    alone = statistics.median(bare)
    return [
        Measured(
            name="revenue: nothing moves", ours=statistics.median(still), bare=alone, unit="s",
            target=3, note=f"{clients}; bare is one statement that sums them",
        ),
        Measured(
            name="revenue: everything moves", ours=statistics.median(moved), bare=alone, unit="s",
            target=8, note="each client written, with tier history, history, audit and QBR date",
        ),
        Measured(
            name="revenue: memory", ours=max(grown, 0.0), unit="MB", target=30,
            note=f"growth of the worker over {2 * ROUNDS} recalculations after the first",
        ),
    ]  # fmt: skip


async def _timed(bench: Bench, tenant: TenantMade, *, updated: int) -> float:
    begin = time.perf_counter()
    came = await _recalculate(bench, tenant)
    seconds = time.perf_counter() - begin
    assert came.updated == updated, came
    return seconds


async def _recalculate(bench: Bench, tenant: TenantMade) -> Recalculated:
    start = WithStartWorkflowOperation(
        RevenueRecalculationWorkflow.run,
        RecalculateRevenue(tenant_id=tenant.id),
        id=recalculation_workflow(tenant.id),
        task_queue=policies.TASK_QUEUE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        static_summary=RECALCULATION,
        priority=Priority(fairness_key=tenant.id),
    )
    came = await bench.temporal.execute_update_with_start_workflow(
        RevenueRecalculationWorkflow.recalculate,
        Recalculate(patience_s=600),
        start_workflow_operation=start,
    )
    assert came is not None
    return came


def _sum(bench: Bench, tenant: TenantMade) -> float:
    """The library alone: one statement, as the application's role, its rows fetched."""
    with psycopg.connect(_dsn(bench.settings.database_url)) as db:
        db.execute("select set_config('app.tenant_id', %s, true)", (tenant.id,))
        begin = time.perf_counter()
        rows = db.execute(_SUM, {"tenant": tenant.id}).fetchall()
        seconds = time.perf_counter() - begin
    assert len(rows) == CLIENTS
    return seconds


def _execute(bench: Bench, tenant: TenantMade, sql: str) -> None:
    values = {"tenant": tenant.id, "clients": CLIENTS, "entries": ENTRIES_A_MONTH}
    with psycopg.connect(_dsn(bench.owner_url)) as db:
        psycopg.ClientCursor(db).execute(sql, values)


def _vacuum(bench: Bench) -> None:
    with psycopg.connect(_dsn(bench.owner_url), autocommit=True) as db:
        for table in _TABLES:
            db.execute(f"vacuum analyze {table}")


def _worker_mb(bench: Bench) -> float:
    process = bench.record.children["worker-1"].find()
    assert process is not None
    family = [process, *process.children(recursive=True)]
    size = sum(one.memory_info().rss for one in family if isinstance(one, psutil.Process))
    return float(size) / 2**20


def _dsn(url: str) -> str:
    plain = make_url(url).set(drivername="postgresql")
    return plain.render_as_string(hide_password=False)
