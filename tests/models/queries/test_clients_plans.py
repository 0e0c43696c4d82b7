"""The indexes that the lists and sums of clients are made for serve them."""

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from models.db.database import Database
from tests.models.queries.filling import fill

pytestmark = pytest.mark.fresh_database

TENANT = "T"
_FILL = """
insert into tenant (id, name) select chr(n), chr(n) from generate_series(ascii('K'), ascii('T')) n;
insert into principal (id, tenant_id, type, name, role)
    select 'H' || n, 'T', 'human', 'Ann', 'member' from generate_series(0, 1) n;
insert into company (id, tenant_id, name)
    select t.id || n, t.id, md5(n || t.id) from tenant t, generate_series(1, 1000) n;
insert into client (id, tenant_id, company_id, name_key, status, tier, tier_track, health_score,
                    last_qbr_date, assigned_dm_id)
    select 'L' || id, tenant_id, id, name_key,
           (array['active', 'active', 'dormant'])[1 + ascii(right(name_key, 1)) % 3],
           (array['core', 'review', null])[1 + ascii(name_key) % 3], 'product',
           nullif(ascii(name_key), 97) - 10, date '2026-03-01' - ascii(name_key),
           case when tenant_id = 'T' then 'H' || ascii(name_key) % 2 end
    from company;
insert into revenue_entry (id, tenant_id, company_id, origin, external_id, kind, counted_on, amount,
                           original_amount, original_currency)
    select c.id || '-' || n, c.tenant_id, c.id, 'nucleus', c.id || '-' || n, 'invoice',
           date '2024-01-15' + n * 30, 10, 10, 'USD'
    from company c, generate_series(1, 24) n where c.id like '_1%';
"""
_SUM = (
    "select company_id, count(*), sum(amount) from revenue_entry where amount is not null and"
    " counted_on >= date '2025-03-01' and counted_on < date '2026-03-01'"
)
READ_OFF = {
    "by health": "select company_id from client order by health_score, name_key, company_id",
    "by name": "select company_id from client order by name_key, company_id",
    "by tier": "select company_id from client order by tier_rank, name_key, company_id",
    "by last QBR": "select company_id from client"
    " order by last_qbr_date nulls first, name_key, company_id",
    "of a delivery manager": "select company_id from client where assigned_dm_id = 'H1'"
    " order by health_score, name_key, company_id",
    "filtered": "select company_id from client where status in ('dormant', 'alumni')"
    " and tier = 'core' and health_score between 20 and 60 and strpos(name_key, 'ab1') > 0"
    " order by name_key, company_id",
    "counted": "select count(*) from client where status in ('dormant', 'alumni')"
    " and tier = 'core' and health_score between 20 and 60",
    "badges": "select count(*) filter (where health_score < 50),"
    " count(*) filter (where next_qbr_date < date '2026-03-01') from client"
    " where status = 'active'",
    "revenue of all": f"{_SUM} group by company_id",
    "revenue of one": f"{_SUM} and company_id = 'T17' group by company_id",
}
# What the planner prefers hangs on how much there is; what it can do hangs on the indexes alone.
_WAYS_ROUND = ("sort", "bitmapscan", "seqscan")


@pytest.fixture
def filled(owner_database_url: str) -> None:
    fill(owner_database_url, _FILL)


async def plan_of(db: AsyncConnection, statement: str) -> str:
    return "\n".join((await db.execute(text(f"explain (costs off) {statement}"))).scalars())


@pytest.mark.usefixtures("filled")
async def test_orders_counts_and_sums_are_read_off_indexes_alone(db: Database) -> None:
    async with db.tenant(TENANT) as session:
        for way in _WAYS_ROUND:
            await session.execute(text(f"set local enable_{way} = off"))
        plans = {name: await plan_of(session, sent) for name, sent in READ_OFF.items()}
    unserved = {
        name: plan
        for name, plan in plans.items()
        if "Index Only Scan" not in plan or "Sort" in plan
    }
    assert unserved == {}
