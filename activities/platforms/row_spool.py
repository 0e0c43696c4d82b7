"""Rows on their way from a platform to PostgreSQL, kept on disk when they are many.

No transaction is open while a platform is asked, and a window is stored as one: so its rows wait
somewhere, which memory is not for.
"""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from tempfile import SpooledTemporaryFile
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from models.db import many

T = TypeVar("T")

_BATCH: Final = 500
_IN_MEMORY: Final = 1 << 20


class RowSpool:
    """Batches of rows, each as PostgreSQL takes it, in the order in which they came."""

    def __init__(self) -> None:
        self._file = SpooledTemporaryFile(max_size=_IN_MEMORY, mode="w+b")
        self._waiting: list[Mapping[str, Any]] = []
        self.rows = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    async def take(self, rows: AsyncIterator[T], columns: Callable[[T], Mapping[str, Any]]) -> None:
        """Take all rows, each as the columns that are stored of it."""
        async for row in rows:
            self._waiting.append(columns(row))
            self.rows += 1
            if len(self._waiting) >= _BATCH:
                self._put()
        self._put()

    def batches(self) -> Iterator[str]:
        """Give the batches, from the first on, however often they are asked for."""
        self._file.seek(0)
        for line in self._file:
            yield line.decode()

    def _put(self) -> None:
        # JSON escapes line breaks, so a batch is a line.
        if self._waiting:
            self._file.write(many.rows(self._waiting)[many.ROWS].encode() + b"\n")
            self._waiting.clear()
