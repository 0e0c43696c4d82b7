"""The pool, and sessions that can see one tenant and nothing else."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, cast

import psycopg
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

_Raw = psycopg.AsyncConnection[tuple[Any, ...]]

_BEGIN = "begin; select set_config('app.tenant_id', %(tenant_id)s, true)"


def driver(db: AsyncConnection) -> _Raw:
    """The driver's own connection, inside the same transaction."""
    assert db.sync_connection is not None
    return cast(_Raw, db.sync_connection.connection.driver_connection)


@asynccontextmanager
async def at_once(db: AsyncConnection) -> AsyncIterator[None]:
    """Send the statements of this block together, in one round trip.

    Nobody sees their results, neither rows nor counts; the first error is raised at the end.
    """
    async with driver(db).pipeline():
        yield


class Session:
    """One transaction inside a tenant, to be committed or given up by whoever opened it.

    `answer` is the row of the question that it was opened with.
    """

    __slots__ = ("_raw", "answer", "db")

    def __init__(self, db: AsyncConnection, raw: _Raw, answer: tuple[Any, ...] | None) -> None:
        self.db = db
        self._raw = raw
        self.answer = answer

    async def commit(self) -> None:
        """Let everything of it happen, and give the connection back."""
        try:
            if self.db.in_transaction():
                await self.db.commit()
            else:
                await self._raw.commit()
        except BaseException:
            await self.give_up()
            raise
        # With nothing left to roll back this never waits, and so cannot be cut off.
        await self.db.close()

    async def give_up(self) -> None:
        """Let nothing happen that is not committed, and give the connection back."""
        # Also when the request is given up in the middle, or the pool would run dry.
        await asyncio.shield(asyncio.ensure_future(self.db.close()))


class Database:
    """Connections of the application's role, which owns nothing and cannot bypass row security."""

    def __init__(self, url: str, pool_size: int = 12) -> None:
        self.url = url
        self._pool_size = pool_size
        # The driver begins nothing by itself: each session begins with its tenant in one message.
        self._engine = create_async_engine(
            url, pool_size=pool_size, max_overflow=0, pool_timeout=10, pool_pre_ping=False,
            connect_args={"prepare_threshold": 2, "connect_timeout": 5, "autocommit": True},
            # Or an INSERT that met its row would count -1, which reads like one that wrote it.
            execution_options={"preserve_rowcount": True},
            # Errors are logged and kept in histories, where values of clients have no business.
            hide_parameters=True,
        )  # fmt: skip

    @asynccontextmanager
    async def tenant(self, tenant_id: str) -> AsyncIterator[AsyncConnection]:
        """Open one transaction inside the tenant; it commits at the end, or nothing of it does."""
        async with _ending(await self._begin(_BEGIN, {"tenant_id": tenant_id})) as db:
            yield db

    async def open(
        self, tenant_id: str, question: str = "", parameters: Mapping[str, Any] | None = None
    ) -> Session:
        """Open a transaction inside the tenant and ask for one row, all in one round trip.

        Every request begins so. The question is in psycopg's own notation.
        """
        statement = f"{_BEGIN}; {question}" if question else _BEGIN
        return await self._begin(statement, {**(parameters or {}), "tenant_id": tenant_id})

    async def _begin(self, statement: str, parameters: Mapping[str, Any]) -> Session:
        attempt = 0
        while True:
            db = await self._engine.connect()
            try:
                raw = driver(db)
                # Binding in the client lets several statements travel in one message.
                cursor = await psycopg.AsyncClientCursor(raw).execute(statement, parameters)
                while cursor.nextset():
                    pass
                answer = await cursor.fetchone() if cursor.description else None
                return Session(db, raw, answer)
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
        async with _ending(await self._begin("begin", {})) as db:
            yield db

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()


@asynccontextmanager
async def _ending(session: Session) -> AsyncIterator[AsyncConnection]:
    try:
        yield session.db
    except BaseException:
        await session.give_up()
        raise
    await session.commit()
