"""Lists against the plainest way to make them: filter all rows in Python, sort, cut."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from models.db.database import Database
from models.ids import new_id
from models.queries.agents import agent_activities_read
from models.queries.agents.agent_activities_read import Wanted
from models.queries.tenants import Human, create_tenant
from models.rules.vocabulary import Role
from models.tables.agent_activities import AgentActivity
from tests.factories.records import NOON, Records

STATUSES = ("created", "done", "failed", "blocked")
REASONS = ("planned", "auto_retry", "budget_exhausted", None)
ROLES = ("copywriter", "editor")


@dataclass(frozen=True)
class Made:
    id: str
    created_on: datetime
    status: str
    wake_reason: str | None
    agent_role: str
    campaign_id: str
    deliverable_id: str | None

    def matches(self, wanted: Wanted) -> bool:
        return (
            (not wanted.statuses or self.status in wanted.statuses)
            and (not wanted.wake_reasons or self.wake_reason in wanted.wake_reasons)
            and wanted.agent_role in (None, self.agent_role)
            and wanted.campaign_id in (None, self.campaign_id)
            and wanted.deliverable_id in (None, self.deliverable_id)
        )


@pytest.fixture
async def records(db: Database) -> Records:
    tenant_id, ann = new_id(), new_id()
    async with db.tenant(tenant_id) as session:
        people = [Human(id=ann, name="Ann", email="ann@example.test", role=Role.ADMIN)]
        await create_tenant(session, tenant_id=tenant_id, name="T", humans=people)
    return Records(db, tenant_id, ann)


async def fill(records: Records, chance: random.Random) -> list[Made]:
    campaigns = [await records.campaign() for _ in range(3)]
    deliverables = [(await records.deliverable(campaign), campaign) for campaign in campaigns]
    made = []
    for _ in range(150):
        deliverable_id, campaign_id = chance.choice(deliverables)
        one = Made(
            id=new_id(),
            # Few moments for many rows, so that ids must break ties.
            created_on=NOON + timedelta(seconds=chance.randrange(12)),
            status=chance.choice(STATUSES),
            wake_reason=chance.choice(REASONS),
            agent_role=chance.choice(ROLES),
            campaign_id=campaign_id,
            deliverable_id=chance.choice((deliverable_id, None)),
        )
        made.append(one)
    async with records.database.tenant(records.tenant_id) as db:
        rows = [
            {
                "tenant_id": records.tenant_id,
                "title": "A post",
                "type": "blog_post",
                "assignee_id": records.agent(one.agent_role),
                "input_prompt": "",
                **vars(one),
            }
            for one in made
        ]
        await db.execute(AgentActivity.__table__.insert(), rows)  # type: ignore[attr-defined]
    return made


def some_filter(chance: random.Random, made: list[Made]) -> Wanted:
    one = chance.choice(made)
    return Wanted(
        statuses=tuple(chance.choices(STATUSES, k=chance.randrange(4))),
        wake_reasons=tuple(
            reason for reason in chance.choices(REASONS, k=chance.randrange(3)) if reason
        ),
        agent_role=chance.choice((None, one.agent_role)),
        campaign_id=chance.choice((None, None, one.campaign_id)),
        deliverable_id=chance.choice((None, None, one.deliverable_id)),
    )


async def test_pages_of_any_filter_are_what_plain_filtering_gives(records: Records) -> None:
    chance = random.Random(7)
    made = await fill(records, chance)
    async with records.database.tenant(records.tenant_id) as db:
        for _ in range(60):
            wanted = some_filter(chance, made)
            expected = sorted(
                (one for one in made if one.matches(wanted)),
                key=lambda one: (one.created_on, one.id),
                reverse=True,
            )
            limit = chance.randrange(1, 40)
            listed: list[str] = []
            after = None
            while True:
                rows = await agent_activities_read.page(db, wanted, limit=limit, after=after)
                listed += [row.id for row in rows]
                if len(rows) < limit:
                    break
                after = (rows[-1].created_on, rows[-1].id)
            assert listed == [one.id for one in expected], wanted
