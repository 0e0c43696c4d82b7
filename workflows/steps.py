"""How workflows run short steps that only read or write PostgreSQL."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from temporalio import workflow

from workflows import policies

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


async def record(step: Callable[[Any, Asked], Awaitable[Answer]], asked: Asked) -> Answer:
    """Run a step of `policies.RECORD`: a local activity, repeated until PostgreSQL takes it."""
    return await workflow.execute_local_activity_method(step, asked, **policies.RECORD)
