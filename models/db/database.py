"""The pool, and sessions that can see one tenant and nothing else."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

_SET_TENANT = text("select set_config('app.tenant_id', :tenant_id, true)")
_SET_TENANT_RAW = "select set_config('app.tenant_id', %s, true)"
_ASYNC_COMMIT = text("set local synchronous_commit = off")


class Database:
    """Connections of the application's role, which owns nothing and cannot bypass row security."""

    def __init__(self, url: str, pool_size: int = 12) -> None:
        self.url = url
        self._pool_size = pool_size
        self._engine = create_async_engine(
            url, pool_size=pool_size, max_overflow=0, pool_timeout=10, pool_pre_ping=False,
            connect_args={"prepare_threshold": 2, "connect_timeout": 5},
        )  # fmt: skip

    @asynccontextmanager
    async def tenant(
        self, tenant_id: str, *, relaxed: bool = False
    ) -> AsyncIterator[AsyncConnection]:
        """Open one transaction inside the tenant; it commits at the end, or nothing of it does.

        `relaxed` commits without waiting for the disk: only for streamed words, which a crash
        may lose because the turn that made them is repeated.
        """
        async with self._engine.begin() as db:
            await db.execute(_SET_TENANT, {"tenant_id": tenant_id})
            if relaxed:
                await db.execute(_ASYNC_COMMIT)
            yield db

    @asynccontextmanager
    async def tenant_asking(
        self, tenant_id: str, question: str, parameters: Mapping[str, Any]
    ) -> AsyncIterator[tuple[AsyncConnection, tuple[Any, ...] | None]]:
        """Open a transaction inside the tenant and ask for one row, all in one round trip.

        Every request begins so: BEGIN, the tenant and the question travel together. The question
        is in psycopg's own notation.
        """
        db, answer = await self._begin_asking(tenant_id, question, parameters)
        try:
            yield db, answer
            await db.commit()
        finally:
            await db.close()

    async def _begin_asking(
        self, tenant_id: str, question: str, parameters: Mapping[str, Any]
    ) -> tuple[AsyncConnection, tuple[Any, ...] | None]:
        attempt = 0
        while True:
            db = await self._engine.connect()
            try:
                return db, await _ask(db, tenant_id, question, parameters)
            except psycopg.OperationalError as error:
                # A pooled connection may be older than the server. Nothing has happened on it
                # yet, so the next one is asked, until one of them had to be made anew.
                await db.invalidate(error)
                await db.close()
                attempt += 1
                if attempt > self._pool_size:
                    raise
            except BaseException:
                await db.close()
                raise

    @asynccontextmanager
    async def system(self) -> AsyncIterator[AsyncConnection]:
        """Open one transaction outside any tenant: it sees no tenant's rows."""
        async with self._engine.begin() as db:
            yield db

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()


async def _ask(
    db: AsyncConnection, tenant_id: str, question: str, parameters: Mapping[str, Any]
) -> tuple[Any, ...] | None:
    pooled = await db.get_raw_connection()
    raw = pooled.driver_connection
    assert isinstance(raw, psycopg.AsyncConnection)
    async with raw.pipeline():
        await raw.execute(_SET_TENANT_RAW, [tenant_id])
        found = await raw.execute(question, parameters)
    answer: tuple[Any, ...] | None = await found.fetchone()
    return answer
