"""Reading server-sent events off a real connection."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx


@dataclass(frozen=True)
class Received:
    seq: int
    event: str
    payload: dict[str, Any]


class Reader:
    """One open stream; `next` waits for an event, `rest` for the end of the stream."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self._lines = response.aiter_lines()

    async def next(self, patience: float = 10) -> Received:
        async with asyncio.timeout(patience):
            fields: dict[str, str] = {}
            async for line in self._lines:
                if line.startswith(":"):
                    continue
                if line:
                    name, _, value = line.partition(": ")
                    fields[name] = value
                elif fields:
                    payload = json.loads(fields["data"])
                    return Received(int(fields["id"]), fields["event"], payload)
        raise StopAsyncIteration

    async def take(self, count: int) -> list[Received]:
        return [await self.next() for _ in range(count)]

    async def rest(self, patience: float = 10) -> list[Received]:
        found: list[Received] = []
        while True:
            try:
                found.append(await self.next(patience))
            except StopAsyncIteration:
                return found

    async def opened(self) -> None:
        """Wait until the stream has joined its log: from here on everything arrives live."""
        async with asyncio.timeout(10):
            async for line in self._lines:
                if line == ": open":
                    return


@asynccontextmanager
async def reading(
    address: str, path: str, headers: dict[str, str], last: int | str | None = None
) -> AsyncIterator[Reader]:
    resume = {} if last is None else {"Last-Event-ID": str(last)}
    async with (
        httpx.AsyncClient(base_url=address, timeout=20) as client,
        client.stream("GET", path, headers=headers | resume) as response,
    ):
        yield Reader(response)
