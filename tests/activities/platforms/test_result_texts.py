"""The steps of insights and of QBRs from results, tried again as a crash has them tried."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text, update
from temporalio.testing import ActivityEnvironment

from activities.agents.runs import Writer
from activities.people import text_calls
from activities.people.text_writing import TextSteps
from activities.platforms.insights import InsightSteps
from activities.platforms.results_qbr import ResultsQbrSteps
from models.contracts.client_texts import CallModel, DiscardText, GatherSources, StoreText
from models.contracts.insights import (
    GatherInsight,
    InsightGathered,
    InsightOutcome,
    QuarterSeen,
    StoreInsight,
)
from models.db.database import Database
from models.errors import Unavailable, Unprocessable
from models.rules.clients.vocabulary import PeriodType
from models.tables.people import Tenant
from tests.factories.agents import TenantMade, make_tenant
from tests.factories.clients import make_client
from tests.factories.results import store_campaign, store_campaign_day, store_metric
from tests.workflows.writing import WritingLlm

RUN = "the-run"
CLAUDE = Writer(adapter="claude", model="claude-sonnet-5-5")
NOW = datetime.now(UTC)
ROOM = 1000


class Bench:
    """The steps, each run as often as a test wants."""

    def __init__(self, db: Database, tenant: TenantMade, company_id: str) -> None:
        self.db, self.tenant, self.company_id = db, tenant, company_id
        self.llm = WritingLlm()
        self.texts = TextSteps(db, {"claude": self.llm}, max_output_tokens=ROOM)
        self.insights = InsightSteps(db, lambda: CLAUDE)
        self.qbrs = ResultsQbrSteps(db, lambda: CLAUDE)
        about = {"tenant_id": tenant.id, "company_id": company_id, "run_id": RUN}
        self.call = CallModel(tenant_id=tenant.id, run_id=RUN, number=1)
        self.insight = GatherInsight(**about, at=NOW, period_type=PeriodType.MONTH, period_end=None)
        self.sources = GatherSources(**about, at=NOW)
        self.kept = StoreInsight(**about)
        self.stored = StoreText(**about, principal_id=tenant.admin_id)

    async def run(self, step: Any, asked: Any) -> Any:
        return await ActivityEnvironment().run(step, asked)

    async def rows(self, sql: str) -> list[Any]:
        async with self.db.tenant(self.tenant.id) as session:
            return list((await session.execute(text(sql))).all())


@pytest.fixture
async def bench(db: Database) -> Bench:
    tenant = await make_tenant(db)
    async with db.tenant(tenant.id) as session:
        mine = update(Tenant).where(Tenant.id == tenant.id)
        await session.execute(mine.values(monthly_cap_usd=Decimal(9)))
    company_id = await make_client(db, tenant)
    first = NOW.date() - timedelta(days=3)
    await store_metric(db, tenant, company_id, "spend", first, [100, 200])
    return Bench(db, tenant, company_id)


async def test_an_insight_is_stored_once_however_often_each_step_is_tried(bench: Bench) -> None:
    for _ in range(2):
        gathered = await bench.run(bench.insights.gather, bench.insight)
    for _ in range(2):
        await bench.run(bench.texts.write, bench.call)
    await bench.run(bench.texts.check, bench.call)
    first, second = [await bench.run(bench.insights.store, bench.kept) for _ in range(2)]
    (kept,) = await bench.rows("select id from result_insight")
    assert gathered == InsightGathered()
    assert (first.id, second.id) == (kept.id, kept.id)
    assert len(bench.llm.asked) == 1


async def test_what_changes_between_two_tries_does_not_change_the_input(bench: Bench) -> None:
    await bench.run(bench.insights.gather, bench.insight)
    before = await bench.rows("select input_hash from text_draft")
    await bench.rows("update metric_snapshot set value = 7 returning 1")
    await bench.run(bench.insights.gather, bench.insight)
    assert await bench.rows("select input_hash from text_draft") == before


async def test_a_model_is_told_no_more_of_a_campaigns_name_than_of_an_ad(bench: Bench) -> None:
    day = NOW.date() - timedelta(days=2)
    await store_campaign(bench.db, bench.tenant, bench.company_id, name="Spring" * 1000)
    await store_campaign_day(
        bench.db, bench.tenant, bench.company_id, day=day, spend=Decimal(100), impressions=1
    )
    await bench.run(bench.insights.gather, bench.insight)
    (draft,) = await bench.rows("select given from text_draft")
    assert [len(one["name"]) for one in draft.given["campaigns"]] == [500]


async def test_an_insight_that_was_swept_away_is_not_said_to_be_stored(bench: Bench) -> None:
    await bench.run(bench.insights.gather, bench.insight)
    await bench.run(bench.texts.discard, DiscardText(tenant_id=bench.tenant.id, run_id=RUN))
    with pytest.raises(Unavailable):
        await bench.run(bench.insights.store, bench.kept)


async def test_without_a_writer_nothing_is_gathered(bench: Bench) -> None:
    nobody = InsightSteps(bench.db, lambda: None)
    gathered = await bench.run(nobody.gather, bench.insight)
    assert gathered.outcome is InsightOutcome.NO_MODEL


async def test_a_qbr_from_results_is_stored_once_with_its_date_and_its_history(
    bench: Bench,
) -> None:
    for _ in range(2):
        await bench.run(bench.qbrs.gather, bench.sources)
    first, second = [await bench.run(bench.qbrs.store, bench.stored) for _ in range(2)]
    (qbr,) = await bench.rows("select id, held_on from qbr")
    (client,) = await bench.rows("select last_qbr_date from client")
    assert (first.id, second.id) == (qbr.id, qbr.id)
    assert client.last_qbr_date == qbr.held_on == NOW.date()
    assert len(await bench.rows("select 1 from history_event")) == 2
    assert len(await bench.rows("select 1 from audit_entry")) == 1


async def test_a_call_that_nobody_lived_to_end_is_booked_when_the_template_stands_in(
    bench: Bench,
) -> None:
    await bench.run(bench.qbrs.gather, bench.sources)
    async with bench.db.tenant(bench.tenant.id) as session:
        await text_calls.opened(session, bench.call, max_output_tokens=ROOM)
    await bench.run(bench.qbrs.store, bench.stored)
    (month,) = await bench.rows("select reserved_usd from tenant_spend")
    assert month.reserved_usd == 0


async def test_a_quarter_is_looked_at_before_anything_is_kept(bench: Bench) -> None:
    seen = await bench.run(bench.qbrs.look, bench.sources)
    nobody = ResultsQbrSteps(bench.db, lambda: None)
    assert seen == QuarterSeen(has_model=True, needs_insight=True)
    assert await bench.run(nobody.look, bench.sources) == QuarterSeen(
        has_model=False, needs_insight=False
    )
    await bench.rows("delete from metric_snapshot returning 1")
    with pytest.raises(Unprocessable):
        await bench.run(bench.qbrs.look, bench.sources)
