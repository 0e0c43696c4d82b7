"""Places in a role's concurrent runs: in order, never more than there are, and never forgotten."""

from datetime import UTC, datetime

import pytest

from models.db.database import Database
from models.queries.agents import slots
from tests.factories.agents import TenantMade, make_activity, make_campaign, make_tenant

NOW = datetime(2026, 11, 15, 12, tzinfo=UTC)


class Desk:
    """Two places for one role in one tenant."""

    def __init__(self, database: Database, tenant: TenantMade, waiting: list[str]) -> None:
        self._database = database
        self._tenant = tenant
        self.activities = waiting

    async def take(self, activity_id: str) -> bool:
        async with self._database.tenant(self._tenant.id) as db:
            return await slots.take(
                db, tenant_id=self._tenant.id, role="copywriter", activity_id=activity_id,
                concurrency=2, at=NOW,
            )  # fmt: skip

    async def give_back(self, activity_id: str) -> str | None:
        async with self._database.tenant(self._tenant.id) as db:
            return await slots.give_back(
                db, tenant_id=self._tenant.id, role="copywriter", activity_id=activity_id,
                concurrency=2, at=NOW,
            )  # fmt: skip


@pytest.fixture
async def desk(db: Database) -> Desk:
    tenant = await make_tenant(db)
    campaign_id = await make_campaign(db, tenant)
    ids = [await make_activity(db, tenant, campaign_id, status="assigned") for _ in range(4)]
    return Desk(db, tenant, sorted(ids))


async def test_places_are_given_in_the_order_of_the_queue(desk: Desk):
    assert [await desk.take(one) for one in desk.activities] == [True, True, False, False]
    assert await desk.give_back(desk.activities[1]) == desk.activities[2]
    assert await desk.take(desk.activities[3]) is False


async def test_who_holds_a_place_keeps_it(desk: Desk):
    assert [await desk.take(desk.activities[0]) for _ in range(2)] == [True, True]


async def test_a_place_that_was_passed_on_in_vain_is_passed_on_again(desk: Desk):
    """The step is repeated because its worker died before anybody was told."""
    first, second, third, _ = desk.activities
    for one in (first, second, third):
        await desk.take(one)
    told = await desk.give_back(first)
    assert told == third
    again = await desk.give_back(first)
    assert again in {second, third}


async def test_nobody_is_told_of_a_place_when_nobody_waits(desk: Desk):
    await desk.take(desk.activities[0])
    assert await desk.give_back(desk.activities[0]) is None
    assert await desk.give_back(desk.activities[0]) is None
