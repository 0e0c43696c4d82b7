"""A client's backfill: the days before today, from every active connection to an ad platform.

Source: clients/connections.yaml, rules.backfill.
"""

from temporalio import workflow

from activities.platforms.pull_records import PullRecordSteps
from models.contracts.platforms import BACKFILL, BackfillOrder, NoteStart
from workflows.steps import record


@workflow.defn(name=BACKFILL)
class BackfillWorkflow:
    """Its id is the lock: a second backfill of the client cannot start while it runs."""

    @workflow.run
    async def run(self, order: BackfillOrder) -> str:
        """Answer in words what was pulled."""
        note = NoteStart(
            tenant_id=order.tenant_id,
            company_id=order.company_id,
            principal_id=order.principal_id,
            once=workflow.info().first_execution_run_id,
            at=workflow.now(),
            days=order.days,
        )
        await record(PullRecordSteps.note_start, note, "Note who asked for the backfill")
        return ""
