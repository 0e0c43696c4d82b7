"""The demo agency's clients: a healthy one, one that needs attention, a company not yet promoted.

Everything is told relative to the day on which the demo is first started, so that what a newcomer
sees is never years old. Scores are what the rules make of the stories, not numbers of their own.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Final

from models.db.database import Database
from models.ids import derived_id
from models.queries.people import seeding
from models.rules.clients.adoption import adoption_score, weeks_before
from models.rules.clients.qbr_dates import after_cadence
from models.rules.clients.revenue import Revenue, SourceTotals, revenue, revenue_window
from models.rules.clients.tiers import Dimension, Scoring, score
from models.rules.clients.vocabulary import HistoryKind, TierTrack
from models.rules.vocabulary import Role
from workers.demo_relations import DELIVERY_MANAGER, HARBOUR, NORTHWIND, Relations, Row
from workers.tenants import DEMO

_ADMIN: Final = DEMO.humans[Role.ADMIN].id

_NORTHWIND_MONTHS: Final = (
    18_000, 19_500, 21_000, 22_000, 23_500, 24_000, 24_500, 25_500, 26_000, 26_500, 27_000, 27_500,
)  # fmt: skip
"""What Northwind was billed in the last 12 complete months, oldest first."""
_HARBOUR_MONTHS: Final = (10, 10, 10, 9, 9, 8, 8, 8, 7, 6, 6, 5)
"""What Harbour was billed, in thousands."""


async def ensure_demo_clients(database: Database, today: date | None = None) -> None:
    """Make the demo's clients where they are missing; what people made of them stays."""
    async with database.tenant(DEMO.id) as db:
        if not await seeding.has_company(db, NORTHWIND):
            await seeding.put(db, DEMO.id, demo_rows(today or datetime.now(UTC).date()))


def demo_rows(today: date) -> dict[str, list[Row]]:
    """Everything, by table, in the order of its foreign keys."""
    relations = Relations(today)
    past = _Scores(today, relations)
    return {
        "company": relations.companies(),
        "contact": relations.contacts(),
        "project": relations.projects(),
        "deal": relations.deals(),
        "meeting": relations.meetings(),
        "revenue_entry": past.invoices(),
        "client": past.clients(),
        "client_health_score": past.health_scores(),
        "tier_scoring": past.scorings(),
        "client_goal": relations.goals(),
        "win": relations.wins(),
        "qbr": relations.qbrs(),
        "success_profile": relations.success_profiles(),
        "adoption_week": past.adoption_weeks(),
        "history_event": past.history(),
    }


class _Scores:
    """What the clients have been scored by, and what came of it."""

    def __init__(self, today: date, relations: Relations) -> None:
        self._today = today
        self._window = revenue_window(today)
        self._last_qbr = relations.last_qbr
        self._at = relations.at
        self._northwind = self._northwind_scoring()
        self._harbour_adoption = adoption_score(platforms=0, active_weeks=5, questionnaire=False)
        self._harbour = self._harbour_scoring()

    def _northwind_scoring(self) -> tuple[Revenue, Scoring]:
        earned = revenue(
            SourceTotals(nucleus_entries=12, nucleus_total=Decimal(sum(_NORTHWIND_MONTHS)))
        )
        human = {
            Dimension.PROFITABILITY: Decimal(3),
            Dimension.STRATEGIC: Decimal(4),
            Dimension.RELATIONSHIP: Decimal(5),
        }
        return earned, score(
            TierTrack.DELIVERY,
            revenue_score=earned.score, override=None, human=human, adoption=None,
        )  # fmt: skip

    def _harbour_scoring(self) -> tuple[Revenue, Scoring]:
        total = Decimal(sum(_HARBOUR_MONTHS) * 1000)
        earned = revenue(SourceTotals(productive_entries=12, productive_total=total))
        human = {Dimension.RELATIONSHIP: Decimal(4), Dimension.GROWTH: Decimal("3.5")}
        return earned, score(
            TierTrack.PRODUCT,
            revenue_score=earned.score, override=None, human=human,
            adoption=self._harbour_adoption,
        )  # fmt: skip

    def invoices(self) -> list[Row]:
        harbour = [thousands * 1000 for thousands in _HARBOUR_MONTHS]
        return [
            *self._billed(NORTHWIND, "nucleus", "NW", _NORTHWIND_MONTHS),
            *self._billed(HARBOUR, "productive", "HB", harbour),
        ]

    def _billed(
        self, company_id: str, origin: str, prefix: str, months: Sequence[int]
    ) -> Iterator[Row]:
        for month, amount in zip(self._window.months, months, strict=True):
            number = f"{prefix}-{month:%Y-%m}"
            yield {
                "id": derived_id("demo-revenue", number),
                "company_id": company_id,
                "origin": origin,
                "external_id": number,
                "kind": "invoice",
                "counted_on": month.replace(day=15),
                "amount": Decimal(amount),
                "original_amount": Decimal(amount),
                "original_currency": "USD",
            }

    def clients(self) -> list[Row]:
        earned, northwind = self._northwind
        harbour_earned, harbour = self._harbour
        return [
            {
                **_scored(NORTHWIND, earned, northwind, at=self._at(35)),
                "health_score": Decimal(82),
                "health_scored_at": self._at(14),
                "last_qbr_date": self._last_qbr,
                "next_qbr_date": after_cadence(self._last_qbr, northwind.tier),
                "onboarding_started_at": self._at(400),
                "onboarding_completed_at": self._at(371),
                "created_at": self._at(400),
                "updated_at": self._at(14),
            },
            {
                # Scored long ago and reviewed never: what the badges are for.
                **_scored(HARBOUR, harbour_earned, harbour, at=self._at(120)),
                "tier_adoption_score": self._harbour_adoption,
                "health_score": Decimal(44),
                "health_scored_at": self._at(6),
                "next_qbr_date": self._today - timedelta(days=8),
                "onboarding_started_at": self._at(160),
                "created_at": self._at(160),
                "updated_at": self._at(6),
            },
        ]

    def health_scores(self) -> list[Row]:
        known = (
            (NORTHWIND, 100, "74", None, ["new contact in e-commerce"]),
            (NORTHWIND, 14, "82", "74", ["launch on time", "quick approvals"]),
            (HARBOUR, 62, "58", None, ["slow approvals"]),
            (HARBOUR, 6, "44", "58", ["subscribers cancel", "budget questioned"]),
        )
        return [
            {
                "id": derived_id("demo-health", company_id, str(days_ago)),
                "company_id": company_id,
                "score": Decimal(value),
                "previous_score": None if before is None else Decimal(before),
                "factors": factors,
                "assessed_by": DELIVERY_MANAGER,
                "created_at": self._at(days_ago),
            }
            for company_id, days_ago, value, before, factors in known
        ]

    def scorings(self) -> list[Row]:
        return [
            _scoring(NORTHWIND, *self._northwind, at=self._at(35)),
            _scoring(HARBOUR, *self._harbour, at=self._at(120)),
        ]

    def adoption_weeks(self) -> list[Row]:
        first, _ = weeks_before(self._today)
        used = {NORTHWIND: range(2, 12), HARBOUR: range(5)}
        return [
            {"company_id": company_id, "week": first + timedelta(weeks=number)}
            for company_id, weeks in used.items()
            for number in weeks
        ]

    def history(self) -> list[Row]:
        told: tuple[tuple[str, int, HistoryKind, Row], ...] = (
            (NORTHWIND, 400, HistoryKind.PROMOTED, {}),
            (NORTHWIND, 360, HistoryKind.SUCCESS_PROFILE_COMPLETED, {}),
            (NORTHWIND, 70, HistoryKind.QBR_PRESENTED, {}),
            (NORTHWIND, 35, HistoryKind.TIER_SCORED, {"tier": self._northwind[1].tier}),
            (NORTHWIND, 20, HistoryKind.GOAL_ACHIEVED, {"metric": "Test rides booked"}),
            (HARBOUR, 160, HistoryKind.PROMOTED, {}),
            (HARBOUR, 120, HistoryKind.TIER_SCORED, {"tier": self._harbour[1].tier}),
            (HARBOUR, 6, HistoryKind.HEALTH_RECORDED, {"score": 44}),
        )
        return [
            {
                "id": derived_id("demo-history", company_id, kind),
                "resource_type": "client",
                "resource_id": company_id,
                "event_type": kind,
                "details": details,
                "actor_id": DELIVERY_MANAGER,
                "created_at": self._at(days_ago),
            }
            for company_id, days_ago, kind, details in told
        ]


def _human(scoring: Scoring) -> Row:
    return {
        f"{dimension}_score": value
        for dimension, value in scoring.dimensions.items()
        if dimension not in (Dimension.REVENUE, Dimension.ADOPTION)
    }


def _scored(company_id: str, earned: Revenue, scoring: Scoring, *, at: datetime) -> Row:
    return {
        "id": derived_id("demo-client", company_id),
        "company_id": company_id,
        "status": "active",
        "assigned_dm_id": DELIVERY_MANAGER,
        "tier": scoring.tier,
        "tier_track": scoring.track,
        "tier_score": scoring.tier_score,
        "tier_revenue_score": earned.score,
        "tier_scored_at": at,
        "tier_scored_by": _ADMIN,
        **{f"tier_{name}": value for name, value in _human(scoring).items()},
    }


def _scoring(company_id: str, earned: Revenue, scoring: Scoring, *, at: datetime) -> Row:
    return {
        "id": derived_id("demo-scoring", company_id),
        "company_id": company_id,
        "scored_at": at,
        "tier_track": scoring.track,
        "tier": scoring.tier,
        "tier_score": scoring.tier_score,
        "revenue_score": earned.score,
        **_human(scoring),
        "adoption_score": scoring.dimensions.get(Dimension.ADOPTION),
        "annual_total": earned.annual_total,
        "revenue_source": earned.source,
        "source": "manual",
        "scored_by": _ADMIN,
    }
