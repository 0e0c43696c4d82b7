"""How workflows run: bare in production, in the sandbox where tests and replays look for chance.

In the sandbox each run imports its module anew; what is passed through is imported once. Matching
is by dotted prefix, so `models` does not touch a vendor's package of that name.
"""

from typing import Final

from temporalio.worker import UnsandboxedWorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

PASSED_THROUGH: Final = (
    "models",
    "activities",
    "pydantic",
    "pydantic_core",
    "annotated_types",
    "cryptography",
)


def production_runner() -> UnsandboxedWorkflowRunner:
    """The linter keeps clock and chance out of workflows, so production spares itself the cost."""
    return UnsandboxedWorkflowRunner()


def sandboxed_runner() -> SandboxedWorkflowRunner:
    """For tests and replays: a call to the clock or to chance fails the workflow task."""
    restrictions = SandboxRestrictions.default.with_passthrough_modules(*PASSED_THROUGH)
    return SandboxedWorkflowRunner(restrictions=restrictions)
