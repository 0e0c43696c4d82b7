"""How workflows run short steps that only read or write PostgreSQL."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from temporalio import workflow
from temporalio.workflow import LocalActivityConfig

from workflows import policies

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


async def record(
    step: Callable[[Any, Asked], Awaitable[Answer]], asked: Asked, summary: str | None = None
) -> Answer:
    """Run a step of `policies.RECORD`: a local activity, repeated until PostgreSQL takes it.

    `summary` is for the operator who looks at it.
    """
    policy: LocalActivityConfig = {**policies.RECORD}
    if summary is not None:
        policy["summary"] = summary
    return await workflow.execute_local_activity_method(step, asked, **policy)
