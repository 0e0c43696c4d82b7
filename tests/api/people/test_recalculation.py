"""The recalculation over HTTP: who may ask, what is asked of the workflow, and what it answers."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import httpx
import pytest
from temporalio.client import Client, WorkflowExecutionStatus

from api.http import commands
from models.contracts.revenue import Recalculated, RecalculateRevenue
from models.db.database import Database
from models.errors import Unavailable
from models.ids import new_id
from models.rules.clients.revenue import revenue_window
from models.settings import Settings
from tests.api.conftest import TenantPeople
from tests.factories.agents import TenantMade
from tests.factories.clients import make_client, make_revenue_entry
from tests.fakes.desk import RecordedDesk
from workers.billing import build_stripe
from workers.container import Container
from workers.registry import agents_queue
from workers.worker import build_worker

URL = "/api/clients/recalculate-revenue"


async def test_the_result_of_the_workflow_is_the_answer(
    http: httpx.AsyncClient, desk: RecordedDesk, tenant_a: TenantPeople
) -> None:
    desk.answers["recalculate"] = Recalculated(updated=31, tier_changes=2, left_out=4)
    answer = await http.post(URL, headers=tenant_a.admin.headers)
    assert (answer.status_code, answer.json()) == (200, {"updated": 31, "tier_changes": 2})
    sent = desk.only
    assert sent.workflow_id == f"revenue-recalculation:{tenant_a.id}"
    assert sent.start == RecalculateRevenue(tenant_id=tenant_a.id)
    assert (sent.argument.company_ids, sent.argument.patience_s) == (None, 54)


async def test_a_wait_that_ends_first_is_503_and_says_when_to_come_back(
    http: httpx.AsyncClient, desk: RecordedDesk, tenant_a: TenantPeople
) -> None:
    desk.answers["recalculate"] = Unavailable("It goes on.", retry_after=10)
    answer = await http.post(URL, headers=tenant_a.admin.headers)
    assert (answer.status_code, answer.json()["code"]) == (503, "UNAVAILABLE")
    assert answer.headers["Retry-After"] == "10"


async def test_only_managers_may_ask(
    http: httpx.AsyncClient, desk: RecordedDesk, tenant_a: TenantPeople
) -> None:
    for person in (tenant_a.member, tenant_a.reviewer):
        answer = await http.post(URL, headers=person.headers)
        assert answer.status_code == 403
    assert (await http.post(URL)).status_code == 401
    assert desk.sent == []


class TestCarriedOut:
    """With a real worker."""

    @pytest.fixture
    def api_temporal(self, temporal: Client) -> Client:
        return temporal

    @pytest.fixture
    def api_settings(self, api_settings: Settings) -> Settings:
        return api_settings.model_copy(update={"api_workflow_wait_seconds": 20.0})

    @pytest.fixture
    def queue(self, monkeypatch: pytest.MonkeyPatch) -> str:
        """A queue of the test's own: the server is shared."""
        name = f"recalculation-{new_id()}"
        defaults = dict(commands.Desk.update_with_start.__kwdefaults__ or {})
        monkeypatch.setattr(
            commands.Desk.update_with_start, "__kwdefaults__", defaults | {"task_queue": name}
        )
        return name

    @pytest.fixture
    async def worker(self, db: Database, temporal: Client, queue: str) -> AsyncIterator[None]:
        container = Container(
            settings=Settings(), db=db, temporal=temporal, llms={}, stripe=build_stripe(Settings())
        )
        async with build_worker(temporal, agents_queue(container), task_queue=queue):
            yield

    async def test_two_callers_at_once_get_one_result_and_other_tenants_keep_theirs(
        self,
        http: httpx.AsyncClient,
        db: Database,
        temporal: Client,
        worker: None,
        tenant_a: TenantPeople,
        tenant_b: TenantPeople,
    ) -> None:
        for people in (tenant_a, tenant_b):
            made = TenantMade(id=people.id, admin_id=people.admin.id, member_id=people.member.id)
            company_id = await make_client(
                db, made, "Acme", tier_track="delivery", tier="core", tier_revenue_score=1,
                tier_profitability_score=Decimal(3), tier_strategic_score=Decimal(4),
                tier_relationship_score=Decimal(5), tier_score=Decimal("3.35"),
            )  # fmt: skip
            last_month = revenue_window(datetime.now(UTC).date()).end - timedelta(days=1)
            await make_revenue_entry(db, made, company_id, "285000", counted_on=last_month)
        answers = await asyncio.gather(
            *(http.post(URL, headers=tenant_a.admin.headers) for _ in range(3))
        )
        assert [one.status_code for one in answers] == [200] * 3
        assert {one.text for one in answers} == {'{"updated":1,"tier_changes":1}'}
        handle = temporal.get_workflow_handle(f"revenue-recalculation:{tenant_a.id}")
        await handle.result()
        assert (await handle.describe()).status is WorkflowExecutionStatus.COMPLETED
        again = await http.post(URL, headers=tenant_a.admin.headers)
        assert again.json() == {"updated": 0, "tier_changes": 0}
        theirs = await http.post(URL, headers=tenant_b.admin.headers)
        assert theirs.json() == {"updated": 1, "tier_changes": 1}
