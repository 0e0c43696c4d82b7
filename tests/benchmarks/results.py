"""Results of a month among 5,000,000 campaign days, against a bare route that runs the same SQL."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import psycopg
from sqlalchemy.ext.asyncio import AsyncConnection

from models.queries.platforms import campaigns, results
from models.rules.clients.vocabulary import PeriodType
from models.rules.results.periods import Period, period
from tests.benchmarks.harness import Bench, Measured, compare, in_ms, quantile
from tests.benchmarks.lists import bare_routes, dsn
from tests.benchmarks.raw_http import latencies, per_second, request
from tests.factories.agents import TenantMade
from tests.statements import remembered

SECONDS = 0.5
ROUNDS = 3
REQUESTS = 200
TENANTS = 10
COMPANY = "01K9RES" + "7".zfill(19)
"""A client of the first tenant, which has twenty of the two hundred."""
_FILL = """
set session_replication_role = replica;
set work_mem = '256MB';
select ensure_day_parts(current_date - 499, current_date);
insert into company (id, tenant_id, name)
    select '01K9RES' || lpad(n::text, 19, '0'), (%(tenants)s::text[])[1 + n / 20], 'Client ' || n
    from generate_series(0, 199) n;
insert into client (id, tenant_id, company_id, name_key, status)
    select '01K9REC' || right(id, 19), tenant_id, id, name_key, 'active'
    from company where id like '01K9RES%%';
insert into platform_connection (id, tenant_id, company_id, platform, status, source, connected_at,
                                 sealed_credentials, key_id)
    select '01K9REN' || right(id, 19), tenant_id, id, 'meta_ads', 'active', 'manual', now(),
           'sealed', 'k' from company where id like '01K9RES%%';
insert into ad_campaign (tenant_id, company_id, platform, campaign_id, account_id, name, status)
    select tenant_id, id, (array['meta_ads', 'google_ads'])[1 + c %% 2], c::text, '1',
           'Campaign ' || md5(c::text), 'active'
    from company, generate_series(1, 50) c where id like '01K9RES%%';
insert into ad_creative (tenant_id, company_id, platform, campaign_id, creative_id, title, body)
    select tenant_id, company_id, platform, campaign_id, campaign_id || '-' || n, 'Title', 'Body'
    from ad_campaign, generate_series(1, 2) n where company_id like '01K9RES%%';
insert into campaign_daily (tenant_id, company_id, day, platform, campaign_id, spend, impressions,
                            clicks, conversions, conversion_value, reach, currency, as_of)
    select tenant_id, company_id, current_date - d, platform, campaign_id,
           (d * 31 + campaign_id::int * 17) %% 900 + 0.25, 5000 + d, 60 + d %% 7, 3 + d %% 5,
           400 + d %% 90, 3000 + d, 'USD', now()
    from ad_campaign, generate_series(0, 499) d where company_id like '01K9RES%%'
    order by d desc, company_id, platform, campaign_id;
insert into creative_daily (tenant_id, company_id, day, platform, creative_id, spend, conversions,
                            as_of)
    select tenant_id, company_id, current_date - d, platform, creative_id, d %% 50, d %% 3, now()
    from ad_creative, generate_series(0, 99) d where company_id like '01K9RES%%'
    order by d desc, company_id, platform, creative_id;
insert into metric_snapshot (tenant_id, company_id, day, metric_key, platform, account_id, value,
                             currency, as_of)
    select tenant_id, id, current_date - d, m[1], m[2], '1', 100 + (d * 7) %% 90,
           nullif(m[3], ''), now()
    from company, generate_series(0, 499) d, (values
        (array['spend', 'meta_ads', 'USD']), (array['impressions', 'meta_ads', '']),
        (array['clicks', 'meta_ads', '']), (array['conversions', 'meta_ads', '']),
        (array['conversion_value', 'meta_ads', 'USD']), (array['reach', 'meta_ads', '']),
        (array['spend', 'google_ads', 'USD']), (array['impressions', 'google_ads', '']),
        (array['clicks', 'google_ads', '']), (array['conversions', 'google_ads', '']),
        (array['conversion_value', 'google_ads', 'USD']), (array['sessions', 'ga4', '']),
        (array['store_revenue', 'shopify', 'USD']), (array['orders', 'shopify', '']),
        (array['emails_delivered', 'klaviyo', '']), (array['emails_opened', 'klaviyo', '']),
        (array['subscribers', 'klaviyo', '']),
        (array['search_clicks', 'google_search_console', '']),
        (array['search_impressions', 'google_search_console', '']),
        (array['search_position', 'google_search_console', ''])) as metrics (m)
    where id like '01K9RES%%' order by d desc, id, m[2];
"""
"""Rows lie as a daily sync leaves them: day after day, and of a day client after client."""
_FILLED = (
    "company", "client", "platform_connection", "ad_campaign", "ad_creative", "campaign_daily",
    "creative_daily", "metric_snapshot",
)  # fmt: skip
Sent = list[tuple[str, dict[str, Any]]]


async def run(bench: Bench) -> list[Measured]:
    """Requests a second, the app and the bare route taking turns, and the slow end of answers."""
    tenants = [await bench.tenant() for _ in range(TENANTS)]
    await asyncio.to_thread(_fill, bench, tenants)
    asked = await _asked(bench, tenants[0])
    headers = bench.headers(tenants[0])
    measured = []
    with bare_routes(bench, tenants[0], [sent for _, _, sent in asked]) as bare_port:
        for number, (name, path, _) in enumerate(asked):
            mine, theirs = request(path, headers), request(f"/{number}", {})
            ours, bare = await compare(
                lambda mine=mine: per_second(bench.record.api_port, mine, seconds=SECONDS),  # type: ignore[misc]
                lambda theirs=theirs: per_second(bare_port, theirs, seconds=SECONDS),  # type: ignore[misc]
                rounds=ROUNDS,
                warm=1,
            )
            taken = await latencies(bench.record.api_port, mine, count=REQUESTS)
            measured += [
                Measured(
                    name=f"results: {name}", ours=ours, bare=bare, unit="/s", target=0.5,
                    at_least=True,
                ),
                in_ms(
                    Measured(
                        name=f"results: {name}, p95", ours=quantile(taken, 0.95), unit="s",
                        target=100,
                    )
                ),
            ]  # fmt: skip
    return measured


async def _asked(bench: Bench, tenant: TenantMade) -> list[tuple[str, str, Sent]]:
    """What is asked for, by name: the path, and the statements that it takes."""
    month = period(PeriodType.MONTH, datetime.now(UTC).date())
    calls: dict[str, tuple[str, Any]] = {
        "month": ("", results.of_period),
        "campaigns": ("/campaigns", campaigns.breakdown),
        "daily spend": ("/campaigns/daily", _daily),
    }
    found: list[tuple[str, str, Sent]] = []
    async with bench.database.tenant(tenant.id) as db:
        for name, (path, query) in calls.items():
            with remembered(db) as sent:
                await query(db, COMPANY, month)
            found.append((name, f"/api/clients/{COMPANY}/results{path}", list(sent)))
    return found


async def _daily(db: AsyncConnection, company_id: str, month: Period) -> None:
    await campaigns.breakdown(db, company_id, month)
    await campaigns.daily(db, company_id, month)


def _fill(bench: Bench, tenants: Sequence[TenantMade]) -> None:
    with psycopg.connect(dsn(bench.owner_url), autocommit=True) as db:
        cursor = psycopg.ClientCursor(db)
        cursor.execute(_FILL, {"tenants": [tenant.id for tenant in tenants]})
        for table in _FILLED:
            cursor.execute(f"vacuum analyze {table}")
