"""A tenant's recalculation of revenue scores and tiers, and the monthly word to all tenants.

Source: clients/tier_scores.yaml, rules.recalculation, and clients/common.yaml, rules.workflows.
"""

import asyncio
import contextlib
from dataclasses import replace
from datetime import timedelta
from typing import Final

from temporalio import workflow
from temporalio.exceptions import ActivityError, CancelledError

from activities.people.revenue_dispatch import RevenueDispatchSteps
from activities.people.revenue_recalculation import RevenueSteps
from models.contracts.revenue import (
    DISPATCH,
    IMPORT,
    RECALCULATION,
    DispatchRecalculations,
    Entry,
    FindLinked,
    Progress,
    Recalculate,
    Recalculated,
    RecalculateRevenue,
    Rescore,
    RevenueScope,
)
from models.contracts.stripe import ImportStripeRevenue
from models.errors import Invalid, Unavailable
from models.rules.clients.revenue import revenue_window
from workflows import policies, visibility
from workflows.people.recalculation_queue import RecalculationQueue
from workflows.renewal import renewed
from workflows.steps import record

IMPORTS_AT_ONCE: Final = 4
"""Imports of one tenant that run at the same time; Stripe counts calls by the account."""
RETRY_AFTER_S: Final = 10
COMPANIES: Final = 1000
"""How many companies one update may name."""
_UNASKED: Final = timedelta(minutes=1)


@workflow.defn(name=RECALCULATION)
class RevenueRecalculationWorkflow:
    """Works a queue of scopes, one at a time, and ends when nobody wants anything of it."""

    @workflow.init
    def __init__(self, order: RecalculateRevenue) -> None:
        self._order = order
        self._queue = RecalculationQueue(order.carried)
        self._steps = 0
        self._renewing = False
        self._state = ""

    @workflow.run
    async def run(self, order: RecalculateRevenue) -> str:
        """Work until the queue is empty and nobody is owed a result; answers how much that was."""
        with contextlib.suppress(TimeoutError):
            await workflow.wait_condition(
                self._has_work, timeout=None if order.carried else _UNASKED
            )
        while True:
            while (entry := self._queue.current()) is not None:
                if not await self._work(entry):
                    await self._renew()
            if not await self._is_asked_again():
                return "nobody is waiting"

    # What can be said to it

    @workflow.update
    async def recalculate(self, asked: Recalculate) -> Recalculated | None:
        """Take a scope; answers its result, or nothing to those who do not wait for it."""
        info = workflow.current_update_info()
        assert info is not None
        number = self._queue.join(info.id, asked)
        if asked.patience_s is None:
            return None
        with contextlib.suppress(TimeoutError):
            await workflow.wait_condition(
                lambda: self._renewing or self._queue.result(number) is not None,
                timeout=asked.patience_s,
                timeout_summary="patience of a caller",
            )
        result = self._queue.result(number)
        if result is not None:
            self._queue.answered(number, info.id)
            return result
        if self._renewing:
            raise renewed()
        self._queue.left(number, info.id)
        raise Unavailable(
            "The recalculation goes on; ask again for its result.", retry_after=RETRY_AFTER_S
        )

    @recalculate.validator
    def _check(self, asked: Recalculate) -> None:
        if asked.company_ids is not None and not 0 < len(asked.company_ids) <= COMPANIES:
            raise Invalid(f"A scope names from 1 to {COMPANIES} companies, or none for all.")

    # A scope

    async def _work(self, entry: Entry) -> bool:
        """Go through a scope; False when the workflow should continue as new before its end."""
        scope = RevenueScope(tenant_id=self._order.tenant_id, company_ids=entry.company_ids)
        progress = entry.progress or await self._begin(scope)
        done = False
        while not done:
            self._queue.advance(entry.number, progress)
            self._say(progress)
            if self._is_long():
                return False
            if not progress.imported:
                progress = await self._import(scope, progress)
                continue
            progress, done = await self._rescore(scope, entry.number, progress)
        self._queue.advance(entry.number, progress)
        self._queue.end(entry.number, workflow.now())
        self._say(progress, ended=True)
        return True

    async def _begin(self, scope: RevenueScope) -> Progress:
        surveyed = await record(RevenueSteps.survey, scope)
        return Progress(
            name=surveyed.tenant_name, clients=surveyed.clients, today=workflow.now().date()
        )

    async def _import(self, scope: RevenueScope, progress: Progress) -> Progress:
        """Import the billing of the companies with a link that come next."""
        limit = self._order.pace.links
        find = FindLinked(scope=scope, after=progress.after, limit=limit)
        linked = await record(RevenueSteps.linked, find)
        room = asyncio.Semaphore(IMPORTS_AT_ONCE)
        came = await asyncio.gather(*(self._import_one(one, progress, room) for one in linked))
        failed = tuple(one for one, came_in in zip(linked, came, strict=True) if not came_in)
        return replace(
            progress,
            imported=True,
            until=linked[-1] if len(linked) == limit else None,
            without=failed,
            left_out=progress.left_out + len(failed),
        )

    async def _import_one(
        self, company_id: str, progress: Progress, room: asyncio.Semaphore
    ) -> bool:
        window = revenue_window(progress.today)
        order = ImportStripeRevenue(
            tenant_id=self._order.tenant_id,
            company_id=company_id,
            first=window.first,
            end=window.end,
        )
        policy = policies.with_summary(policies.BILLING, f"Import billing of {company_id}")
        async with room:
            try:
                await workflow.execute_activity(IMPORT, order, **policy)
            except ActivityError as error:
                if isinstance(error.cause, CancelledError):
                    raise
                workflow.logger.warning("billing not imported", extra={"company": company_id})
                return False
        return True

    async def _rescore(
        self, scope: RevenueScope, number: int, progress: Progress
    ) -> tuple[Progress, bool]:
        """Score some batches of clients anew; tells whether that was the last of the scope."""
        pace = self._order.pace
        order = Rescore(
            scope=scope,
            # Runs that continue each other have the first one's id in common.
            once=f"{workflow.info().first_execution_run_id}:{number}",
            today=progress.today,
            after=progress.after,
            until=progress.until,
            without=progress.without,
            clients=pace.clients,
            batches=pace.batches,
        )
        words = f"Score clients {progress.seen + 1:,} and following of {progress.clients:,}"
        policy = policies.with_summary(policies.RESCORE, words)
        came = await workflow.execute_activity_method(RevenueSteps.rescore, order, **policy)
        self._steps += 1
        progress = replace(
            progress,
            after=came.after,
            seen=progress.seen + came.seen,
            updated=progress.updated + came.updated,
            tier_changes=progress.tier_changes + came.tier_changes,
        )
        if not came.done:
            return progress, False
        if progress.until is None:
            return progress, True
        return replace(progress, after=progress.until, imported=False, without=()), False

    # Its end, and its next run

    def _has_work(self) -> bool:
        return self._queue.current() is not None

    def _is_long(self) -> bool:
        if workflow.info().is_continue_as_new_suggested():
            return True
        return self._steps >= self._order.pace.steps

    async def _is_asked_again(self) -> bool:
        """Wait for callers who are owed a result; True when one of them wants more."""
        while (until := self._queue.owed_until(workflow.now())) is not None:
            with contextlib.suppress(TimeoutError):
                await workflow.wait_condition(
                    lambda: self._has_work() or self._queue.owed_until(workflow.now()) is None,
                    timeout=until - workflow.now(),
                    timeout_summary="callers who may come back",
                )
            if self._has_work():
                return True
        await workflow.wait_condition(lambda: self._has_work() or workflow.all_handlers_finished())
        return self._has_work()

    async def _renew(self) -> None:
        """Send the callers to the next run, which goes on where this one stops."""
        self._renewing = True
        await workflow.wait_condition(workflow.all_handlers_finished)
        workflow.continue_as_new(replace(self._order, carried=self._queue.carried()))

    def _say(self, progress: Progress, *, ended: bool = False) -> None:
        state = "recalculated" if ended else "recalculating"
        if state != self._state:
            self._state = state
            # The schedule's dispatcher starts it bare.
            found = visibility.attributes(
                tenant_id=self._order.tenant_id, campaign_id="", kind=RECALCULATION, status=state
            )
            workflow.upsert_search_attributes([pair.key.value_set(pair.value) for pair in found])
        workflow.set_current_details(_in_words(progress, ended=ended))


def _in_words(progress: Progress, *, ended: bool) -> str:
    verb = "Recalculated" if ended else "Recalculating"
    parts = [
        f"{verb} revenue of {progress.name}: {progress.seen:,} of {progress.clients:,} clients",
        f"{progress.updated:,} updated",
        f"{progress.tier_changes:,} tiers changed",
    ]
    if progress.left_out:
        parts.append(
            f"{progress.left_out:,} left as they were, since their billing could not be imported"
        )
    return ", ".join(parts)


@workflow.defn(name=DISPATCH)
class RevenueDispatchWorkflow:
    """Has every tenant recalculate; a schedule starts it once a month."""

    @workflow.run
    async def run(self) -> str:
        """Tell all tenants; answers in words how many there were."""
        order = DispatchRecalculations(today=workflow.now().date())
        policy = policies.with_summary(policies.RESCORE, "Have every tenant recalculate")
        told = await workflow.execute_activity_method(
            RevenueDispatchSteps.dispatch, order, **policy
        )
        return f"{told.tenants} tenants recalculate"
