"""A client's sync: every active connection is brought up to date, each by itself.

Source: clients/connections.yaml, rules.sync.
"""

from temporalio import workflow

from activities.platforms.pull_records import PullRecordSteps
from models.contracts.platforms import SYNC, AskSync, NoteStart, SyncOrder
from workflows.steps import record


@workflow.defn(name=SYNC)
class SyncWorkflow:
    """Started with an `ask` by those who want a sync, and bare by the daily schedule."""

    @workflow.init
    def __init__(self, order: SyncOrder) -> None:
        self._order = order
        self._asked = True

    @workflow.run
    async def run(self, order: SyncOrder) -> str:
        """Answer in words what was pulled."""
        await workflow.wait_condition(workflow.all_handlers_finished)
        return ""

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
