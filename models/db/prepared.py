"""Statements of lists: compiled once, and run by the driver itself.

SQLAlchemy's own way of running a statement costs more than PostgreSQL takes to answer it. What is
the same each time is done here once; what is left is to bind the values, as psycopg does, and to
make the rows.
"""

from collections.abc import Mapping
from typing import Any, Generic, NamedTuple, TypeVar

from sqlalchemy import Dialect, Select
from sqlalchemy.dialects.postgresql.psycopg import PGDialectAsync_psycopg
from sqlalchemy.ext.asyncio import AsyncConnection

from models.db.database import driver

R = TypeVar("R", bound=NamedTuple)

_DIALECT: Dialect = PGDialectAsync_psycopg()  # type: ignore[no-untyped-call]
_KEPT = 16
"""How many texts of one statement are kept: it has one for each limit that callers ask for."""


class Prepared(Generic[R]):
    """A statement whose columns are the members of `row`, in their order.

    Its parameters are named; none of them may be `expanding`. Of those that are executed as
    literals there is `limit` alone.
    """

    def __init__(self, statement: Select[*tuple[Any, ...]], row: type[R]) -> None:
        if tuple(column.name for column in statement.selected_columns) != row._fields:
            raise TypeError(f"the statement's columns are not those of {row.__name__}")
        self._compiled = statement.compile(dialect=_DIALECT)
        self._row = row
        self._texts: dict[int | None, tuple[str, Mapping[str, Any]]] = {}

    async def fetch(self, db: AsyncConnection, bound: Mapping[str, Any]) -> list[R]:
        """Run it in the connection's transaction."""
        text, fixed = self._texts.get(bound.get("limit")) or self._write(bound)
        cursor = await driver(db).execute(text, {**fixed, **bound})
        return list(map(self._row._make, await cursor.fetchall()))

    def _write(self, bound: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
        """The text for this limit, and the values that are part of the statement."""
        written = self._compiled.construct_expanded_state(dict(bound))
        values = written.parameters.items()
        fixed = {name: value for name, value in values if name not in bound}
        if len(self._texts) >= _KEPT:
            self._texts.clear()
        self._texts[bound.get("limit")] = written.statement, fixed
        return written.statement, fixed
