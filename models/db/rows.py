"""Rows as queries hand them out: which columns they have is in the query's docstring."""

from typing import Any

from sqlalchemy.engine import Row

AnyRow = Row[*tuple[Any, ...]]
