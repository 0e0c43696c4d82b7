"""What queries send to PostgreSQL."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from sqlalchemy.ext.asyncio import AsyncConnection

from models.db.database import driver


@contextmanager
def remembered(db: AsyncConnection) -> Iterator[list[tuple[str, dict[str, Any]]]]:
    """The statements that are sent in this block, with their parameters."""
    sent: list[tuple[str, dict[str, Any]]] = []

    class Remembering(psycopg.AsyncCursor[Any]):
        async def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
            sent.append((query, dict(params)))
            return await super().execute(query, params, **options)

    raw = driver(db)
    usual, raw.cursor_factory = raw.cursor_factory, Remembering
    try:
        yield sent
    finally:
        raw.cursor_factory = usual
