"""Signs of life of a step, so that the death of its worker is noticed within seconds."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from temporalio import activity

_INTERVAL_S: Final = 1.0


@asynccontextmanager
async def heartbeats() -> AsyncIterator[None]:
    """Send a heartbeat every second until the block ends."""
    if not activity.in_activity():
        yield
        return
    beating = asyncio.create_task(_beat())
    try:
        yield
    finally:
        beating.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await beating


async def _beat() -> None:
    while True:
        activity.heartbeat()
        await asyncio.sleep(_INTERVAL_S)
