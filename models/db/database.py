"""The pool, and sessions that can see one tenant and nothing else."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, cast

import psycopg
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

_BEGIN = "begin; select set_config('app.tenant_id', %(tenant_id)s, true)"
_ASYNC_COMMIT = "; set local synchronous_commit = off"


class Database:
    """Connections of the application's role, which owns nothing and cannot bypass row security."""

    def __init__(self, url: str, pool_size: int = 12) -> None:
        self.url = url
        self._pool_size = pool_size
        # The driver begins nothing by itself: each session begins with its tenant in one message.
        self._engine = create_async_engine(
            url, pool_size=pool_size, max_overflow=0, pool_timeout=10, pool_pre_ping=False,
            connect_args={"prepare_threshold": 2, "connect_timeout": 5, "autocommit": True},
        )  # fmt: skip

    @asynccontextmanager
    async def tenant(
        self, tenant_id: str, *, relaxed: bool = False
    ) -> AsyncIterator[AsyncConnection]:
        """Open one transaction inside the tenant; it commits at the end, or nothing of it does.

        `relaxed` commits without waiting for the disk: only for streamed words, which a crash
        may lose because the turn that made them is repeated.
        """
        statement = _BEGIN + _ASYNC_COMMIT if relaxed else _BEGIN
        async with self._begun(statement, {"tenant_id": tenant_id}) as (db, _):
            yield db

    @asynccontextmanager
    async def tenant_asking(
        self, tenant_id: str, question: str, parameters: Mapping[str, Any]
    ) -> AsyncIterator[tuple[AsyncConnection, tuple[Any, ...] | None]]:
        """Open a transaction inside the tenant and ask for one row, all in one round trip.

        Every request begins so. The question is in psycopg's own notation.
        """
        statement = f"{_BEGIN}; {question}"
        async with self._begun(statement, {**parameters, "tenant_id": tenant_id}) as (db, cursor):
            while cursor.nextset():
                pass
            yield db, await cursor.fetchone()

    @asynccontextmanager
    async def _begun(
        self, statement: str, parameters: Mapping[str, Any]
    ) -> AsyncIterator[tuple[AsyncConnection, psycopg.AsyncCursor[tuple[Any, ...]]]]:
        db, cursor = await self._begin(statement, parameters)
        try:
            yield db, cursor
            await db.commit()
        finally:
            # A request that is given up in the middle still has to give its connection back.
            await asyncio.shield(asyncio.ensure_future(db.close()))

    async def _begin(
        self, statement: str, parameters: Mapping[str, Any]
    ) -> tuple[AsyncConnection, psycopg.AsyncCursor[tuple[Any, ...]]]:
        attempt = 0
        while True:
            db = await self._engine.connect()
            try:
                raw = (await db.get_raw_connection()).driver_connection
                # Binding in the client lets several statements travel in one message.
                cursor = psycopg.AsyncClientCursor(cast(psycopg.AsyncConnection[Any], raw))
                return db, await cursor.execute(statement, parameters)
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
        async with self._begun("begin", {}) as (db, _):
            yield db

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()
