"""Scorings of clients: written here and nowhere else, one or a thousand in the same statements.

Source: clients/tier_scores.yaml, the effects of client_tiers.update and rules.recalculation.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from typing import Any, Final

from sqlalchemy import Update, func, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models.contracts.actors import Actor
from models.db import many
from models.ids import derived_id, new_id
from models.queries.people.client_profiles import Notice, moved, tell_delivery_managers
from models.queries.people.history import Happened, Occurrence, record_all
from models.queries.people.tier_standings import HUMAN_COLUMNS
from models.rules.clients.qbr_dates import next_qbr_on_change
from models.rules.clients.revenue import Revenue
from models.rules.clients.tiers import Dimension, Scores, Scoring
from models.rules.clients.vocabulary import HistoryKind, NotificationKind, ScoreSource, Tier
from models.tables.clients import Client
from models.tables.clients_scores import TierScoring


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """A client as it was, and how it is scored now.

    `human` has all scores of people that stay stored, those of the other track too; `adoption` is
    None on the delivery track, where the stored one stays.
    """

    company_id: str
    name: str
    previous_tier: Tier | None
    assigned_dm_id: str | None
    last_qbr_date: date | None
    next_qbr_date: date | None
    scoring: Scoring
    revenue: Revenue
    adoption: Decimal | None
    human: Scores
    override: Decimal | None = None
    override_reason: str | None = None

    @property
    def tier_changed(self) -> bool:
        """Whether it has another tier than before; the first one is another too."""
        return self.scoring.tier is not self.previous_tier


_SCORINGS: Final = (
    many.inserting(
        TierScoring,
        "id", "tenant_id", "company_id", "scored_at", "tier_track", "tier", "previous_tier",
        "tier_score", "revenue_score", "revenue_override", "override_reason",
        "profitability_score", "strategic_score", "relationship_score", "growth_score",
        "adoption_score", "annual_total", "revenue_source", "source", "scored_by",
    )
    .on_conflict_do_nothing()
    .returning(TierScoring.company_id)
)  # fmt: skip
_REPLACED: Final = (
    "tier", "tier_track", "tier_score", "tier_revenue_score",
    *(column.key for column in HUMAN_COLUMNS.values()),
    "tier_revenue_override", "tier_override_reason",
)  # fmt: skip
_KEPT_WITHOUT_VALUE: Final = ("tier_adoption_score", "next_qbr_date")
_OF_PEOPLE: Final = ("tier_scored_at", "tier_scored_by")


async def write_all(
    db: AsyncConnection,
    tenant_id: str,
    scored: Sequence[Scored],
    *,
    source: ScoreSource,
    actor: Actor,
    at: datetime,
    once: str | None = None,
) -> int:
    """Write the scorings of these clients with all their effects; how many have another tier now.

    The caller has locked the clients (`tier_standings.lock_all`) and each is there once. Steps give
    `once`, by which a client is scored once however often the step is tried; who has been scored
    by an earlier try is passed over, and not counted.
    """
    if not scored:
        return 0
    ids = {one.company_id: scoring_id(one.company_id, once) for one in scored}
    who = actor.id if source is ScoreSource.MANUAL else None
    rows = [
        {"id": ids[one.company_id], "tenant_id": tenant_id, "scored_at": at, "source": source,
         "scored_by": who, **_entry(one)}
        for one in scored
    ]  # fmt: skip
    written = set((await db.execute(_SCORINGS, many.rows(rows))).scalars())
    new = [one for one in scored if one.company_id in written]
    dates = {one.company_id: _next_qbr(one, at) for one in new if one.tier_changed}
    await _update_clients(db, new, dates, source=source, by=who, at=at)
    happened = [
        Happened(company_id=one.company_id, occurrences=_occurrences(one, dates, source))
        for one in new
    ]
    await record_all(db, tenant_id=tenant_id, actor=actor, happened=happened, at=at, once=once)
    notices = [_notice(one, ids[one.company_id]) for one in new if one.tier_changed]
    await tell_delivery_managers(db, tenant_id, NotificationKind.TIER_CHANGED, notices)
    return len(dates)


def scoring_id(company_id: str, once: str | None) -> str:
    """The id of a client's scoring: the same for the same `once`."""
    return new_id() if once is None else derived_id("tier-scoring", company_id, once)


def _entry(one: Scored) -> dict[str, Any]:
    """A scoring in the tier history, where scores of the other track have no place."""
    dimensions = one.scoring.dimensions
    shown = (*HUMAN_COLUMNS, Dimension.ADOPTION)
    return {
        "company_id": one.company_id,
        "tier_track": one.scoring.track,
        "tier": one.scoring.tier,
        "previous_tier": one.previous_tier,
        "tier_score": one.scoring.tier_score,
        "revenue_score": one.revenue.score,
        "revenue_override": one.override,
        "override_reason": one.override_reason,
        **{f"{dimension}_score": dimensions.get(dimension) for dimension in shown},
        "annual_total": one.revenue.annual_total,
        "revenue_source": one.revenue.source,
    }


async def _update_clients(
    db: AsyncConnection,
    scored: Sequence[Scored],
    dates: Mapping[str, date],
    *,
    source: ScoreSource,
    by: str | None,
    at: datetime,
) -> None:
    if not scored:
        return
    rows = [
        {
            "company_id": one.company_id,
            "tier": one.scoring.tier,
            "tier_track": one.scoring.track,
            "tier_score": one.scoring.tier_score,
            "tier_revenue_score": one.revenue.score,
            **{column.key: one.human.get(name) for name, column in HUMAN_COLUMNS.items()},
            "tier_revenue_override": one.override,
            "tier_override_reason": one.override_reason,
            "tier_adoption_score": one.adoption,
            "next_qbr_date": dates.get(one.company_id),
            "tier_scored_at": at,
            "tier_scored_by": by,
            "updated_at": at,
        }
        for one in scored
    ]
    await db.execute(_updating(by_person=source is ScoreSource.MANUAL), many.rows(rows))


@cache
def _updating(*, by_person: bool) -> Update:
    replaced = (*_REPLACED, *(_OF_PEOPLE if by_person else ()), "updated_at")
    sent = many.sent(Client, "company_id", *replaced, *_KEPT_WITHOUT_VALUE)
    values: dict[str, Any] = {name: sent.c[name] for name in replaced}
    for name in _KEPT_WITHOUT_VALUE:
        values[name] = func.coalesce(sent.c[name], getattr(Client, name))
    return update(Client).where(Client.company_id == sent.c.company_id).values(values)


def _next_qbr(one: Scored, at: datetime) -> date:
    today = at.astimezone(UTC).date()
    return next_qbr_on_change(one.scoring.tier, last=one.last_qbr_date, today=today)


def _occurrences(one: Scored, dates: Mapping[str, date], source: ScoreSource) -> list[Occurrence]:
    score = float(one.scoring.tier_score)
    occurrences: list[Occurrence] = []
    if source is ScoreSource.MANUAL:
        details = {"tier": one.scoring.tier, "tier_score": score, "tier_track": one.scoring.track}
        occurrences.append(Occurrence(kind=HistoryKind.TIER_SCORED, details=details))
    if one.tier_changed:
        change = Occurrence(
            kind=HistoryKind.TIER_CHANGED, field="tier", old_value=one.previous_tier,
            new_value=one.scoring.tier, details={"tier_score": score, "source": source},
        )  # fmt: skip
        before = {"next_qbr_date": one.next_qbr_date}
        occurrences += [change, *moved(before, {"next_qbr_date": dates[one.company_id]})]
    return occurrences


def _notice(one: Scored, scoring_id: str) -> Notice:
    tier, score = one.scoring.tier, one.scoring.tier_score
    since = f", until now {one.previous_tier}" if one.previous_tier else ""
    return Notice(
        company_id=one.company_id,
        assigned_dm_id=one.assigned_dm_id,
        title=f"{one.name} is now {tier}",
        body=f"The tier of {one.name} is {tier}{since}. Its tier score is {score}.",
        payload={
            "company_id": one.company_id,
            "tier": tier,
            "previous_tier": one.previous_tier,
            "tier_score": float(score),
        },
        once=scoring_id,
    )
