"""A worker that dies in the middle of a recalculation: each client is scored and counted once."""

import asyncio
import time
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from models.rules.vocabulary import Role
from models.settings import Settings
from tests.journeys.conftest import Journey
from tests.journeys.stack import PATIENCE
from workers.tokens import issue

pytestmark = [pytest.mark.slow, pytest.mark.timeout(150)]

CLIENTS = 6000
URL = "/api/clients/recalculate-revenue"
FILL = (
    """
    insert into company (id, tenant_id, name)
        select '01K9CMY' || lpad(n::text, 19, '0'), :tenant, 'Company ' || n
        from generate_series(1, :clients) n
    """,
    """
    insert into client (id, tenant_id, company_id, name_key, status, tier, tier_track, tier_score,
                        tier_revenue_score, tier_profitability_score, tier_strategic_score,
                        tier_relationship_score)
        select '01K9CNT' || substr(id, 8), tenant_id, id, name_key, 'active', 'core', 'delivery',
               3.35, 1, 3, 4, 5
        from company
    """,
    """
    insert into revenue_entry (id, tenant_id, company_id, origin, external_id, kind, counted_on,
                               amount, original_amount, original_currency)
        select '01K9REV' || substr(id, 8), tenant_id, id, 'nucleus', id, 'invoice',
               (date_trunc('month', now() at time zone 'utc') - interval '1 day')::date,
               285000, 285000, 'USD'
        from company
    """,
)


async def rows(journey: Journey, sql: str, **values: Any) -> Any:
    async with journey.database.tenant(journey.agency.tenant_id) as db:
        return (await db.execute(text(sql), values)).all()


async def fill(journey: Journey) -> None:
    values = {"tenant": journey.agency.tenant_id, "clients": CLIENTS}
    async with journey.database.tenant(journey.agency.tenant_id) as db:
        for statement in FILL:
            await db.execute(text(statement), values)


async def recalculated(journey: Journey) -> dict[str, int]:
    """Ask as an admin does, again whenever the answer is to come back later."""
    (admin,) = await rows(
        journey, "select id from principal where type = 'human' and role = 'admin' limit 1"
    )
    token = issue(
        Settings(data_dir=journey.stack.data_dir), subject=admin.id,
        tenant=journey.agency.tenant_id, role=Role.ADMIN, lifetime=timedelta(hours=1),
    )  # fmt: skip
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=journey.stack.record.api_url, timeout=70) as http:
        while True:
            answer = await http.post(URL, headers=headers)
            if answer.status_code == 200:
                found: dict[str, int] = answer.json()
                return found
            assert answer.status_code == 503, answer.text
            await asyncio.sleep(1)


async def scored(journey: Journey, at_least: int) -> int:
    """Wait until so many clients are scored; answers how many are."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        ((count,),) = await rows(journey, "select count(*) from tier_scoring")
        if count >= at_least:
            return int(count)
        await asyncio.sleep(0.02)
    raise AssertionError(journey.stack.words())


async def test_a_worker_is_killed_between_batches_and_the_counts_are_exact(
    journey: Journey,
) -> None:
    await fill(journey)
    asked = [asyncio.create_task(recalculated(journey)) for _ in range(2)]
    before = await scored(journey, at_least=1)
    journey.stack.kill("worker-1")
    assert before < CLIENTS
    assert await asyncio.gather(*asked) == [{"updated": CLIENTS, "tier_changes": CLIENTS}] * 2
    for table in ("tier_scoring", "audit_entry where action = 'tier_changed'"):
        ((count,),) = await rows(journey, f"select count(*) from {table}")
        assert count == CLIENTS
    ((tiers,),) = await rows(journey, "select array_agg(distinct tier) from client")
    assert tiers == ["platinum"]
