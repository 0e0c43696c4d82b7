"""The summary of the relationship with a client, by a model."""

from temporalio import workflow
from temporalio.exceptions import ActivityError

from activities.people.ai_summaries import AiSummarySteps
from models.contracts.client_texts import TextStored, WriteAbout
from models.errors import DomainError
from workflows.people.text_writing import begin, say
from workflows.steps import record


@workflow.defn(name="ai-summary")
class AiSummaryWorkflow:
    """Gathers what is known, has it summed up, checks every word of it, and stores the summary."""

    @workflow.run
    async def run(self, asked: WriteAbout) -> TextStored:
        """Answer the id of the company; the last summary stays when the model fails."""
        writing = begin(asked)
        say("gathering", "What is known of the client is gathered")
        gathered = await record(AiSummarySteps.gather, writing.gather(), "Gather the sources")
        if gathered.is_current:
            say("done", "The stored summary is still current")
            return TextStored(id=asked.company_id)
        try:
            await writing.write()
            say("storing", "The summary is stored")
            store = writing.store(asked.principal_id)
            stored = await record(AiSummarySteps.store, store, "Store the summary")
        except (DomainError, ActivityError) as failed:
            await writing.give_up(failed)
            raise
        say("done", "The summary is stored")
        return stored
