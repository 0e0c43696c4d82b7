"""Signals between workflows that do no harm when the other one is gone."""

import asyncio
from collections.abc import Iterable
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ApplicationError, TemporalError


async def tell(workflow_id: str, signal: str, *message: Any) -> bool:
    """Signal another workflow; False when there is none: the record then tells the story."""
    handle = workflow.get_external_workflow_handle(workflow_id)
    try:
        await handle.signal(signal, args=message)
    except (ApplicationError, TemporalError):
        workflow.logger.info("nobody to tell", extra={"other": workflow_id, "signal": signal})
        return False
    return True


async def tell_all(workflow_ids: Iterable[str], signal: str, *message: Any) -> None:
    """Signal many, in bounded batches: a workflow may have 2,000 signals under way at most."""
    waiting = list(workflow_ids)
    while waiting:
        batch, waiting = waiting[:200], waiting[200:]
        await asyncio.gather(*(tell(one, signal, *message) for one in batch))
