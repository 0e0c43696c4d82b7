"""Many rows in one statement: they travel as one JSON array, which PostgreSQL takes apart.

A statement with a parameter for each value is another text for each number of rows, and ends at
65,535 values. These are one text for any number, and cost one row about what a plain one does.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import JSON, Text, Update, bindparam, cast, column, func, select, update
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.sql.selectable import TableValuedAlias

from models.tables.base import Base

ROWS: Final = "rows"
"""The name under which such a statement takes its rows."""
_TEXTUAL: Final = frozenset({Decimal, date, datetime})
"""What JSON has no word for, and PostgreSQL reads from text without a loss."""


def sent(table: type[Base], *names: str) -> TableValuedAlias:
    """The rows that `rows` binds, as a table with these columns of that table."""
    columns = [column(name, table.__table__.c[name].type) for name in names]
    array = cast(bindparam(ROWS, type_=Text), JSON)
    return (
        func.json_to_recordset(array)
        .table_valued(*columns)
        .render_derived(name="sent", with_types=True)
    )


def inserting(table: type[Base], *names: str) -> Insert:
    """Insert the rows that `rows` binds, in the order in which they are sent."""
    source = sent(table, *names)
    return insert(table).from_select(names, select(*(source.c[name] for name in names)))


def changing(table: type[Base], *names: str) -> Update:
    """Give the rows that `rows` binds by their ids these values."""
    source = sent(table, "id", *names)
    known = table.__table__.c.id == source.c.id
    return update(table).where(known).values({name: source.c[name] for name in names})


def rows(values: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """What such a statement is executed with; each row has its columns by name."""
    plain = [
        {name: str(value) if type(value) in _TEXTUAL else value for name, value in row.items()}
        for row in values
    ]
    return {ROWS: json.dumps(plain)}
