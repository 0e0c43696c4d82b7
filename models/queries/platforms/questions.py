"""Questions about results, with their answers, and how many of them a user may ask.

Source: clients/results.yaml, rules.ask. The count is of rows that every API process sees.
"""

import math
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from models.errors import RateLimited
from models.tables.results import ResultQuestion

MOST: Final = 20
WITHIN: Final = timedelta(minutes=10)
_LOCK: Final = text("select pg_advisory_xact_lock(hashtextextended(:name, 0))")


async def take(
    db: AsyncConnection,
    *,
    id: str,
    tenant_id: str,
    company_id: str,
    asked_by: str,
    question: str,
    at: datetime,
) -> None:
    """Keep a question, unless the user has asked too many of late; one without an answer counts.

    Raises:
        RateLimited: with the time after which one fits again.
    """
    # Two requests at once would each see the other's question missing.
    await db.execute(_LOCK, {"name": f"question:{tenant_id}:{asked_by}"})
    newest = (
        select(ResultQuestion.asked_at)
        .where(ResultQuestion.asked_by == asked_by, ResultQuestion.asked_at > at - WITHIN)
        .order_by(ResultQuestion.asked_at.desc())
        .limit(MOST)
        .subquery("newest")
    )
    found = await db.execute(select(func.count(), func.min(newest.c.asked_at)))
    count, oldest = found.one()
    if count >= MOST:
        wait = math.ceil((oldest + WITHIN - at).total_seconds())
        raise RateLimited(
            f"At most {MOST} questions in {int(WITHIN.total_seconds() // 60)} minutes.",
            retry_after=max(wait, 1),
        )
    await db.execute(
        insert(ResultQuestion).values(
            id=id, tenant_id=tenant_id, company_id=company_id, asked_by=asked_by, asked_at=at,
            question=question,
        )
    )  # fmt: skip


async def answered(db: AsyncConnection, id: str, values: dict[str, Any]) -> None:
    """Keep the answer of a question beside it."""
    await db.execute(update(ResultQuestion).where(ResultQuestion.id == id).values(values))
