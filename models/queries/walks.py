"""Merging walks of an index: how a list asks for several values of a column and keeps its order.

`status in ('a', 'b') order by created_on` cannot be read off an index on (status, created_on); a
walk for each value can, and each stops after a page.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, SQLColumnExpression, select, tuple_, union_all
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.selectable import Subquery

Position = tuple[datetime, str]
"""Where a page begins: the moment and the id of the last row of the page before."""


def merged(
    walks: Sequence[Select[*tuple[Any, ...]]],
    order: tuple[InstrumentedAttribute[datetime], InstrumentedAttribute[str]],
    *,
    limit: int,
    after: Position | None,
    ascending: bool = False,
) -> Subquery:
    """The first `limit` rows of all walks together, from just behind `after`.

    No row may be in two walks; `order` names columns that each of them selects.
    """
    here = tuple_(*order)
    towards: list[SQLColumnExpression[Any]] = (
        list(order) if ascending else [column.desc() for column in order]
    )
    bounded = []
    for walk in walks:
        if after is not None:
            walk = walk.where(here > tuple_(*after) if ascending else here < tuple_(*after))
        bounded.append(walk.order_by(*towards).limit(limit))
    if len(bounded) == 1:
        return bounded[0].subquery("page")
    several = union_all(*bounded).subquery("walks")
    columns = [several.c[column.key] for column in order]
    again: list[SQLColumnExpression[Any]] = (
        list(columns) if ascending else [column.desc() for column in columns]
    )
    return select(several).order_by(*again).limit(limit).subquery("page")
