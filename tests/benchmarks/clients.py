"""The list of 20,000 clients, against a bare route that runs the same SQL."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from urllib.parse import urlencode

import psycopg

from models.queries.people import clients_list
from models.queries.people.clients_list import Wanted
from models.rules.clients.vocabulary import ClientSort, ClientStatus, Tier
from tests.benchmarks.harness import Bench, Measured, compare
from tests.benchmarks.lists import Asked, bare_route, dsn, sent_by
from tests.benchmarks.raw_http import per_second, request
from tests.factories.agents import TenantMade

SECONDS = 0.4
ROUNDS = 3
PER_PAGE = 50
_FILL = """
insert into company (id, tenant_id, name)
    select '01K9CPY' || lpad(n::text, 19, '0'), %(tenant)s, md5(n::text) || ' & Sons'
    from generate_series(1, 20000) n;
insert into client (id, tenant_id, company_id, name_key, status, tier, tier_track, tier_score,
                    tier_scored_at, health_score, health_scored_at, assigned_dm_id, last_qbr_date,
                    next_qbr_date)
    select '01K9CNT' || right(id, 19), %(tenant)s, id, name_key,
           (array['active', 'active', 'prospect', 'dormant'])[1 + n * 7 %% 4],
           (array['platinum', 'core', 'standard', 'review', null])[1 + n * 11 %% 5],
           case when n %% 5 < 4 then 'delivery' end, case when n %% 5 < 4 then 3.25 end,
           now() - n * interval '10 minutes', nullif(n * 13 %% 101, 100), now(),
           case when n %% 3 > 0 then %(admin)s end, current_date - n * 17 %% 400,
           case when n %% 2 = 0 then current_date - 30 + n * 19 %% 90 end
    from (select id, name_key, right(id, 19)::int n from company where tenant_id = %(tenant)s) c;
"""
Query = Mapping[str, str]


def asked_for(admin_id: str) -> Mapping[str, tuple[Query, Wanted, ClientSort, int]]:
    """What is asked for, by name: the query, and what it means."""
    plain = {f"by {sort}": ({"sort": sort.value}, Wanted(), sort, 1) for sort in ClientSort}
    filtered = {
        "page 300 by name": ({"sort": "name", "page": "300"}, Wanted(), ClientSort.NAME, 300),
        "status and tier": (
            {"status": "active,prospect", "tier": "platinum,core"},
            Wanted(
                statuses=(ClientStatus.ACTIVE, ClientStatus.PROSPECT),
                tiers=(Tier.PLATINUM, Tier.CORE),
            ),
            ClientSort.HEALTH_SCORE,
            1,
        ),
        "manager, low health": (
            {"assigned_dm_id": admin_id, "health_score_max": "49.99"},
            Wanted(assigned_dm_id=admin_id, health_score_max=Decimal("49.99")),
            ClientSort.HEALTH_SCORE,
            1,
        ),
        "search by tier": (
            {"search": "AB1", "sort": "tier"}, Wanted(search="AB1"), ClientSort.TIER, 1,
        ),
    }  # fmt: skip
    return {**plain, **filtered}


async def run(bench: Bench) -> list[Measured]:
    """Requests a second, the app and the bare route taking turns."""
    tenant = await bench.tenant()
    await asyncio.to_thread(_fill, bench, tenant)
    asked = await _statements(bench, tenant)
    measured = []
    with bare_route(bench, tenant, asked) as bare_port:
        for number, (name, path, _, _) in enumerate(asked):
            mine = request(path, bench.headers(tenant))
            theirs = request(f"/{number}", {})
            ours, bare = await compare(
                lambda mine=mine: per_second(bench.record.api_port, mine, seconds=SECONDS),  # type: ignore[misc]
                lambda theirs=theirs: per_second(bare_port, theirs, seconds=SECONDS),  # type: ignore[misc]
                rounds=ROUNDS,
                warm=1,
            )
            measured.append(
                Measured(
                    name=f"clients: {name}", ours=ours, bare=bare, unit="/s", target=0.5,
                    at_least=True,
                )
            )  # fmt: skip
    return measured


async def _statements(bench: Bench, tenant: TenantMade) -> list[Asked]:
    now = datetime.now(UTC)
    found: list[Asked] = []
    async with bench.database.tenant(tenant.id) as db:
        for name, (query, wanted, sort, page) in asked_for(tenant.admin_id).items():
            offset = (page - 1) * PER_PAGE
            call = clients_list.page(db, wanted, sort=sort, limit=PER_PAGE, offset=offset, now=now)
            found.append((name, f"/api/clients?{urlencode(query)}", *await sent_by(db, call)))
    return found


def _fill(bench: Bench, tenant: TenantMade) -> None:
    with psycopg.connect(dsn(bench.owner_url), autocommit=True) as db:
        cursor = psycopg.ClientCursor(db)
        cursor.execute(_FILL, {"tenant": tenant.id, "admin": tenant.admin_id})
        for table in ("company", "client"):
            cursor.execute(f"vacuum analyze {table}")
