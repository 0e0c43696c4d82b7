"""What is known of a client, as the models that write about it are given it.

Source: clients/qbrs.yaml, rules.preparation.inputs, and clients/clients.yaml, rules.ai_summary.
Every function answers JSON values; long notes are cut and long lists bounded, newest first. Results
of platforms are in `models/queries/platforms/result_facts.py`.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models.rules.clients.goals import direction, progress_pct
from models.rules.clients.vocabulary import HistoryKind, QbrStatus, WinStatus
from models.rules.moments import iso_seconds
from models.tables.clients import HistoryEvent
from models.tables.clients_reviews import ClientGoal, Qbr, SuccessProfile, Win
from models.tables.clients_scores import ClientHealthScore
from models.tables.companies import Meeting, Project

MOST: Final = 40
"""How many entries of one kind a window is given to a model with."""
MOST_EVENTS: Final = 200
LONGEST_NOTES: Final = 4000
_GOAL_MEMBERS = (
    "id", "metric", "unit", "period", "target", "baseline", "current_value", "achieved_at",
)  # fmt: skip
_PROFILE_MEMBERS = (
    "financial_year_start", "financial_year_end", "key_trading_periods", "channel_online_pct",
    "channel_instore_pct", "channel_wholesale_pct", "celebration_vision",
    "growth_priorities_text", "company_direction_text",
)  # fmt: skip


def plain(value: Any) -> Any:
    """The value as JSON has it: whole numbers without a fraction, moments to the second."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, datetime):
        return iso_seconds(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str):
        return value[:LONGEST_NOTES]
    return value


def first_moment(day: date) -> datetime:
    """The beginning of a day in UTC."""
    return datetime.combine(day, time(), UTC)


async def goals(db: AsyncConnection, company_id: str) -> list[dict[str, Any]]:
    """All goals with their progress, newest first."""
    found = await db.execute(
        select(*(getattr(ClientGoal, name) for name in _GOAL_MEMBERS))
        .where(ClientGoal.company_id == company_id)
        .order_by(ClientGoal.created_at.desc(), ClientGoal.id)
        .limit(MOST)
    )
    return [_goal(row) for row in found]


def _goal(row: Any) -> dict[str, Any]:
    way = direction(row.metric, target=row.target, baseline=row.baseline)
    progress = progress_pct(
        target=row.target, baseline=row.baseline, current=row.current_value, direction=way
    )
    return {**_members(row), "progress_pct": plain(progress)}


async def wins(
    db: AsyncConnection, company_id: str, *, since: date, until: date, most: int = MOST
) -> list[dict[str, Any]]:
    """Wins of these days, both included, that nobody dismissed; newest first."""
    found = await db.execute(
        select(
            Win.id, Win.title, Win.description, Win.outcome_text, Win.metric_key, Win.metric_delta,
            Win.metric_delta_unit, Win.won_at, Win.linked_goal_id, Win.status,
        )
        .where(
            Win.company_id == company_id,
            Win.status != WinStatus.DISMISSED,
            Win.won_at.between(since, until),
        )
        .order_by(Win.won_at.desc(), Win.created_at.desc())
        .limit(most)
    )  # fmt: skip
    return [_members(row) for row in found]


async def health_scores(
    db: AsyncConnection, company_id: str, *, since: date | None = None, most: int = MOST
) -> list[dict[str, Any]]:
    """Health scores with what they were made of, newest first."""
    found = await db.execute(
        _since(
            select(
                ClientHealthScore.id, ClientHealthScore.score, ClientHealthScore.previous_score,
                ClientHealthScore.factors, ClientHealthScore.created_at,
            ).where(ClientHealthScore.company_id == company_id),
            ClientHealthScore.created_at,
            since,
        )
        .order_by(ClientHealthScore.created_at.desc(), ClientHealthScore.id)
        .limit(most)
    )  # fmt: skip
    return [{**_members(row), "factors": list(row.factors)} for row in found]


async def meetings(
    db: AsyncConnection, company_id: str, *, until: date, since: date | None = None,
    most: int = MOST,
) -> list[dict[str, Any]]:  # fmt: skip
    """Meetings that have taken place, with their notes, newest first."""
    held = Meeting.held_on <= until
    found = await db.execute(
        select(Meeting.id, Meeting.title, Meeting.held_on.label("date"), Meeting.notes)
        .where(
            Meeting.company_id == company_id,
            held if since is None else held & (Meeting.held_on >= since),
        )
        .order_by(Meeting.held_on.desc(), Meeting.created_at.desc())
        .limit(most)
    )
    return [_members(row) for row in found]


async def history(
    db: AsyncConnection, company_id: str, *, since: date | None = None, most: int = MOST_EVENTS
) -> list[dict[str, Any]]:
    """Events of the client's history, newest first.

    That a summary was generated is left out: each one would make the next input a new one.
    """
    found = await db.execute(
        _since(
            select(
                HistoryEvent.id, HistoryEvent.event_type, HistoryEvent.field,
                HistoryEvent.old_value, HistoryEvent.new_value, HistoryEvent.details,
                HistoryEvent.created_at,
            ).where(
                HistoryEvent.resource_type == "client",
                HistoryEvent.resource_id == company_id,
                HistoryEvent.event_type != HistoryKind.AI_SUMMARY_GENERATED,
            ),
            HistoryEvent.created_at,
            since,
        )
        .order_by(HistoryEvent.created_at.desc(), HistoryEvent.id.desc())
        .limit(most)
    )  # fmt: skip
    return [_members(row) for row in found]


async def projects(
    db: AsyncConnection, company_id: str, *, since: date, until: date
) -> list[dict[str, Any]]:
    """Projects that were active in these days: those that are, and those changed since."""
    found = await db.execute(
        select(Project.id, Project.name, Project.status)
        .where(
            Project.company_id == company_id,
            Project.created_at < first_moment(until + timedelta(days=1)),
            or_(Project.status == "active", Project.updated_at >= first_moment(since)),
        )
        .order_by(Project.created_at.desc(), Project.id)
        .limit(MOST)
    )
    return [_members(row) for row in found]


async def success_profile(db: AsyncConnection, company_id: str) -> dict[str, Any] | None:
    """The answers to the success questionnaire, if there are any."""
    found = await db.execute(
        select(*(getattr(SuccessProfile, name) for name in _PROFILE_MEMBERS)).where(
            SuccessProfile.company_id == company_id
        )
    )
    row = found.one_or_none()
    return None if row is None else _members(row)


async def last_qbr(db: AsyncConnection, company_id: str, *, until: date) -> dict[str, Any] | None:
    """What came out of the last review that was held, and the next steps it named."""
    found = await db.execute(
        select(Qbr.id, Qbr.held_on.label("date"), Qbr.outcomes, Qbr.content)
        .where(
            Qbr.company_id == company_id, Qbr.held_on <= until, Qbr.status != QbrStatus.DRAFT
        )
        .order_by(Qbr.held_on.desc(), Qbr.created_at.desc())
        .limit(1)
    )  # fmt: skip
    row = found.one_or_none()
    if row is None:
        return None
    values = _members(row)
    content = values.pop("content") or {}
    return {**values, "next_steps": content.get("next_steps", [])}


async def qbrs(db: AsyncConnection, company_id: str, *, most: int) -> list[dict[str, Any]]:
    """The last reviews with their texts, newest date first."""
    found = await db.execute(
        select(Qbr.id, Qbr.held_on.label("date"), Qbr.status, Qbr.summary, Qbr.outcomes)
        .where(Qbr.company_id == company_id)
        .order_by(Qbr.held_on.desc(), Qbr.created_at.desc())
        .limit(most)
    )
    return [_members(row) for row in found]


def _since(
    statement: Select[*tuple[Any, ...]], moment: ColumnElement[datetime] | Any, since: date | None
) -> Select[*tuple[Any, ...]]:
    return statement if since is None else statement.where(moment >= first_moment(since))


def _members(row: Any) -> dict[str, Any]:
    columns: Mapping[str, Any] = row._mapping
    return {name: plain(value) for name, value in columns.items()}


def ids(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The ids of what was given."""
    return [row["id"] for row in rows]
