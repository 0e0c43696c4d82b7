"""The health check of an agent's adapter, run where the adapters are."""

from temporalio import workflow
from temporalio.exceptions import ActivityError

from activities.agents.agent_checks import AgentCheckSteps
from models.contracts.agent_checks import AgentCheckResult, CheckAgent, unanswered
from workflows import policies

_WITHIN_S = 30


@workflow.defn(name="agent-check")
class AgentCheckWorkflow:
    """Tries an adapter once; a check that fails or does not answer is a result, not an error."""

    @workflow.run
    async def run(self, asked: CheckAgent) -> AgentCheckResult:
        """Answer what came of it, within half a minute."""
        try:
            return await workflow.execute_activity_method(
                AgentCheckSteps.check,
                asked,
                **(policies.CHECK | {"summary": f"Check the adapter of {asked.role}"}),
            )
        except ActivityError:
            return unanswered(_WITHIN_S)
