"""The preparation of a client's QBR by a model."""

from temporalio import workflow
from temporalio.exceptions import ActivityError

from activities.people.qbr_prep import QbrPrepSteps
from models.contracts.client_texts import TextStored, WriteAbout
from models.errors import DomainError
from workflows.people.text_writing import begin, say
from workflows.steps import record


@workflow.defn(name="qbr-prep")
class QbrPrepWorkflow:
    """Gathers what happened, has it written up, checks every word of it, and stores the draft."""

    @workflow.run
    async def run(self, asked: WriteAbout) -> TextStored:
        """Answer the id of the QBR; nothing is stored when the model fails."""
        writing = begin(asked)
        say("gathering", "What happened since the last QBR is gathered")
        await record(QbrPrepSteps.gather, writing.gather(), "Fix the window and gather the sources")
        try:
            await writing.write()
            say("storing", "The draft is stored")
            stored = await record(QbrPrepSteps.store, writing.store(), "Store the QBR as a draft")
        except (DomainError, ActivityError) as failed:
            await writing.give_up(failed)
            raise
        say("done", f"The QBR {stored.id} is a draft")
        return stored
