"""What queries send to PostgreSQL."""

import re
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


async def plan_for_any_values(db: AsyncConnection, statement: str) -> str:
    """The plan that PostgreSQL keeps once it has seen a statement some times."""
    numbers: dict[str, str] = {}
    numbered = re.sub(
        r"%\((\w+)\)s",
        lambda found: numbers.setdefault(found[1], f"${len(numbers) + 1}"),
        statement,
    )
    cursor = await driver(db).execute(f"explain (generic_plan, costs off) {numbered}".encode())
    return "\n".join(row[0] for row in await cursor.fetchall())
