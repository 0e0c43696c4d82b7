"""Paging by number: `NumberedPaging` reads page and per_page, for the lists of the clients area.

The contract wants totals and page numbers there. Everything else is paged by `api/http/paging.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final

import orjson
from fastapi import Depends, Query
from starlette.responses import Response

from api.http.routing import HOLDS_PAGE, marks
from api.http.rows import Writer
from models.rules.clients.paging import offset, page_count

_LAST: Final = 2**31 - 1
"""The highest number of a page: the rows before it can still be counted by PostgreSQL."""


@dataclass(frozen=True, slots=True)
class NumberedPage:
    """Which page the caller wants."""

    page: int
    per_page: int

    @property
    def offset(self) -> int:
        return offset(self.page, self.per_page)

    def answer(self, name: str, rows: Sequence[Any], total: int, write: Writer) -> Response:
        """Make the page of its rows and of how many there are; `write` is of `api/http/rows.py`."""
        page = {
            name: list(map(write, rows)),
            "total": total,
            "page": self.page,
            "pages": page_count(total, self.per_page),
        }
        return Response(orjson.dumps(page), media_type="application/json")


@marks(HOLDS_PAGE)
async def _numbered(
    page: Annotated[
        int, Query(ge=1, le=_LAST, description="From 1; one past the last is empty.")
    ] = 1,
    per_page: Annotated[int, Query(ge=1, le=200, description="How many a page holds.")] = 50,
) -> NumberedPage:
    return NumberedPage(page, per_page)


NumberedPaging = Annotated[NumberedPage, Depends(_numbered)]
"""Up to 200 a page."""
