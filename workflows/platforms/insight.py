"""An insight into a client's numbers, by a model; nothing that needs one fails without it.

Source: clients/results.yaml, rules.insight.
"""

from datetime import timedelta
from typing import Final

from temporalio import workflow
from temporalio.exceptions import (
    ActivityError,
    ChildWorkflowError,
    WorkflowAlreadyStartedError,
    is_cancelled_exception,
)

from activities.platforms.insights import InsightSteps
from models.contracts.insights import (
    GatherInsight,
    InsightOutcome,
    InsightWritten,
    StoreInsight,
    WriteInsight,
)
from models.errors import DomainError
from workflows.people.text_writing import begin, say
from workflows.steps import record
from workflows.visibility import attributes, insight_workflow

_PATIENCE: Final = timedelta(minutes=30)
"""How long whoever needs an insight waits for it; three calls, tried thrice each, take ten."""
IN_WORDS: Final = {
    InsightOutcome.WRITTEN: "a new one is stored",
    InsightOutcome.CURRENT: "none is needed, the newest one was made of the same",
    InsightOutcome.NO_NUMBERS: "none, nothing is stored of the period",
    InsightOutcome.NO_MODEL: "none, no model is configured",
    InsightOutcome.FAILED: "none, the model failed",
}
"""What became of an insight, for operators."""


@workflow.defn(name="insight")
class InsightWorkflow:
    """Gathers the numbers of a period, has them commented on, checks every word, and stores it."""

    @workflow.run
    async def run(self, asked: WriteInsight) -> InsightWritten:
        """Answer what became of it; a model that fails leaves no insight."""
        writing = begin(asked)
        say("gathering", "The numbers of the period are gathered")
        gather = GatherInsight(
            tenant_id=asked.tenant_id,
            company_id=asked.company_id,
            run_id=writing.run_id,
            at=workflow.now(),
            period_type=asked.period_type,
            period_end=asked.period_end,
        )
        gathered = await record(InsightSteps.gather, gather, "Gather the numbers of the period")
        if gathered.outcome is not None:
            say("done", f"Insight: {IN_WORDS[gathered.outcome]}")
            return InsightWritten(outcome=gathered.outcome)
        try:
            await writing.write()
            say("storing", "The insight is stored")
            store = StoreInsight(
                tenant_id=asked.tenant_id, company_id=asked.company_id, run_id=writing.run_id
            )
            written = await record(InsightSteps.store, store, "Store the insight")
        except (DomainError, ActivityError) as failed:
            await writing.give_up(failed)
            if is_cancelled_exception(failed):
                raise
            return InsightWritten(outcome=InsightOutcome.FAILED)
        say("done", "The insight is stored")
        return written


async def have_insight(asked: WriteInsight, summary: str) -> InsightOutcome:
    """Have a child write an insight; whatever becomes of it, the caller goes on."""
    try:
        written = await workflow.execute_child_workflow(
            InsightWorkflow.run,
            asked,
            id=insight_workflow(asked.company_id, asked.period_type),
            execution_timeout=_PATIENCE,
            static_summary=summary,
            search_attributes=attributes(
                tenant_id=asked.tenant_id, campaign_id="", kind="insight", status="running"
            ),
        )
    except (ChildWorkflowError, WorkflowAlreadyStartedError) as failed:
        if is_cancelled_exception(failed):
            raise
        workflow.logger.warning("There is no insight: %s", failed)
        return InsightOutcome.FAILED
    return written.outcome
