"""The steps of texts about clients, tried again as a crash has them tried."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from unittest.mock import MagicMock

import pytest
from sqlalchemy import text, update
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.agents.reconciliation import ReconcilerSteps
from activities.agents.runs import Writer
from activities.people import model_calls, text_calls
from activities.people.ai_summaries import AiSummarySteps
from activities.people.qbr_prep import QbrPrepSteps
from activities.people.text_writing import TextSteps
from activities.ports import Llm, LlmBusy, LlmRefused, StopReason
from models.contracts.client_texts import CallModel, DiscardText, GatherSources, StoreText
from models.contracts.maintenance import Sweep
from models.db.database import Database
from models.errors import Unavailable, UpstreamFailed
from models.tables.people import Tenant
from tests.factories.agents import TenantMade, make_tenant
from tests.factories.clients import make_client
from tests.workflows.scripted_llm import Gate, Reply
from tests.workflows.writing import WritingLlm

RUN = "the-run"
CLAUDE = Writer(adapter="claude", model="claude-sonnet-5-5")
ROOM = 1000


class Bench:
    """The steps of a QBR's preparation, each run as often as a test wants."""

    def __init__(self, db: Database, tenant: TenantMade, company_id: str) -> None:
        self.db, self.tenant, self.company_id = db, tenant, company_id
        self.llm = WritingLlm()
        llms: Mapping[str, Llm] = {"claude": self.llm}
        self.texts = TextSteps(db, llms, max_output_tokens=ROOM)
        self.qbrs = QbrPrepSteps(db, lambda: CLAUDE)
        self.summaries = AiSummarySteps(db, lambda: CLAUDE)
        self.call = CallModel(tenant_id=tenant.id, run_id=RUN, number=1)
        self.gathered = GatherSources(
            tenant_id=tenant.id, company_id=company_id, run_id=RUN, at=datetime.now(UTC)
        )
        self.stored = StoreText(
            tenant_id=tenant.id, company_id=company_id, run_id=RUN, principal_id=tenant.admin_id
        )

    async def run(self, step: Any, asked: Any) -> Any:
        return await ActivityEnvironment().run(step, asked)

    async def rows(self, sql: str) -> list[Any]:
        async with self.db.tenant(self.tenant.id) as session:
            return list((await session.execute(text(sql))).all())

    async def die_in_a_call(self) -> None:
        """Open a call as a worker does that is killed before the answer comes."""
        async with self.db.tenant(self.tenant.id) as session:
            await text_calls.opened(session, self.call, max_output_tokens=ROOM)


@pytest.fixture
async def bench(db: Database) -> Bench:
    tenant = await make_tenant(db)
    async with db.tenant(tenant.id) as session:
        mine = update(Tenant).where(Tenant.id == tenant.id)
        await session.execute(mine.values(monthly_cap_usd=Decimal(9)))
    return Bench(db, tenant, await make_client(db, tenant))


async def test_a_finished_call_is_never_made_again(bench: Bench) -> None:
    await bench.run(bench.qbrs.gather, bench.gathered)
    first = await bench.run(bench.texts.write, bench.call)
    assert await bench.run(bench.texts.write, bench.call) == first
    assert len(bench.llm.asked) == 1
    assert len(await bench.rows("select 1 from ledger_entry")) == 1


async def test_a_call_that_died_gives_its_reservation_back(bench: Bench) -> None:
    await bench.run(bench.qbrs.gather, bench.gathered)
    await bench.die_in_a_call()
    (held,) = await bench.rows("select reserved_usd from tenant_spend")
    await bench.run(bench.texts.write, bench.call)
    (month,) = await bench.rows("select spent_usd, reserved_usd from tenant_spend")
    assert held.reserved_usd > Decimal("0.01")
    assert tuple(month) == (Decimal("0.004"), Decimal(0))


async def test_a_draft_is_stored_once_however_often_the_step_is_tried(bench: Bench) -> None:
    await bench.run(bench.qbrs.gather, bench.gathered)
    await bench.run(bench.texts.write, bench.call)
    for _ in range(2):
        checked = await bench.run(bench.texts.check, bench.call)
    first = await bench.run(bench.qbrs.store, bench.stored)
    second = await bench.run(bench.qbrs.store, bench.stored)
    (qbr,) = await bench.rows("select id from qbr")
    assert (checked.fault, first.id, second.id) == (None, qbr.id, qbr.id)
    assert len(await bench.rows("select 1 from history_event")) == 1
    assert len(await bench.rows("select 1 from audit_entry")) == 1


async def test_a_draft_that_was_swept_away_is_not_said_to_be_stored(bench: Bench) -> None:
    await bench.run(bench.qbrs.gather, bench.gathered)
    given_up = DiscardText(tenant_id=bench.tenant.id, run_id=RUN)
    await bench.run(bench.texts.discard, given_up)
    with pytest.raises(Unavailable):
        await bench.run(bench.qbrs.store, bench.stored)


async def test_a_summary_is_stored_once_however_often_the_step_is_tried(bench: Bench) -> None:
    await bench.run(bench.summaries.gather, bench.gathered)
    await bench.run(bench.texts.write, bench.call)
    await bench.run(bench.texts.check, bench.call)
    for _ in range(2):
        await bench.run(bench.summaries.store, bench.stored)
    assert len(await bench.rows("select 1 from client_summary")) == 1
    assert len(await bench.rows("select 1 from history_event")) == 1


async def test_an_input_that_is_gathered_again_stays_as_it_was(bench: Bench) -> None:
    await bench.run(bench.qbrs.gather, bench.gathered)
    await bench.rows("update client set last_qbr_date = current_date returning 1")
    before = await bench.rows("select given, input_hash from text_draft")
    await bench.run(bench.qbrs.gather, bench.gathered)
    assert await bench.rows("select given, input_hash from text_draft") == before


async def test_what_is_given_up_is_booked_and_put_away(bench: Bench) -> None:
    await bench.run(bench.qbrs.gather, bench.gathered)
    await bench.die_in_a_call()
    given_up = DiscardText(tenant_id=bench.tenant.id, run_id=RUN)
    for _ in range(2):
        await bench.run(bench.texts.discard, given_up)
    (month,) = await bench.rows("select reserved_usd from tenant_spend")
    assert month.reserved_usd == 0
    assert await bench.rows("select 1 from text_draft") == []
    with pytest.raises(Unavailable):
        await bench.run(bench.texts.write, bench.call)


async def test_what_a_terminated_run_left_behind_is_forgotten_after_a_day(bench: Bench) -> None:
    await bench.run(bench.qbrs.gather, bench.gathered)
    await bench.die_in_a_call()
    reconciler = ReconcilerSteps(bench.db, MagicMock())
    left = []
    for hours in (23, 25):
        await bench.run(reconciler.forget, Sweep(at=datetime.now(UTC) + timedelta(hours=hours)))
        left.append(len(await bench.rows("select 1 from text_draft")))
    (month,) = await bench.rows("select reserved_usd from tenant_spend")
    assert (left, month.reserved_usd) == ([1, 0], 0)


async def test_a_text_whose_model_has_no_price_any_more_does_not_hold_the_others_up(
    bench: Bench,
) -> None:
    await bench.run(bench.qbrs.gather, bench.gathered)
    await bench.die_in_a_call()
    await bench.rows("update text_draft set model = 'withdrawn' returning 1")
    await bench.run(bench.qbrs.gather, replace(bench.gathered, run_id="another-run"))
    tomorrow = Sweep(at=datetime.now(UTC) + timedelta(hours=25))
    gone = await bench.run(ReconcilerSteps(bench.db, MagicMock()).forget, tomorrow)
    left = await bench.rows("select run_id from text_draft")
    assert (gone, [row.run_id for row in left]) == (1, [RUN])


async def test_a_call_that_takes_too_long_is_cut_off_and_tried_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_calls, "CALL_SECONDS", 0.2)
    bench.llm.then(Reply(text="So far", gate=Gate()))
    await bench.run(bench.qbrs.gather, bench.gathered)
    with pytest.raises(ApplicationError, match="took longer") as late:
        await bench.run(bench.texts.write, bench.call)
    (call,) = await bench.rows("select status, cost_usd from text_call")
    assert not late.value.non_retryable
    assert tuple(call) == ("cut_off", Decimal("0.004"))


async def test_a_model_that_refuses_is_not_asked_again(bench: Bench) -> None:
    bench.llm.then(Reply(text="I will not.", stop=StopReason.REFUSED))
    await bench.run(bench.qbrs.gather, bench.gathered)
    with pytest.raises(UpstreamFailed):
        await bench.run(bench.texts.write, bench.call)


@pytest.mark.parametrize(
    ("error", "raised"), [(LlmBusy, ApplicationError), (LlmRefused, UpstreamFailed)]
)
async def test_what_a_vendor_repeats_of_the_prompt_is_masked(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, error: type[Exception], raised: type[Exception]
) -> None:
    async def failing(*_: Any) -> None:
        raise error("Bad request: ada@example.com" + " and so on" * 99)

    monkeypatch.setattr(text_calls, "listen", failing)
    await bench.run(bench.qbrs.gather, bench.gathered)
    with pytest.raises(raised, match=r"Bad request: \[e-mail address\]") as failed:
        await bench.run(bench.texts.write, bench.call)
    assert failed.value.__cause__ is None
    assert len(str(failed.value)) < 400


async def test_a_late_attempt_finds_its_call_taken_over(bench: Bench) -> None:
    gate = Gate()
    bench.llm.then(Reply(text="Late.", gate=gate))
    await bench.run(bench.qbrs.gather, bench.gathered)
    late = asyncio.create_task(bench.run(bench.texts.write, bench.call))
    await gate.reached.wait()
    await bench.run(bench.texts.write, bench.call)
    gate.open()
    with pytest.raises(ApplicationError, match="took this call over"):
        await late
    calls = await bench.rows("select status from text_call order by attempt")
    assert [call.status for call in calls] == ["cut_off", "settled"]


async def test_a_model_without_a_price_is_never_asked(bench: Bench) -> None:
    await bench.run(bench.qbrs.gather, bench.gathered)
    await bench.rows("update text_draft set model = 'nobody-knows' returning 1")
    with pytest.raises(Unavailable, match="No price is known"):
        await bench.run(bench.texts.write, bench.call)
    assert bench.llm.asked == []
