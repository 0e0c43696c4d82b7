"""The inputs of the texts about a client, exactly as documented, masked, and hashed as they are.

Source: clients/qbrs.yaml, rules.preparation.inputs, and clients/clients.yaml, rules.ai_summary.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from models.errors import NotFound
from models.queries.people import revenue_read
from models.queries.people import text_sources as sources
from models.queries.platforms import result_facts
from models.rules.clients.ai_texts import input_hash, is_current
from models.rules.clients.masking import masked_json
from models.rules.clients.qbr_dates import preparation_window
from models.rules.clients.revenue import WINDOW_MONTHS, month_name, revenue_window, summary
from models.tables.clients import Client, ClientSummary
from models.tables.companies import Company

_WINS_DAYS: Final = 90
_WINS: Final = 10
_HEALTH_SCORES: Final = 5
_QBRS: Final = 3
_MEETINGS: Final = 10
_EVENTS: Final = 20
_PROFILE = (
    "status", "tier", "tier_track", "tier_score", "tier_revenue_score",
    "tier_profitability_score", "tier_strategic_score", "tier_relationship_score",
    "tier_growth_score", "tier_adoption_score", "health_score", "last_qbr_date", "next_qbr_date",
    "onboarding_started_at", "onboarding_completed_at", "offboarding_started_at",
    "offboarding_completed_at",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class TextInput:
    """What a text is made from, as JSON has it, and its hash."""

    given: dict[str, Any]
    input_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSummary:
    """The summary of a client that was written last."""

    text: str
    generated_at: datetime


async def client_name(db: AsyncConnection, company_id: str) -> str:
    """What the client is called.

    Raises:
        NotFound: there is no such client.
    """
    name: str = (await _client(db, company_id)).name
    return name


async def for_qbr(db: AsyncConnection, company_id: str, today: date) -> TextInput:
    """What a QBR is prepared from: everything since the last one, or of the last 90 days.

    Raises:
        NotFound: there is no such client.
    """
    client = await _client(db, company_id)
    since, until = preparation_window(client.last_qbr_date, today)
    return text_input(
        {
            "client": {"name": client.name},
            "period": {"start": since.isoformat(), "end": until.isoformat(),
                       "days": (until - since).days},
            "metrics": await result_facts.metrics_between(db, company_id, since, until),
            "insight": await result_facts.newest_insight(db, company_id),
            "goals": await sources.goals(db, company_id),
            "wins": await sources.wins(db, company_id, since=since, until=until),
            "health_scores": await sources.health_scores(db, company_id, since=since),
            "meetings": await sources.meetings(db, company_id, since=since, until=until),
            "history": await sources.history(db, company_id, since=since),
            "projects": await sources.projects(db, company_id, since=since, until=until),
            "success_profile": await sources.success_profile(db, company_id),
            "last_qbr": await sources.last_qbr(db, company_id, until=until),
        }
    )  # fmt: skip


async def for_summary(db: AsyncConnection, company_id: str, today: date) -> TextInput:
    """What a summary of the relationship is made from.

    Raises:
        NotFound: there is no such client.
    """
    client = await _client(db, company_id)
    since = today - timedelta(days=_WINS_DAYS)
    profile = {name: sources.plain(getattr(client, name)) for name in _PROFILE}
    insight = await result_facts.newest_insight(db, company_id)
    return text_input(
        {
            "client": {"name": client.name, **profile},
            "health_scores": await sources.health_scores(db, company_id, most=_HEALTH_SCORES),
            "revenue": await _revenue(db, company_id, today),
            "goals": await sources.goals(db, company_id),
            "wins": {
                "days": _WINS_DAYS,
                "newest": await sources.wins(
                    db, company_id, since=since, until=today, most=_WINS
                ),
            },
            "qbrs": await sources.qbrs(db, company_id, most=_QBRS),
            "meetings": await sources.meetings(db, company_id, until=today, most=_MEETINGS),
            "history": await sources.history(db, company_id, most=_EVENTS),
            "success_profile": await sources.success_profile(db, company_id),
            "insight": insight and insight["content_json"],
        }
    )  # fmt: skip


async def current_summary(
    db: AsyncConnection, company_id: str, given: TextInput, now: datetime
) -> StoredSummary | None:
    """The stored summary, while it is young enough and of the same input."""
    found = await db.execute(
        select(ClientSummary.text, ClientSummary.input_hash, ClientSummary.generated_at).where(
            ClientSummary.company_id == company_id
        )
    )
    row = found.one_or_none()
    if row is None or not is_current(row.generated_at, row.input_hash, given.input_hash, now):
        return None
    return StoredSummary(text=row.text, generated_at=row.generated_at)


async def stored_summary(db: AsyncConnection, company_id: str) -> StoredSummary:
    """The summary that was written last.

    Raises:
        NotFound: there is no such client, or nothing was ever written about it.
    """
    found = await db.execute(
        select(ClientSummary.text, ClientSummary.generated_at).where(
            ClientSummary.company_id == company_id
        )
    )
    row = found.one_or_none()
    if row is None:
        raise NotFound("The client has no summary.")
    return StoredSummary(text=row.text, generated_at=row.generated_at)


async def keep_summary(
    db: AsyncConnection, *, tenant_id: str, company_id: str, summary: dict[str, Any]
) -> None:
    """Put a summary in the place of the one before it."""
    values = {"tenant_id": tenant_id, "company_id": company_id, **summary}
    await db.execute(
        insert(ClientSummary)
        .values(values)
        .on_conflict_do_update(index_elements=[ClientSummary.company_id], set_=summary)
    )


async def _client(db: AsyncConnection, company_id: str) -> Any:
    found = await db.execute(
        select(Company.name, *(getattr(Client, name) for name in _PROFILE))
        .join(Company, Company.id == Client.company_id)
        .where(Client.company_id == company_id)
    )
    row = found.one_or_none()
    if row is None:
        raise NotFound("There is no such client.")
    return row


async def _revenue(db: AsyncConnection, company_id: str, today: date) -> dict[str, Any]:
    window = revenue_window(today)
    told = summary(window, await revenue_read.by_month(db, company_id, window))
    return {
        "months": WINDOW_MONTHS,
        "source": told.revenue.source,
        "currency": await revenue_read.currency(db),
        "total": sources.plain(told.revenue.annual_total),
        "by_month": [
            {"month": month_name(month), "total": sources.plain(total)}
            for month, total in told.monthly
        ],
    }


def text_input(given: dict[str, Any]) -> TextInput:
    """What was gathered, masked and with its hash."""
    clean: dict[str, Any] = masked_json(given)
    return TextInput(given=clean, input_hash=input_hash(clean))
