"""Signs of life of a step, so that the death of its worker is noticed within seconds."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

from temporalio import activity

_INTERVAL_S: Final = 1.0


@asynccontextmanager
async def heartbeats(progress: Callable[[], Any] | None = None) -> AsyncIterator[None]:
    """Send a heartbeat every second until the block ends, with how far it is where it tells."""
    if not activity.in_activity():
        yield
        return
    beating = asyncio.create_task(_beat(progress))
    try:
        yield
    finally:
        beating.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await beating


async def _beat(progress: Callable[[], Any] | None) -> None:
    while True:
        activity.heartbeat(*(() if progress is None else (progress(),)))
        await asyncio.sleep(_INTERVAL_S)
