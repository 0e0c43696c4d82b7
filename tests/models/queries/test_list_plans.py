"""Lists walk indexes: whatever the filter, no plan reads a large table from end to end."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from models.db.database import Database
from models.queries.agents import agent_activities_read, approvals_read, campaigns_read
from models.queries.agents.agent_activities_read import Wanted
from tests.models.queries.filling import fill
from tests.statements import remembered

pytestmark = pytest.mark.fresh_database

TENANT = "T"
LIMIT = 26
_FILL = """
insert into tenant (id, name) values ('T', 'T'), ('U', 'U');
insert into principal (id, tenant_id, type, name, role)
    select 'H' || t.id, t.id, 'human', 'Ann', 'admin' from tenant t;
insert into campaign (id, tenant_id, name, status, brief, created_by, created_on)
    select 'C' || n, 'T', 'Campaign', (array['active', 'paused', 'archived'])[1 + n % 3], 'b', 'HT',
           now() - n * interval '1 hour'
    from generate_series(1, 1000) n;
insert into deliverable (id, tenant_id, campaign_id, position, type, quantity)
    select 'D' || n, 'T', 'C' || n, 0, 'blog_post', 1 from generate_series(1, 1000) n;
insert into agent_activity (id, tenant_id, campaign_id, deliverable_id, title, type, status,
                            wake_reason, agent_role, assignee_id, input_prompt, created_on)
    select 'A' || n, 'T', 'C' || 1 + n % 1000, 'D' || 1 + n % 1000, 'Title', 'blog_post',
           (array['done', 'done', 'done', 'created', 'failed', 'blocked'])[1 + n * 13 % 6],
           (array['planned', 'dependency_done', 'auto_retry', 'budget_exhausted'])[1 + n * 7 % 4],
           (array['copywriter', 'editor', 'analyst'])[1 + n * 11 % 3], 'HT', repeat('x', 200),
           now() - n * interval '1 minute'
    from generate_series(1, 30000) n;
insert into approval (id, tenant_id, campaign_id, title, type, risk_level, status, created_by,
                      created_on, expires_at)
    select 'P' || n, 'T', 'C' || 1 + n % 1000, 'Title', 'content_review',
           (array['low', 'medium', 'high'])[1 + n % 3],
           (array['pending', 'approved', 'expired', 'rejected'])[1 + n % 4], 'HT',
           now() - n * interval '1 minute', now()
    from generate_series(1, 10000) n;
"""
_LARGE = ("agent_activity", "approval", "deliverable")
Call = Callable[[AsyncConnection], Awaitable[Sequence[Any]]]


def activities(**wanted: Any) -> Call:
    after = (datetime.now(UTC), "Z")
    return lambda db: agent_activities_read.page(db, Wanted(**wanted), limit=LIMIT, after=after)


def approvals(*statuses: str, **narrower: Any) -> Call:
    return lambda db: approvals_read.page(db, statuses=statuses, limit=LIMIT, **narrower)


def campaigns(*statuses: str, **how: Any) -> Call:
    return lambda db: campaigns_read.page(db, statuses=statuses, limit=LIMIT, **how)


CALLS: dict[str, Call] = {
    "activities": activities(),
    "activities of a status": activities(statuses=("failed",)),
    "activities of several statuses": activities(statuses=("failed", "created", "done")),
    "activities of a status nobody has": activities(statuses=("awaiting_review",)),
    "activities of a role": activities(agent_role="editor"),
    "activities of a role nobody has": activities(agent_role="poet"),
    "activities of a role and statuses": activities(agent_role="editor", statuses=("failed",)),
    "activities of wake reasons": activities(wake_reasons=("planned", "auto_retry")),
    "activities of a campaign": activities(campaign_id="C7"),
    "activities of a campaign and statuses": activities(
        campaign_id="C7", statuses=("done", "failed")
    ),
    "activities of a deliverable": activities(deliverable_id="D7"),
    "activities of everything at once": activities(
        campaign_id="C7",
        deliverable_id="D7",
        agent_role="editor",
        statuses=("done", "failed"),
        wake_reasons=("planned",),
    ),
    "approvals": approvals("pending"),
    "approvals of all statuses": approvals("pending", "approved", "rejected", "expired"),
    "approvals of a type and risk": approvals(
        "pending", types=("content_review",), risk_levels=("high", "low")
    ),
    "campaigns": campaigns(),
    "campaigns, oldest first": campaigns(ascending=True),
    "campaigns of statuses": campaigns("archived", "paused"),
}


@pytest.fixture
def filled(owner_database_url: str) -> None:
    fill(owner_database_url, _FILL)


async def plan_of(db: AsyncConnection, call: Call) -> list[str]:
    """The plans of all statements that the call sends."""
    with remembered(db) as sent:
        await call(db)
    lines: list[str] = []
    for statement, parameters in sent:
        explained = await db.exec_driver_sql("explain " + statement, parameters)
        lines += explained.scalars().all()
    return lines


@pytest.mark.usefixtures("filled")
async def test_no_list_reads_a_table_from_end_to_end(db: Database) -> None:
    scans: dict[str, list[str]] = {}
    async with db.tenant(TENANT) as session:
        for name, call in CALLS.items():
            plan = await plan_of(session, call)
            bad = [line for line in plan if any(f"Seq Scan on {one} " in line for one in _LARGE)]
            if bad or not plan:
                scans[name] = plan
    assert scans == {}
