"""Thousands of rows in one statement: each column travels as an array.

For imports. COPY would be faster still, but does not go through row-level security.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Table, TableValuedAlias, func, inspect, literal, select
from sqlalchemy import insert as insert_into
from sqlalchemy import update as update_of
from sqlalchemy.ext.asyncio import AsyncConnection

from models.tables.base import Base

Rows = Sequence[Mapping[str, Any]]


async def insert(db: AsyncConnection, table: type[Base], rows: Rows, **common: Any) -> None:
    """Insert the rows, which have the same columns each; what they have in common is sent once."""
    if not rows:
        return
    columns = _columns(table)
    sent = _sent(columns, rows)
    values: list[ColumnElement[Any]] = [sent.c[name] for name in rows[0]]
    values += [literal(value, columns.c[name].type) for name, value in common.items()]
    await db.execute(
        insert_into(table).from_select([*rows[0], *common], select(*values).select_from(sent))
    )


async def update(db: AsyncConnection, table: type[Base], rows: Rows, **common: Any) -> None:
    """Give the rows with these ids their new values."""
    if not rows:
        return
    columns = _columns(table)
    sent = _sent(columns, rows)
    values = {name: sent.c[name] for name in rows[0] if name != "id"} | common
    await db.execute(update_of(table).where(columns.c.id == sent.c.id).values(values))


def _columns(table: type[Base]) -> Table:
    mapped = inspect(table).local_table
    assert isinstance(mapped, Table)
    return mapped


def _sent(columns: Table, rows: Rows) -> TableValuedAlias:
    names = list(rows[0])
    arrays = [literal([row[name] for row in rows], ARRAY(columns.c[name].type)) for name in names]
    return func.unnest(*arrays).table_valued(*names, name="sent").render_derived()
