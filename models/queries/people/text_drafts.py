"""Texts about clients under way: their input, the calls of a model, and what those have cost.

A call reserves its worst case of the tenant's month before it is made and is settled after, once;
the ledger has it under the company. The order of locks is the draft, its call, the month.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import delete, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from models.db.rows import AnyRow
from models.rules.money import Price
from models.tables.client_texts import TextCall, TextDraft

OPEN: Final = "open"
SETTLED: Final = "settled"
CUT_OFF: Final = "cut_off"
AGENT_ROLE: Final = "account_manager"
"""Under whose name the ledger has texts about clients."""
_SETTLE = text(
    """
    with closed as (
        update text_call as c
        set status = :status, cost_usd = :cost, reserved_usd = 0, answer = :answer, ended_at = :at,
            input_tokens = :input_tokens, output_tokens = :output_tokens,
            cache_write_tokens = :cache_write_tokens, cache_read_tokens = :cache_read_tokens
        from text_draft as d
        where c.run_id = :run_id and c.number = :number and c.attempt = :attempt
          and c.status = 'open' and d.run_id = c.run_id
        returning c.tenant_id, d.company_id, d.model, c.reserved_month
    ), entry as (
        insert into ledger_entry (
            tenant_id, company_id, run_id, turn, attempt, agent_role, model,
            price_effective_from, cost_usd,
            input_tokens, output_tokens, cache_write_tokens, cache_read_tokens
        )
        select tenant_id, company_id, :run_id, :number, :attempt, :agent_role, model,
               :price_effective_from, :cost,
               :input_tokens, :output_tokens, :cache_write_tokens, :cache_read_tokens
        from closed
        where :cost <> 0 or 0 <>
            :input_tokens + :output_tokens + :cache_write_tokens + :cache_read_tokens
    ), month as (
        update tenant_spend as m
        set reserved_usd = m.reserved_usd - :reserved, spent_usd = m.spent_usd + :cost
        from closed
        where m.tenant_id = closed.tenant_id and m.month = closed.reserved_month
    )
    select count(*) from closed
    """
)


async def open_draft(db: AsyncConnection, values: Mapping[str, Any]) -> None:
    """Keep the input of a text; a run that has one keeps what it has."""
    await db.execute(insert(TextDraft).values(values).on_conflict_do_nothing())


async def draft(db: AsyncConnection, run_id: str) -> AnyRow | None:
    """The text that a run writes, locked until the transaction ends; None when it is put away."""
    found = await db.execute(
        select(TextDraft.__table__).where(TextDraft.run_id == run_id).with_for_update()
    )
    return found.one_or_none()


async def keep_output(db: AsyncConnection, run_id: str, output: Mapping[str, Any]) -> None:
    """Keep what passed the checks."""
    await db.execute(
        update(TextDraft).where(TextDraft.run_id == run_id).values(output=dict(output))
    )


async def put_away(db: AsyncConnection, run_id: str) -> None:
    """Delete a text under way with its calls; the ledger keeps what they have cost."""
    await db.execute(delete(TextDraft).where(TextDraft.run_id == run_id))


async def left_behind(db: AsyncConnection, *, before: datetime) -> list[str]:
    """The runs of texts that were begun long ago and never put away."""
    found = await db.execute(select(TextDraft.run_id).where(TextDraft.created_at < before))
    return list(found.scalars())


async def calls(db: AsyncConnection, run_id: str) -> Sequence[AnyRow]:
    """All calls for a text, in order."""
    found = await db.execute(
        select(TextCall.__table__)
        .where(TextCall.run_id == run_id)
        .order_by(TextCall.number, TextCall.attempt)
    )
    return found.all()


async def open_call(
    db: AsyncConnection,
    *,
    tenant_id: str,
    run_id: str,
    number: int,
    attempt: int,
    reserved_usd: Decimal,
    reserved_month: date | None,
) -> None:
    """Insert the row that a crash leaves behind, before the vendor is asked."""
    await db.execute(
        insert(TextCall).values(
            tenant_id=tenant_id, run_id=run_id, number=number, attempt=attempt, status=OPEN,
            reserved_usd=reserved_usd, reserved_month=reserved_month,
        )
    )  # fmt: skip


async def note_usage(
    db: AsyncConnection, row: AnyRow | Any, counters: Mapping[str, int], streamed_bytes: int
) -> None:
    """Keep what a call has used so far, for the case that it is cut off."""
    await db.execute(
        update(TextCall)
        .where(
            TextCall.run_id == row.run_id,
            TextCall.number == row.number,
            TextCall.attempt == row.attempt,
            TextCall.status == OPEN,
        )
        .values(**counters, streamed_bytes=streamed_bytes)
    )


async def settle(
    db: AsyncConnection,
    row: AnyRow | Any,
    *,
    status: str,
    counters: Mapping[str, int],
    price: Price,
    cost: Decimal,
    answer: str | None,
    at: datetime,
) -> bool:
    """Close an open call: give its reservation back, book what it cost; False if that was done.

    `row` has the call's key (`run_id`, `number`, `attempt`) and its `reserved_usd`.
    """
    settled = await db.execute(
        _SETTLE,
        {
            "run_id": row.run_id, "number": row.number, "attempt": row.attempt, "status": status,
            "reserved": row.reserved_usd, "answer": answer, "at": at, "agent_role": AGENT_ROLE,
            "price_effective_from": price.effective_from, "cost": cost, **counters,
        },
    )  # fmt: skip
    return bool(settled.scalar_one())


async def complain(db: AsyncConnection, row: AnyRow, complaint: str) -> None:
    """Keep what was wrong with a call's answer, so that the model can be told."""
    await db.execute(
        update(TextCall)
        .where(
            TextCall.run_id == row.run_id,
            TextCall.number == row.number,
            TextCall.attempt == row.attempt,
        )
        .values(complaint=complaint)
    )
