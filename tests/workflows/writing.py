"""A model that writes about clients as a test tells it to, and a worker that asks it."""

import json
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Self

from pydantic import SecretStr
from temporalio.client import Client
from temporalio.worker import Worker

from activities.llm.offline_client_texts import client_text
from activities.ports import (
    Check,
    Llm,
    StopReason,
    StreamPart,
    Text,
    TextDelta,
    TurnEnd,
    TurnRequest,
    UsageSoFar,
)
from api.http.commands import Desk
from api.http.services import Temporal
from models.contracts.client_texts import PrepareQbr, TextKind, TextStored
from models.contracts.insights import InsightWritten, WriteInsight
from models.contracts.platforms import SyncOrder, sync_workflow
from models.db.database import Database
from models.rules.clients.qbrs import QbrPreparation
from models.rules.clients.vocabulary import PeriodType
from models.settings import Settings
from tests.factories.agents import TenantMade
from tests.workflows.harness import Engine
from tests.workflows.scripted_llm import Reply, words
from workers.billing import build_stripe
from workers.container import Container
from workers.registry import agents_queue
from workers.worker import build_worker
from workflows.people.ai_summary import AiSummaryWorkflow
from workflows.people.qbr_prep import QbrPrepWorkflow
from workflows.platforms.insight import InsightWorkflow
from workflows.platforms.sync import SyncWorkflow
from workflows.visibility import ai_summary_workflow, insight_workflow, qbr_prep_workflow

Given = Mapping[str, Any]
Scripted = Reply | Callable[[Given], Reply]

CONFIGURED = Settings(anthropic_api_key=SecretStr("only-for-tests"))
UNCONFIGURED = Settings(mode="deployment", anthropic_api_key=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request: all that was sent, and the input that it was rendered from."""

    request: TurnRequest
    given: Given

    @property
    def said(self) -> str:
        return words(self.request.messages)


class WritingLlm:
    """Replies in order, then honestly: as the offline writer would."""

    name = "claude"

    def __init__(self) -> None:
        self._replies: deque[Scripted] = deque()
        self._always: Scripted | None = None
        self.asked: list[Asked] = []

    def then(self, *replies: Scripted) -> None:
        """Answer the next calls with these, in order."""
        self._replies.extend(replies)

    def always(self, reply: Scripted) -> None:
        """Answer every call with this once the others are used up."""
        self._always = reply

    async def stream_turn(self, request: TurnRequest) -> AsyncIterator[StreamPart]:
        given = request.facts["given"]
        self.asked.append(Asked(request=request, given=given))
        scripted = self._replies.popleft() if self._replies else self._always or honest(request)
        reply = scripted if isinstance(scripted, Reply) else scripted(given)
        if reply.text:
            yield TextDelta(text=reply.text)
            yield UsageSoFar(usage=reply.usage)
        if reply.gate is not None:
            await reply.gate.pass_through()
        if reply.error is not None:
            raise reply.error
        yield TurnEnd(
            blocks=(Text(text=reply.text),),
            stop_reason=reply.stop or StopReason.END,
            usage=reply.usage,
        )

    async def check(self, model: str) -> Sequence[Check]:
        return [Check(name="model_reachable", ok=True)]


def honest(request: TurnRequest) -> Reply:
    """What the offline writer says of the same facts."""
    kind = TextKind(request.facts["client_text"])
    return Reply(text=client_text(kind, request.facts["given"]))


def qbr(**changes: Any) -> Callable[[Given], Reply]:
    """An honest draft of a QBR, with some members changed; a function is given the input."""

    def reply(given: Given) -> Reply:
        draft = json.loads(client_text(TextKind.QBR, given))
        for name, value in changes.items():
            draft[name] = value(given) if callable(value) else value
        return Reply(text=json.dumps(draft))

    return reply


def summary(*more: str) -> Callable[[Given], Reply]:
    """An honest summary, with more at its end."""

    def reply(given: Given) -> Reply:
        return Reply(text=" ".join([client_text(TextKind.AI_SUMMARY, given), *more]))

    return reply


class Writers(Engine):
    """The engine with a model that writes about clients."""

    llm: WritingLlm
    settings: Settings = CONFIGURED

    @classmethod
    @asynccontextmanager
    async def of_tenant(
        cls,
        db: Database,
        temporal: Client,
        tenant: TenantMade | None = None,
        settings: Settings = CONFIGURED,
        llms: Mapping[str, Llm] | None = None,
    ) -> AsyncIterator[Self]:
        """A worker for a tenant that is there, or for one of its own."""
        llm = WritingLlm()
        engine = cls(db, temporal, llms or {"claude": llm, "offline": llm})
        engine.llm, engine.settings = llm, settings
        if tenant is None:
            await engine.make_tenant()
        else:
            engine.tenant_id = tenant.id
        async with engine.worker():
            yield engine

    @property
    def tenant(self) -> TenantMade:
        return TenantMade(id=self.tenant_id, admin_id=self.admin.id, member_id=self.admin.id)

    def worker(self) -> Worker:
        container = Container(
            settings=self.settings,
            db=self.db,
            temporal=self.temporal,
            llms=self.llms,
            stripe=build_stripe(self.settings),
        )
        queue = agents_queue(container)
        return build_worker(self.temporal, queue, task_queue=self.queue_name)

    def desk(self) -> "QueueDesk":
        return QueueDesk(Temporal(Settings(), self.temporal), self.tenant_id, self.queue_name)

    async def prepare(
        self, company_id: str, kind: QbrPreparation = QbrPreparation.AI
    ) -> TextStored:
        """Prepare a QBR as the API does."""
        stored: TextStored = await self.desk().result_of(
            QbrPrepWorkflow.run,
            self.about(company_id, kind),
            id=qbr_prep_workflow(company_id, kind),
            kind="qbr-prep",
            static_summary="QBR for Acme",
            patience=timedelta(seconds=30),
        )
        return stored

    async def sum_up(self, company_id: str) -> TextStored:
        """Sum a client up as the API does."""
        stored: TextStored = await self.desk().result_of(
            AiSummaryWorkflow.run,
            self.about(company_id),
            id=ai_summary_workflow(company_id),
            kind="ai-summary",
            static_summary="Summary of Acme",
            patience=timedelta(seconds=30),
        )
        return stored

    async def comment(
        self, company_id: str, period_type: PeriodType = PeriodType.MONTH
    ) -> InsightWritten:
        """Have an insight written, as the last step of a sync does."""
        written: InsightWritten = await self.desk().result_of(
            InsightWorkflow.run,
            WriteInsight(tenant_id=self.tenant_id, company_id=company_id, period_type=period_type),
            id=insight_workflow(company_id, period_type),
            kind="insight",
            static_summary="Insight",
            patience=timedelta(seconds=30),
        )
        return written

    async def sync(self, company_id: str) -> str:
        """Sync a client as the daily dispatcher does; answers what was pulled."""
        words: str = await self.temporal.execute_workflow(
            SyncWorkflow.run,
            SyncOrder(tenant_id=self.tenant_id, company_id=company_id),
            id=sync_workflow(company_id),
            task_queue=self.queue_name,
        )
        return words

    def about(self, company_id: str, kind: QbrPreparation = QbrPreparation.AI) -> PrepareQbr:
        return PrepareQbr(
            tenant_id=self.tenant_id, company_id=company_id, principal_id=self.admin.id, kind=kind
        )


class QueueDesk(Desk):
    """The desk, sending to the queue that the test's worker polls."""

    def __init__(self, temporal: Temporal, tenant_id: str, queue_name: str) -> None:
        super().__init__(temporal, tenant_id)
        self._queue_name = queue_name

    async def result_of(self, run: Any, argument: Any, **options: Any) -> Any:
        return await super().result_of(run, argument, **{"task_queue": self._queue_name} | options)
