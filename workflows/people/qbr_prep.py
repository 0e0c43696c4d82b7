"""The preparation of a client's QBR: by a model from everything, or from the quarter's results."""

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

from activities.people.qbr_prep import QbrPrepSteps
from activities.platforms.results_qbr import ResultsQbrSteps
from models.contracts.client_texts import GatherSources, PrepareQbr, TextStored
from models.contracts.insights import WriteInsight
from models.errors import DomainError
from models.rules.clients.qbrs import QbrPreparation
from models.rules.clients.vocabulary import PeriodType
from workflows.people.text_writing import Writing, begin, say
from workflows.platforms.insight import have_insight
from workflows.steps import record


@workflow.defn(name="qbr-prep")
class QbrPrepWorkflow:
    """Gathers what happened, has it written up, checks every word of it, and stores the draft."""

    @workflow.run
    async def run(self, asked: PrepareQbr) -> TextStored:
        """Answer the id of the QBR.

        From everything, nothing is stored when the model fails; from results, a template stands in.
        """
        writing = begin(asked)
        if asked.kind is QbrPreparation.RESULTS:
            return await _from_results(asked, writing)
        say("gathering", "What happened since the last QBR is gathered")
        await record(QbrPrepSteps.gather, writing.gather(), "Fix the window and gather the sources")
        try:
            await writing.write()
            say("storing", "The draft is stored")
            store = writing.store(asked.principal_id)
            stored = await record(QbrPrepSteps.store, store, "Store the QBR as a draft")
        except (DomainError, ActivityError) as failed:
            await writing.give_up(failed)
            raise
        say("done", f"The QBR {stored.id} is a draft")
        return stored


async def _from_results(asked: PrepareQbr, writing: Writing) -> TextStored:
    gather = writing.gather()
    say("looking", "The numbers of the quarter are looked at")
    seen = await record(ResultsQbrSteps.look, gather, "Look at the numbers of the quarter")
    if seen.needs_insight:
        await _insight(asked, gather)
    say("gathering", "The metrics of the quarter and the newest insight are gathered")
    await record(ResultsQbrSteps.gather, gather, "Keep the metrics and the newest insight")
    try:
        words = await _words(writing) if seen.has_model else "no model is configured"
        say("storing", "The draft and the client's date are stored")
        store = writing.store(asked.principal_id)
        stored = await record(ResultsQbrSteps.store, store, "Store the QBR and the client's date")
    except (DomainError, ActivityError) as failed:
        await writing.give_up(failed)
        raise
    by = f", written by the template: {words}" if words else ""
    say("done", f"The QBR {stored.id} is a draft{by}")
    return stored


async def _insight(asked: PrepareQbr, gather: GatherSources) -> None:
    say("insight", "An insight about the quarter is written first")
    wanted = WriteInsight(
        tenant_id=asked.tenant_id,
        company_id=asked.company_id,
        period_type=PeriodType.QUARTER,
        period_end=gather.at.date(),
    )
    await have_insight(wanted, "Insight about the quarter, for a QBR")


async def _words(writing: Writing) -> str | None:
    """Have a model write; answers why the template has to stand in where it does."""
    try:
        await writing.write()
    except (DomainError, ActivityError) as failed:
        if is_cancelled_exception(failed):
            raise
        return "the model failed"
    return None
