"""Rows on their way to PostgreSQL."""

import json
import tracemalloc
from collections.abc import AsyncIterator
from datetime import date
from decimal import Decimal

from activities.platforms.row_spool import RowSpool


async def counting(rows: int) -> AsyncIterator[int]:
    for number in range(rows):
        yield number


async def test_rows_come_back_in_their_order_as_often_as_they_are_asked_for() -> None:
    with RowSpool() as spool:
        await spool.take(counting(1201), lambda one: {"n": one})
        for _ in range(2):
            batches = [json.loads(batch) for batch in spool.batches()]
            assert [row["n"] for batch in batches for row in batch] == list(range(1201))
        assert (spool.rows, len(batches)) == (1201, 3)


async def test_values_stay_exact_whatever_they_hold() -> None:
    given = {
        "name": "Two\nlines “”",
        "day": date(2026, 3, 10),
        "spend": Decimal("0.10"),
        "of": None,
    }
    with RowSpool() as spool:
        await spool.take(counting(1), lambda _: given)
        (batch,) = spool.batches()
    assert json.loads(batch) == [{**given, "day": "2026-03-10", "spend": "0.10"}]


async def test_memory_stays_flat_however_many_rows_come() -> None:
    with RowSpool() as spool:
        tracemalloc.start()
        try:
            await spool.take(counting(12_000), lambda one: {"id": one, "text": "x" * 500})
            held, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        # As JSON they have six million bytes.
        assert held < 2_500_000
        assert sum(len(json.loads(batch)) for batch in spool.batches()) == 12_000


async def test_nothing_gives_no_batch() -> None:
    with RowSpool() as spool:
        await spool.take(counting(0), lambda one: {"n": one})
        assert list(spool.batches()) == []
