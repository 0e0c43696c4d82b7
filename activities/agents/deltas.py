"""Streamed words on their way into the log: coalesced, so that readers see them live."""

import asyncio
import contextlib
from types import TracebackType
from typing import Any, Final

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection
from temporalio import activity

from activities.agents.transcripts import clean
from activities.ports import Usage
from models.contracts.agent_activities import TakeTurn
from models.db.database import Database
from models.queries.agents import stream, turns_write

FLUSH_SECONDS: Final = 0.1

Entry = tuple[str, dict[str, Any]]
"""A kind and a payload of the log."""


class DeltaLog:
    """Collects the deltas of one attempt and writes them every `FLUSH_SECONDS`.

    What is still unwritten at the end is `rest()`, for the transaction that settles the turn.
    """

    def __init__(self, database: Database, take: TakeTurn, attempt: int) -> None:
        self._database = database
        self._take = take
        self._attempt = attempt
        self._words: list[str] = []
        self._written = 0
        self._in_doubt = False
        self._usage: Usage | None = None
        self._noted: Usage | None = None
        self._flusher: asyncio.Task[None] | None = None
        self._stopped = asyncio.Event()

    def add(self, text: str) -> None:
        """Take words as they arrive."""
        self._words.append(clean(text))

    def note(self, usage: Usage) -> None:
        """Take the vendor's counters up to here."""
        self._usage = usage

    async def rest(self, db: AsyncConnection) -> list[Entry]:
        """What is not written yet, as entries of the log."""
        return await self._entries(db, "".join(self._words))

    async def _entries(self, db: AsyncConnection, text: str) -> list[Entry]:
        if self._in_doubt:
            # A write whose answer was lost may have been committed, and is not written again.
            take = self._take
            mine = (take.activity_id, take.run_id, take.number, self._attempt)
            text = text[await stream.length_of(db, *mine) - self._written :]
        return [("text_delta", {"delta": text})] if text else []

    async def __aenter__(self) -> "DeltaLog":
        self._flusher = asyncio.create_task(self._flush_until_stopped())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # Waiting for a write under way keeps the words in order: the rest comes after it.
        assert self._flusher is not None
        self._stopped.set()
        await self._flusher

    async def _flush_until_stopped(self) -> None:
        while not self._stopped.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopped.wait(), FLUSH_SECONDS)
                return
            activity.heartbeat()
            await self.flush()

    async def flush(self) -> None:
        """Write what has come since the last time."""
        words = self._words.copy()
        usage = self._usage if self._usage != self._noted else None
        if not words and usage is None:
            return
        try:
            await self._write("".join(words), usage)
        except (SQLAlchemyError, OSError):
            # The words wait for the next try; the turn itself notices if PostgreSQL stays away.
            self._in_doubt = True
        else:
            self._in_doubt = False
            self._written += sum(map(len, words))
            del self._words[: len(words)]
            self._noted = usage or self._noted

    async def _write(self, text: str, usage: Usage | None) -> None:
        take = self._take
        mine = (take.run_id, take.number, self._attempt)
        async with self._database.tenant(take.tenant_id) as db:
            if usage is not None:
                is_mine = await turns_write.note_usage(db, *mine, counters_of(usage))
            else:
                is_mine = await turns_write.hold_open(db, *mine)
            if not is_mine:
                # Another worker took the turn over and voided what this one streams.
                return
            await stream.append(
                db,
                tenant_id=take.tenant_id,
                activity_id=take.activity_id,
                run_id=take.run_id,
                turn=take.number,
                attempt=self._attempt,
                entries=await self._entries(db, text),
            )


def counters_of(usage: Usage) -> dict[str, int]:
    """The four raw counters by the names of their columns."""
    return {
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cache_write_tokens": usage.cache_write_tokens,
        "cache_read_tokens": usage.cache_read_tokens,
    }
