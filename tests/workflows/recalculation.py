"""A tenant's recalculation with steps that a test can hold, fail and count."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Self

from temporalio import activity
from temporalio.client import Client, WorkflowHandle
from temporalio.worker import Worker

from api.http.commands import Desk
from api.http.services import Temporal
from models.contracts.revenue import (
    RECALCULATION,
    SUMMARY,
    FindLinked,
    Pace,
    Recalculate,
    Recalculated,
    RecalculateRevenue,
    Rescore,
    Rescored,
    RevenueScope,
    Surveyed,
    recalculation_workflow,
)
from models.contracts.stripe import ImportStripeRevenue
from models.ids import new_id
from models.settings import Settings
from workers.sandbox import sandboxed_runner
from workflows.people.revenue_recalculation import (
    RevenueDispatchWorkflow,
    RevenueRecalculationWorkflow,
)

WAIT = timedelta(seconds=20)


@dataclass
class Ledger:
    """The steps' doubles: a tenant with so many clients, c001 and on, each of which is updated."""

    clients: int = 12
    linked: tuple[str, ...] = ()
    unreachable: tuple[str, ...] = ()
    """Companies whose import fails whenever it is tried."""
    scopes: list[tuple[str, ...] | None] = field(default_factory=list)
    rescored: list[Rescore] = field(default_factory=list)
    imports: Counter[str] = field(default_factory=Counter)
    importing: int = 0
    most_importing: int = 0
    held: asyncio.Event | None = None
    reached: asyncio.Event = field(default_factory=asyncio.Event)

    def hold(self) -> None:
        """Let the next batch wait until `go_on`."""
        self.held = asyncio.Event()
        self.reached.clear()

    def go_on(self) -> None:
        assert self.held is not None
        self.held.set()
        self.held = None

    def _of(self, scope: RevenueScope) -> list[str]:
        everybody = [f"c{number:03}" for number in range(1, self.clients + 1)]
        wanted = scope.company_ids
        return [one for one in everybody if wanted is None or one in wanted]

    @activity.defn(name="revenue.survey")
    async def survey(self, scope: RevenueScope) -> Surveyed:
        self.scopes.append(scope.company_ids)
        return Surveyed(tenant_name="Aster", clients=len(self._of(scope)))

    @activity.defn(name="revenue.linked")
    async def find(self, find: FindLinked) -> tuple[str, ...]:
        named = find.scope.company_ids
        after = [one for one in self.linked if one > find.after and (not named or one in named)]
        return tuple(after[: find.limit])

    @activity.defn(name="stripe.import_revenue")
    async def import_revenue(self, order: ImportStripeRevenue) -> None:
        self.imports[order.company_id] += 1
        self.importing += 1
        self.most_importing = max(self.most_importing, self.importing)
        await asyncio.sleep(0.02)
        self.importing -= 1
        if order.company_id in self.unreachable:
            raise ConnectionError("Stripe does not answer")

    @activity.defn(name="revenue.rescore")
    async def rescore(self, order: Rescore) -> Rescored:
        self.reached.set()
        if self.held is not None:
            await self.held.wait()
        self.rescored.append(order)
        until = order.until or "~"
        rest = [one for one in self._of(order.scope) if order.after < one <= until]
        mine = rest[: order.clients * order.batches]
        counted = set(mine) - set(order.without)
        count, changed = len(counted), sum(int(one[1:]) % 3 == 0 for one in counted)
        return Rescored(
            after=mine[-1] if mine else order.after, done=mine == rest, seen=count,
            updated=count, tier_changes=changed,
        )  # fmt: skip


class Bookkeeper:
    """Asks for recalculations as the API does."""

    def __init__(self, temporal: Client, pace: Pace | None = None) -> None:
        self.tenant_id = new_id()
        self.queue_name = f"revenue-{self.tenant_id}"
        self.temporal = temporal
        self.ledger = Ledger()
        self.desk = Desk(Temporal(Settings(), temporal), self.tenant_id)
        self.pace = pace or Pace()

    @classmethod
    @asynccontextmanager
    async def at_work(cls, temporal: Client, pace: Pace | None = None) -> AsyncIterator[Self]:
        """A bookkeeper and a worker, until the test is over."""
        keeper = cls(temporal, pace)
        async with keeper.worker():
            yield keeper

    def worker(self) -> Worker:
        """A worker with the doubles, in the sandbox."""
        ledger = self.ledger
        steps: list[Callable[..., Any]] = [
            ledger.survey,
            ledger.find,
            ledger.import_revenue,
            ledger.rescore,
        ]
        return Worker(
            self.temporal,
            task_queue=self.queue_name,
            workflows=[RevenueRecalculationWorkflow, RevenueDispatchWorkflow],
            activities=steps,
            workflow_runner=sandboxed_runner(),
        )

    @property
    def id(self) -> str:
        return recalculation_workflow(self.tenant_id)

    @property
    def order(self) -> RecalculateRevenue:
        return RecalculateRevenue(tenant_id=self.tenant_id, pace=self.pace)

    @property
    def handle(self) -> WorkflowHandle[Any, Any]:
        return self.temporal.get_workflow_handle(self.id)

    async def ask(
        self, *company_ids: str, patience: float = WAIT.total_seconds()
    ) -> Recalculated | None:
        """Wait for the result of all clients, or of some companies."""
        return await self.desk.update_with_start(
            RevenueRecalculationWorkflow.run,
            self.order,
            RevenueRecalculationWorkflow.recalculate,
            Recalculate(company_ids=company_ids or None, patience_s=patience),
            id=self.id, kind=RECALCULATION, status="recalculating", static_summary=SUMMARY,
            task_queue=self.queue_name, patience=timedelta(seconds=patience + 5), retry_after=10,
        )  # fmt: skip

    async def tell(self, *company_ids: str) -> None:
        """Ask for it without waiting."""
        await self.desk.tell_with_start(
            RevenueRecalculationWorkflow.run,
            self.order,
            RevenueRecalculationWorkflow.recalculate,
            Recalculate(company_ids=company_ids or None),
            id=self.id, kind=RECALCULATION, static_summary=SUMMARY, task_queue=self.queue_name,
        )  # fmt: skip

    async def runs(self) -> int:
        """How many runs there have been, those that continued as new included."""
        handle = self.handle
        latest, count = (await handle.describe()).run_id, 0
        run_id: str | None = latest
        while run_id:
            count += 1
            one = self.temporal.get_workflow_handle(self.id, run_id=run_id)
            history = await one.fetch_history()
            started = history.events[0].workflow_execution_started_event_attributes
            run_id = started.continued_execution_run_id
        return count
