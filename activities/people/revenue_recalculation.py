"""The steps of a recalculation: who is next, and batches of clients scored anew.

Source: clients/tier_scores.yaml, rules.recalculation. Each batch is one transaction. What has been
written under the run's name is counted from the record, so that a batch whose worker died after
the commit is counted like any other.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection
from temporalio import activity

from activities.agents.heartbeats import heartbeats
from models.contracts.actors import SYSTEM
from models.contracts.revenue import FindLinked, Rescore, Rescored, RevenueScope, Surveyed
from models.db.database import Database
from models.queries.people import revenue_read, scorings, tier_standings
from models.queries.people import revenue_recalculation as recalculation
from models.queries.people.revenue_recalculation import Stretch
from models.queries.people.scorings import Scored
from models.queries.people.tier_standings import TierStanding
from models.rules.clients.adoption import adoption_score
from models.rules.clients.recalculation import Rescoring, Standing, is_recalculated, rescored
from models.rules.clients.revenue import Revenue, revenue, revenue_window
from models.rules.clients.vocabulary import ScoreSource, TierTrack

AT_ONCE: Final = 2
"""How many batches a worker writes at the same time: most of its connections are for agents."""


class RevenueSteps:
    """Finds and scores the clients of a tenant, some hundred at a time."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._room = asyncio.Semaphore(AT_ONCE)

    @activity.defn(name="revenue.survey")
    async def survey(self, scope: RevenueScope) -> Surveyed:
        """Say how many clients there are to look at, and of whom."""
        async with self._database.tenant(scope.tenant_id) as db:
            return Surveyed(
                tenant_name=await recalculation.tenant_name(db),
                clients=await recalculation.count(db, scope.company_ids),
            )

    @activity.defn(name="revenue.linked")
    async def linked(self, find: FindLinked) -> tuple[str, ...]:
        """Find the next companies whose billing is to be imported."""
        async with self._database.tenant(find.scope.tenant_id) as db:
            found = await recalculation.linked(
                db, after=find.after, company_ids=find.scope.company_ids, limit=find.limit
            )
            return tuple(found)

    @activity.defn(name="revenue.rescore")
    async def rescore(self, order: Rescore) -> Rescored:
        """Score some batches of clients; goes on from where an attempt before was heard of."""
        so_far = _heard_of(order)

        def progress() -> Rescored:
            return so_far

        async with heartbeats(progress):
            batches = 0
            while not so_far.done and batches < order.batches:
                async with self._room:
                    so_far = await self._batch(order, so_far)
                batches += 1
                if activity.in_activity():
                    activity.heartbeat(so_far)
        return so_far

    async def _batch(self, order: Rescore, so_far: Rescored) -> Rescored:
        stretch = Stretch(
            after=so_far.after,
            until=order.until,
            company_ids=order.scope.company_ids,
            without=order.without,
        )
        async with self._database.tenant(order.scope.tenant_id) as db:
            ids = await recalculation.next_clients(db, stretch, order.clients)
            if not ids:
                return replace(so_far, done=True)
            await _score(db, order, ids)
            updated, tier_changes = await recalculation.written(db, ids, order.once)
        return Rescored(
            after=ids[-1],
            done=len(ids) < order.clients,
            seen=so_far.seen + len(ids),
            updated=so_far.updated + updated,
            tier_changes=so_far.tier_changes + tier_changes,
        )


def _heard_of(order: Rescore) -> Rescored:
    """How far an attempt before this one had come when it was heard of last."""
    if activity.in_activity() and activity.info().heartbeat_details:
        (details,) = activity.info().heartbeat_details
        return details if isinstance(details, Rescored) else Rescored(**details)
    return Rescored(after=order.after)


async def _score(db: AsyncConnection, order: Rescore, ids: Sequence[str]) -> None:
    """Score these clients, and write those that differ."""
    standings = [
        one
        for one in await tier_standings.lock_all(db, ids)
        if is_recalculated(one.status, one.track)
    ]
    at = datetime.now(UTC)
    totals = await revenue_read.totals(db, ids, revenue_window(order.today))
    adoption = await _adoption(db, standings, order.today)
    updated: list[Scored] = []
    others: list[Scored] = []
    for one in standings:
        earned = revenue(totals[one.company_id])
        now = rescored(
            _standing(one), revenue_score=earned.score, adoption=adoption.get(one.company_id)
        )
        if now.differs:
            (updated if now.updated else others).append(_scored(one, now, earned))
    # Under a name of their own, so that the record tells those that count from those that do not.
    for scored, once in ((updated, order.once), (others, f"{order.once}:uncounted")):
        await scorings.write_all(
            db, order.scope.tenant_id, scored,
            source=ScoreSource.AUTO, actor=SYSTEM, at=at, once=once,
        )  # fmt: skip


async def _adoption(
    db: AsyncConnection, standings: Sequence[TierStanding], today: date
) -> dict[str, Decimal]:
    """The adoption scores of those that are scored by it."""
    product = [one.company_id for one in standings if one.track is TierTrack.PRODUCT]
    if not product:
        return {}
    facts = await revenue_read.adoption_facts(db, product, today)
    return {
        company_id: adoption_score(
            platforms=one.platforms, active_weeks=one.active_weeks, questionnaire=one.questionnaire
        )
        for company_id, one in facts.items()
    }


def _standing(one: TierStanding) -> Standing:
    assert one.track is not None
    return Standing(
        track=one.track,
        human=one.human,
        override=one.override.value if one.override else None,
        revenue_score=one.revenue_score,
        adoption=one.adoption,
        tier_score=one.tier_score,
        tier=one.tier,
    )


def _scored(one: TierStanding, now: Rescoring, earned: Revenue) -> Scored:
    return Scored(
        company_id=one.company_id,
        name=one.name,
        previous_tier=one.tier,
        assigned_dm_id=one.assigned_dm_id,
        last_qbr_date=one.last_qbr_date,
        next_qbr_date=one.next_qbr_date,
        scoring=now.scoring,
        revenue=earned,
        adoption=now.adoption,
        human=one.human,
        override=one.override.value if one.override else None,
        override_reason=one.override.reason if one.override else None,
    )
