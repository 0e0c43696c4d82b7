"""What crosses Temporal about the recalculation of revenue: who asks, how far it is, its result.

Source: clients/tier_scores.yaml, rules.recalculation.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

RECALCULATION: Final = "revenue-recalculation"
"""The workflow's name, and the first part of its id: one open run a tenant."""
DISPATCH: Final = "revenue-dispatch"
IMPORT: Final = "stripe.import_revenue"
"""The step that imports a company's linked billing."""
SUMMARY: Final = "Recalculate revenue scores and tiers"


def recalculation_workflow(tenant_id: str) -> str:
    """The id of a tenant's recalculation."""
    return f"{RECALCULATION}:{tenant_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recalculate:
    """Recalculate all clients, or those of some companies.

    With `patience_s` the caller waits this long for the result; without it, not at all.
    """

    company_ids: tuple[str, ...] | None = None
    patience_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recalculated:
    """What came of it; `left_out` companies stay as they were, since their import failed."""

    updated: int = 0
    tier_changes: int = 0
    left_out: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How much is done at a time. A workflow keeps to what it was started with."""

    links: int = 50
    """Companies whose billing is imported before the clients up to the last of them are scored."""
    clients: int = 500
    """Clients that are scored in one transaction."""
    batches: int = 10
    """Transactions in one step."""
    steps: int = 200
    """Steps in one run of the workflow, which then continues as new."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a scope is: everything up to the company `after` is done.

    Billing is imported up to `until` (None: to the end) when `imported`; of the companies on the
    way there, those in `without` could not be.
    """

    name: str
    clients: int
    today: date
    after: str = ""
    until: str | None = None
    imported: bool = False
    without: tuple[str, ...] = ()
    seen: int = 0
    updated: int = 0
    tier_changes: int = 0
    left_out: int = 0

    @property
    def result(self) -> Recalculated:
        return Recalculated(
            updated=self.updated, tier_changes=self.tier_changes, left_out=self.left_out
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A scope in the queue. `callers` are owed its result, by the ids of their updates.

    `gone` counts those whose patience ended before it did: they are expected to ask again.
    """

    number: int
    company_ids: tuple[str, ...] | None
    callers: tuple[str, ...] = ()
    gone: int = 0
    progress: Progress | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """What a run of the workflow leaves to the next."""

    entries: tuple[Entry, ...]
    next_number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecalculateRevenue:
    """A tenant's recalculation, from its beginning or from where the run before stopped."""

    tenant_id: str
    pace: Pace = Pace()
    carried: Carried | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RevenueScope:
    """The clients that a scope is about."""

    tenant_id: str
    company_ids: tuple[str, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Surveyed:
    """How many clients will be looked at, and of whom."""

    tenant_name: str
    clients: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FindLinked:
    """Find the companies with linked billing that come next."""

    scope: RevenueScope
    after: str
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rescore:
    """Score the clients between two companies anew, but for those `without` their billing.

    `once` names the run: the same change is made, and counted, once however often it is tried.
    """

    scope: RevenueScope
    once: str
    today: date
    after: str
    until: str | None
    without: tuple[str, ...]
    clients: int
    batches: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rescored:
    """How far a step came, and what came of it."""

    after: str
    done: bool = False
    seen: int = 0
    updated: int = 0
    tier_changes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchRecalculations:
    """Have every tenant recalculate, on the day of the schedule."""

    today: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatched:
    """How many tenants were told, up to which id, and who could not be."""

    tenants: int = 0
    after: str = ""
    missed: tuple[str, ...] = ()
