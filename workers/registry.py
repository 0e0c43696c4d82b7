"""What runs where: each queue with its workflows and its steps, in one readable list."""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from workers.container import Container


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
    """Campaigns, the agents that work on them, and the approvals they wait for."""
    return Queue(
        name="agents",
        workflows=[],
        steps=[],
    )


def queues(c: Container) -> list[Queue]:
    """All queues of a worker process."""
    return [agents_queue(c)]
