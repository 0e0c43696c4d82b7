"""What crosses Temporal about pulling a client's numbers from platforms: ids and small facts.

Source: clients/connections.yaml, rules.sync and rules.backfill. Credentials never do.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

SYNC: Final = "sync"
"""The workflow's name, and the first part of its id: one open run a client."""
BACKFILL: Final = "backfill"


def sync_workflow(company_id: str) -> str:
    """The id of a client's sync."""
    return f"{SYNC}:{company_id}"


def backfill_workflow(company_id: str) -> str:
    """The id of a client's backfill, which is its lock."""
    return f"{BACKFILL}:{company_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncOrder:
    """Bring what is stored of a client's platforms up to date."""

    tenant_id: str
    company_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AskSync:
    """Ask for a sync, a running one included; without a person the history says nothing of it.

    A running sync also takes the connections that were made since it began.
    """

    principal_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BackfillOrder:
    """Load the days before today from all of a client's ad platforms, for a person."""

    tenant_id: str
    company_id: str
    days: int
    principal_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteStart:
    """Write into the history that a person has a sync or, of so many `days`, a backfill started.

    `once` is what the event is known by, however often the step is tried.
    """

    tenant_id: str
    company_id: str
    principal_id: str
    once: str
    at: datetime
    days: int | None = None
