"""Updates that start their workflow, when they fail."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from temporalio.client import WithStartWorkflowOperation


@contextmanager
def heard(beginning: WithStartWorkflowOperation[Any, Any]) -> Iterator[None]:
    """Take note of why the start failed: the update's own error says it already.

    The SDK keeps the failure for whoever asks for the workflow's handle. Where nobody does, it is
    logged as an error that was lost, in the middle of whatever else runs just then.
    """
    try:
        yield
    finally:
        started = beginning._workflow_handle
        if started.done() and not started.cancelled():
            started.exception()
