"""A client's backfill: the days before today, from every active connection to an ad platform.

Source: clients/connections.yaml, rules.backfill.
"""

import asyncio

from temporalio import workflow

from activities.platforms.pull_records import PullRecordSteps
from models.contracts.platforms import (
    BACKFILL,
    BackfillOrder,
    BackfillProgress,
    NoteStart,
    SurveyConnections,
)
from workflows import visibility
from workflows.platforms.pulling import ConnectionPull
from workflows.steps import record


@workflow.defn(name=BACKFILL)
class BackfillWorkflow:
    """Its id is the lock: a second backfill of the client cannot start while it runs."""

    @workflow.init
    def __init__(self, order: BackfillOrder) -> None:
        self._order = order
        self._name = ""
        self._pulls: list[ConnectionPull] = []

    @workflow.run
    async def run(self, order: BackfillOrder) -> str:
        """Answer in words what was pulled."""
        self._tell("backfilling")
        await self._note_start()
        survey = SurveyConnections(
            tenant_id=order.tenant_id, company_id=order.company_id, only_ads=True
        )
        found = await record(PullRecordSteps.survey, survey, "Find the ad platforms")
        self._name = found.client_name
        self._pulls = [ConnectionPull(one, self._say) for one in found.connections]
        await asyncio.gather(*(pull.backfill(order.days) for pull in self._pulls))
        self._tell("backfilled")
        return self._in_words()

    @workflow.query
    def progress(self) -> BackfillProgress:
        """How far it is."""
        return BackfillProgress(
            connections=len(self._pulls),
            windows=sum(pull.windows for pull in self._pulls),
            windows_done=sum(pull.windows_done for pull in self._pulls),
            rows=sum(pull.rows for pull in self._pulls),
        )

    async def _note_start(self) -> None:
        note = NoteStart(
            tenant_id=self._order.tenant_id,
            company_id=self._order.company_id,
            principal_id=self._order.principal_id,
            once=workflow.info().first_execution_run_id,
            at=workflow.now(),
            days=self._order.days,
        )
        await record(PullRecordSteps.note_start, note, "Note who asked for the backfill")

    def _tell(self, state: str) -> None:
        workflow.upsert_search_attributes([visibility.STATE.value_set(state)])
        self._say()

    def _say(self) -> None:
        workflow.set_current_details(self._in_words())

    def _in_words(self) -> str:
        title = f"Backfill of {self._order.days} days of {self._name or 'a client'}"
        return "\n".join([title, *(f"- {pull.in_words}" for pull in self._pulls)])
