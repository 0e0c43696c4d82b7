"""How a model is asked for a text: again where the answer is at fault, and at last given up."""

from dataclasses import dataclass

from temporalio import workflow
from temporalio.exceptions import ActivityError

from activities.people.text_writing import TextSteps
from models.contracts.client_texts import (
    CallModel,
    DiscardText,
    GatherSources,
    StoreText,
    WriteAbout,
)
from models.contracts.insights import WriteInsight
from models.errors import UpstreamFailed
from models.rules.clients.text_answers import MAX_CALLS
from workflows import policies
from workflows.interceptors import refusal_within
from workflows.steps import record
from workflows.visibility import STATE


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """One run that writes one text; what it learns are ids and small facts, never words."""

    tenant_id: str
    company_id: str
    run_id: str

    def gather(self) -> GatherSources:
        """What to gather: everything up to now."""
        return GatherSources(
            tenant_id=self.tenant_id,
            company_id=self.company_id,
            run_id=self.run_id,
            at=workflow.now(),
        )

    def store(self, principal_id: str) -> StoreText:
        """What to store, and for whom."""
        return StoreText(
            tenant_id=self.tenant_id,
            company_id=self.company_id,
            run_id=self.run_id,
            principal_id=principal_id,
        )

    async def write(self) -> None:
        """Ask until an answer can be stored.

        Raises:
            UpstreamFailed: the model failed, or no answer could be taken.
        """
        fault = ""
        for number in range(1, MAX_CALLS + 1):
            say("writing", f"The model is asked, call {number} of at most {MAX_CALLS}{fault}")
            call = CallModel(tenant_id=self.tenant_id, run_id=self.run_id, number=number)
            await self._ask(call)
            say("checking", f"The answer to call {number} is checked against its sources")
            checked = await record(TextSteps.check, call, f"Check the answer to call {number}")
            if checked.fault is None:
                return
            fault = f": {checked.fault}"
        raise UpstreamFailed(f"The model's answer cannot be taken{fault}.")

    async def _ask(self, call: CallModel) -> None:
        summary = f"Ask the model, call {call.number}"
        try:
            await workflow.execute_activity_method(
                TextSteps.write, call, **policies.with_summary(policies.TEXT, summary)
            )
        except ActivityError as failed:
            if refusal_within(failed) is not None:
                raise
            raise UpstreamFailed(f"The model did not answer: {failed.cause}") from failed

    async def give_up(self, because: BaseException) -> None:
        """Put away what is left, and say why."""
        refusal = refusal_within(because)
        say("failed", f"Given up: {refusal.message if refusal else because}")
        given_up = DiscardText(tenant_id=self.tenant_id, run_id=self.run_id)
        await record(TextSteps.discard, given_up, "Put the draft away")


def begin(asked: WriteAbout | WriteInsight) -> Writing:
    """The writing of the present run."""
    return Writing(
        tenant_id=asked.tenant_id, company_id=asked.company_id, run_id=workflow.info().run_id
    )


def say(state: str, details: str) -> None:
    """Tell operators where the run stands."""
    workflow.upsert_search_attributes([STATE.value_set(state)])
    workflow.set_current_details(details)
