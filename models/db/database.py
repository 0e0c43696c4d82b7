"""The pool, and sessions that can see one tenant and nothing else."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

_SET_TENANT = text("select set_config('app.tenant_id', :tenant_id, true)")
_ASYNC_COMMIT = text("set local synchronous_commit = off")


class Database:
    """Connections of the application's role, which owns nothing and cannot bypass row security."""

    def __init__(self, url: str, pool_size: int = 12) -> None:
        self.url = url
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
    async def system(self) -> AsyncIterator[AsyncConnection]:
        """Open one transaction outside any tenant: it sees no tenant's rows."""
        async with self._engine.begin() as db:
            yield db

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()
