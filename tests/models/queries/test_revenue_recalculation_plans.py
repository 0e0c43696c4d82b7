"""A recalculation finds its next clients in an index, however many other tenants there are."""

import pytest

from models.db.database import Database
from models.queries.people import revenue_recalculation
from models.queries.people.revenue_recalculation import Stretch
from tests.models.queries.filling import fill
from tests.models.queries.test_clients_plans import _FILL, TENANT
from tests.statements import plan_for_any_values, remembered

pytestmark = pytest.mark.fresh_database


@pytest.fixture
def filled(owner_database_url: str) -> None:
    fill(owner_database_url, _FILL)


@pytest.mark.usefixtures("filled")
async def test_the_next_clients_are_read_off_the_index_of_the_active(db: Database) -> None:
    stretch = Stretch(after="T3", until=None, company_ids=None)
    async with db.tenant(TENANT) as session:
        with remembered(session) as sent:
            assert len(await revenue_recalculation.next_clients(session, stretch, 5)) == 5
            assert await revenue_recalculation.count(session, None) > 100
        plans = [await plan_for_any_values(session, statement) for statement, _ in sent]
    for plan in plans:
        assert "ix_client_active" in plan, plan
        assert "Sort" not in plan
