"""A client's sync: every active connection is brought up to date, each by itself.

Source: clients/connections.yaml, rules.sync.
"""

import asyncio
from datetime import timedelta
from typing import Final

from temporalio import workflow

from activities.platforms.pull_records import PullRecordSteps
from models.contracts.insights import WriteInsight
from models.contracts.platforms import (
    LOOK_AGAIN,
    SYNC,
    AskSync,
    NoteStart,
    SurveyConnections,
    SyncOrder,
)
from models.rules.clients.vocabulary import PeriodType
from workflows import visibility
from workflows.platforms.insight import IN_WORDS, have_insight
from workflows.platforms.pulling import ConnectionPull
from workflows.steps import record

STILL_FRESH: Final = timedelta(hours=1)
"""How long a connection is not pulled from again by a sync that goes on."""


@workflow.defn(name=SYNC)
class SyncWorkflow:
    """Started with an `ask` by those who want a sync, and bare by the daily dispatcher."""

    @workflow.init
    def __init__(self, order: SyncOrder) -> None:
        self._order = order
        self._asked = True
        self._name = ""
        self._pulls: dict[str, ConnectionPull] = {}
        self._running: dict[str, asyncio.Task[None]] = {}
        self._insight = "waits for the numbers"

    @workflow.run
    async def run(self, order: SyncOrder) -> str:
        """Answer in words what was pulled."""
        self._tell("syncing")
        while self._asked:
            await self._pull_all()
            await self._comment()
            await workflow.wait_condition(workflow.all_handlers_finished)
        self._tell("synced")
        return self._in_words()

    @workflow.update
    async def ask(self, asked: AskSync) -> None:
        """Return once the history has the event; the sync goes on."""
        self._asked = True
        info = workflow.current_update_info()
        assert info is not None
        if asked.principal_id is None:
            return
        note = NoteStart(
            tenant_id=self._order.tenant_id,
            company_id=self._order.company_id,
            principal_id=asked.principal_id,
            once=f"{workflow.info().first_execution_run_id}:{info.id}",
            at=workflow.now(),
        )
        await record(PullRecordSteps.note_start, note, "Note who asked for the sync")

    @workflow.signal(name=LOOK_AGAIN)
    def look_again(self) -> None:
        """Take the connections that are new, and those whose pull ended a while ago."""
        self._asked = True

    async def _pull_all(self) -> None:
        """Pull from all connections, and from those that come while others are pulled from."""
        while self._asked or self._is_pulling():
            if self._asked:
                self._asked = False
                await self._begin_new()
            await workflow.wait_condition(lambda: self._asked or not self._is_pulling())
        # A fault of ours is to fail this task, which is tried again once the code is mended.
        await asyncio.gather(*self._running.values())

    async def _comment(self) -> None:
        """Have an insight written where there is something new; the sync succeeds without one."""
        self._insight = "is written"
        self._say()
        wanted = WriteInsight(
            tenant_id=self._order.tenant_id,
            company_id=self._order.company_id,
            period_type=PeriodType.MONTH,
        )
        summary = visibility.in_summary(f"Insight about the month of {self._name}")
        self._insight = IN_WORDS[await have_insight(wanted, summary)]
        self._say()

    async def _begin_new(self) -> None:
        survey = SurveyConnections(
            tenant_id=self._order.tenant_id, company_id=self._order.company_id
        )
        found = await record(PullRecordSteps.survey, survey, "Find the connections")
        self._name = found.client_name
        for one in found.connections:
            if self._is_wanted(one.connection_id):
                pull = ConnectionPull(one, self._say)
                self._pulls[one.connection_id] = pull
                self._running[one.connection_id] = asyncio.create_task(pull.sync())
        self._say()

    def _is_wanted(self, connection_id: str) -> bool:
        """Whoever asks while one platform rests for hours is to have the numbers of the others."""
        pull = self._pulls.get(connection_id)
        if pull is None:
            return True
        return pull.ended_at is not None and workflow.now() - pull.ended_at > STILL_FRESH

    def _is_pulling(self) -> bool:
        return not all(task.done() for task in self._running.values())

    def _tell(self, state: str) -> None:
        # The dispatcher starts it bare.
        found = visibility.attributes(
            tenant_id=self._order.tenant_id, campaign_id="", kind=SYNC, status=state
        )
        workflow.upsert_search_attributes([pair.key.value_set(pair.value) for pair in found])
        self._say()

    def _say(self) -> None:
        workflow.set_current_details(self._in_words())

    def _in_words(self) -> str:
        pulls = [f"- {pull.in_words}" for pull in self._pulls.values()]
        insight = f"- Insight: {self._insight}"
        return "\n".join([f"Sync of {self._name or 'a client'}", *pulls, insight])
