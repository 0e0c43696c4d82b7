"""What runs where: each queue with its workflows and its steps, in one readable list."""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from activities.agents.agent_activities import AgentActivitySteps
from activities.agents.agent_checks import AgentCheckSteps
from activities.agents.approvals import ApprovalSteps
from activities.agents.campaigns import CampaignSteps
from activities.agents.reconciliation import ReconcilerSteps
from activities.agents.run_ends import RunEndSteps
from activities.agents.runs import RunSteps
from activities.agents.tool_calls import ToolSteps
from activities.agents.turns import TurnSteps
from activities.people.ai_summaries import AiSummarySteps
from activities.people.qbr_prep import QbrPrepSteps
from activities.people.revenue_dispatch import RevenueDispatchSteps
from activities.people.revenue_recalculation import RevenueSteps
from activities.people.stripe import StripeSteps
from activities.people.text_writing import TextSteps
from activities.platforms.asking import Asking
from activities.platforms.insights import InsightSteps
from activities.platforms.pull_records import PullRecordSteps
from activities.platforms.pulls import PullSteps
from activities.platforms.results_qbr import ResultsQbrSteps
from activities.platforms.sync_dispatch import SyncDispatchSteps
from activities.tools.registry import build as build_toolbox
from workers.container import Container
from workflows import policies
from workflows.agents.agent_activities import AgentActivityWorkflow
from workflows.agents.agent_checks import AgentCheckWorkflow
from workflows.agents.approvals import ApprovalWorkflow
from workflows.agents.campaigns import CampaignWorkflow
from workflows.agents.maintenance import MaintenanceWorkflow
from workflows.people.ai_summary import AiSummaryWorkflow
from workflows.people.qbr_prep import QbrPrepWorkflow
from workflows.people.revenue_recalculation import (
    RevenueDispatchWorkflow,
    RevenueRecalculationWorkflow,
)
from workflows.platforms.backfill import BackfillWorkflow
from workflows.platforms.insight import InsightWorkflow
from workflows.platforms.sync import SyncWorkflow
from workflows.platforms.sync_dispatch import SyncDispatchWorkflow

WORKFLOWS: Final[Sequence[type]] = (
    CampaignWorkflow,
    AgentActivityWorkflow,
    ApprovalWorkflow,
    AgentCheckWorkflow,
    MaintenanceWorkflow,
    QbrPrepWorkflow,
    AiSummaryWorkflow,
    InsightWorkflow,
    RevenueRecalculationWorkflow,
    RevenueDispatchWorkflow,
    SyncWorkflow,
    BackfillWorkflow,
    SyncDispatchWorkflow,
)
"""Every workflow that workers run, and that saved histories are replayed with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """A task queue; `steps` are objects whose decorated methods are the queue's activities."""

    name: str
    workflows: Sequence[type]
    steps: Sequence[object]

    def activities(self) -> list[Callable[..., Any]]:
        """Every step of every object, bound to it."""
        return [
            method
            for owner in self.steps
            for _, method in inspect.getmembers(owner, inspect.ismethod)
            if hasattr(method, "__temporal_activity_definition")
        ]


def agents_queue(c: Container) -> Queue:
    """Campaigns, agents and approvals, and the texts about clients."""
    toolbox = build_toolbox(c.db)
    return Queue(
        name=policies.TASK_QUEUE,
        workflows=WORKFLOWS,
        steps=[
            CampaignSteps(c.db),
            AgentActivitySteps(c.db),
            RunSteps(c.db, toolbox, c.writer),
            TurnSteps(c.db, c.llms, toolbox, max_output_tokens=c.settings.max_output_tokens),
            ToolSteps(c.db, toolbox),
            RunEndSteps(c.db),
            ApprovalSteps(c.db),
            ReconcilerSteps(c.db, c.temporal),
            AgentCheckSteps(c.db, c.llms, adapter=c.settings.llm, model=c.settings.default_model),
            TextSteps(c.db, c.llms, max_output_tokens=c.settings.max_output_tokens),
            QbrPrepSteps(c.db, c.text_writer),
            AiSummarySteps(c.db, c.text_writer),
            InsightSteps(c.db, c.text_writer),
            ResultsQbrSteps(c.db, c.text_writer),
            RevenueSteps(c.db),
            RevenueDispatchSteps(c.db, c.temporal),
            StripeSteps(c.db, c.stripe),
            PullRecordSteps(c.db),
            PullSteps(c.db, Asking(c.db, c.keys)),
            SyncDispatchSteps(c.db, c.temporal),
        ],
    )


def queues(c: Container) -> list[Queue]:
    """All queues of a worker process."""
    return [agents_queue(c)]
