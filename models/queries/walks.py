"""Merging walks of an index: how a list asks for several values of a column and keeps its order.

`status in ('a', 'b') order by created_on` cannot be read off an index on (status, created_on); a
walk for each value can, and each stops after a page.

Statements are built once for each shape of a question and then only bound: building one costs
several times what sending it does.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    DateTime,
    Integer,
    Select,
    SQLColumnExpression,
    Text,
    bindparam,
    func,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.selectable import Subquery

Position = tuple[datetime, str]
"""Where a page begins: the moment and the id of the last row of the page before."""

# Written out, not bound: for a limit that it does not know PostgreSQL plans to read a tenth of all.
LIMIT = bindparam("limit", type_=Integer, literal_execute=True)
_AFTER = tuple_(
    bindparam("after_at", type_=DateTime(timezone=True)), bindparam("after_id", type_=Text)
)


def bounds(limit: int, after: Position | None) -> dict[str, Any]:
    """What a statement with `merged` in it is bound to."""
    if after is None:
        return {"limit": limit}
    return {"limit": limit, "after_at": after[0], "after_id": after[1]}


def among(column: InstrumentedAttribute[Any], name: str) -> SQLColumnExpression[bool]:
    """Whether the column is one of the values bound as a list: one text for any number of them."""
    return column == func.any(bindparam(name, type_=ARRAY(Text)))


def merged(
    walks: Sequence[Select[*tuple[Any, ...]]],
    order: tuple[InstrumentedAttribute[datetime], InstrumentedAttribute[str]],
    *,
    goes_on: bool,
    ascending: bool = False,
) -> Subquery:
    """The first rows of all walks together, from just behind a position where the list goes on.

    No row may be in two walks; `order` names columns that each of them selects.
    """
    here = tuple_(*order)
    bounded = []
    for walk in walks:
        if goes_on:
            walk = walk.where(here > _AFTER if ascending else here < _AFTER)
        bounded.append(walk.order_by(*_towards(order, ascending)).limit(LIMIT))
    if len(bounded) == 1:
        return bounded[0].subquery("page")
    several = union_all(*bounded).subquery("walks")
    again = [several.c[column.key] for column in order]
    ordered = select(several).order_by(*_towards(again, ascending))
    return ordered.limit(LIMIT).subquery("page")


def _towards(
    columns: Sequence[SQLColumnExpression[Any]], ascending: bool
) -> list[SQLColumnExpression[Any]]:
    return list(columns) if ascending else [column.desc() for column in columns]
