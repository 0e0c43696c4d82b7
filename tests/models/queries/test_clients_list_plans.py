"""Whatever is asked of clients, no plan reads a table from end to end, other tenants included."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from models.db.database import Database
from models.queries.people import clients_detail, clients_list, history_read
from models.queries.people.clients_list import Wanted
from models.rules.clients.vocabulary import ClientSort, ClientStatus, Tier
from tests.models.queries.filling import fill
from tests.servers import Postgres
from tests.statements import remembered

NOW = datetime(2026, 3, 10, tzinfo=UTC)
LATER = datetime(2100, 1, 1, tzinfo=UTC)
LIMIT = 50
_FILL = """
insert into tenant (id, name) select chr(n), chr(n) from generate_series(ascii('K'), ascii('T')) n;
insert into principal (id, tenant_id, type, name, role)
    select 'H' || n, 'T', 'human', 'Ann', 'member' from generate_series(0, 9) n;
insert into company (id, tenant_id, name, parent_company_id)
    select t.id || n, t.id, md5(n || t.id), case when n % 20 = 0 then t.id || n - 1 end
    from tenant t, generate_series(1, 2000) n;
insert into client (id, tenant_id, company_id, name_key, status, tier, tier_track, health_score,
                    last_qbr_date, assigned_dm_id)
    select 'L' || id, tenant_id, id, name_key,
           (array['active', 'active', 'dormant'])[1 + ascii(right(name_key, 1)) % 3],
           (array['core', 'review', null])[1 + ascii(name_key) % 3], 'product',
           nullif(ascii(name_key), 97) - 10, date '2026-03-01' - ascii(name_key),
           case when tenant_id = 'T' then 'H' || ascii(name_key) % 10 end
    from company;
insert into project (id, tenant_id, company_id, name)
    select 'P' || id, tenant_id, id, 'P' from company;
insert into deal (id, tenant_id, company_id, name)
    select 'D' || id, tenant_id, id, 'D' from company;
insert into meeting (id, tenant_id, company_id, title, held_on)
    select 'M' || id, tenant_id, id, 'M', date '2026-03-01' from company;
insert into contact (id, tenant_id, company_id, name)
    select 'C' || id, tenant_id, id, 'C' from company;
insert into revenue_entry (id, tenant_id, company_id, origin, external_id, kind, counted_on, amount,
                           original_amount, original_currency)
    select 'R' || id, tenant_id, id, 'nucleus', id, 'invoice', date '2026-02-01', 10, 10, 'USD'
    from company;
insert into history_event (id, tenant_id, resource_type, resource_id, event_type)
    select 'E' || c.id || n, c.tenant_id, 'client', c.id, 'client.goal_progress'
    from company c, generate_series(1, 3) n;
"""
ASKED: Mapping[str, Wanted] = {
    "all": Wanted(),
    "status": Wanted(statuses=(ClientStatus.ACTIVE, ClientStatus.PROSPECT)),
    "tier": Wanted(tiers=(Tier.CORE,)),
    "manager": Wanted(assigned_dm_id="H1"),
    "health": Wanted(health_score_max=Decimal(49)),
    "search": Wanted(search="AB"),
    "everything": Wanted(
        statuses=(ClientStatus.ACTIVE,), tiers=(Tier.CORE, Tier.REVIEW), assigned_dm_id="H1",
        health_score_min=Decimal(20), search="a",
    ),
}  # fmt: skip
_LARGE = (
    "client", "company", "project", "deal", "meeting", "contact", "revenue_entry", "history_event",
)  # fmt: skip


@pytest.fixture(scope="module")
def database_name(postgres: Postgres) -> Iterator[str]:
    """One database for all tests: they only read, and filling takes longer than any of them."""
    name = postgres.create_database()
    fill(postgres.owner_url(name), _FILL)
    yield name
    postgres.drop_database(name)


async def plan_of(db: AsyncConnection, sent: list[tuple[str, dict[str, object]]]) -> list[str]:
    lines: list[str] = []
    for statement, parameters in sent:
        how = "explain (costs off) "
        lines += (await db.exec_driver_sql(how + statement, parameters)).scalars().all()
    return lines


def scans(plan: list[str]) -> list[str]:
    return [line for line in plan if any(f"Seq Scan on {one} " in f"{line} " for one in _LARGE)]


async def test_no_filter_and_no_order_reads_all_clients(db: Database) -> None:
    found: dict[str, list[str]] = {}
    async with db.tenant("T") as session:
        for name, wanted in ASKED.items():
            for sort in ClientSort:
                with remembered(session) as sent:
                    total, rows = await clients_list.page(
                        session, wanted, sort=sort, limit=LIMIT, offset=20, now=NOW
                    )
                assert 0 < len(rows) < total
                found[f"{name} by {sort}"] = scans(await plan_of(session, sent))
    assert {name: lines for name, lines in found.items() if lines} == {}


async def test_one_client_is_found_without_a_look_at_the_others(db: Database) -> None:
    async with db.tenant("T") as session:
        with remembered(session) as sent:
            await clients_detail.one(session, "T39", NOW)
            await clients_detail.contacts(session, "T39")
            _, children = await clients_detail.group(session, "T39", NOW.date())
            events = await history_read.of_client(session, "T39", limit=200, before=LATER)
            await history_read.of_client(session, "T39", limit=200, before=None)
        assert (len(sent), len(children), len(events)) == (5, 1, 3)
        plan = await plan_of(session, sent)
    assert scans(plan) == []
