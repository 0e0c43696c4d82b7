"""What crosses Temporal about pulling a client's numbers from platforms: ids and small facts.

Source: clients/connections.yaml, rules.sync and rules.backfill. Credentials never do.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from models.rules.platforms.ledger import Level
from models.rules.platforms.registry import PLATFORMS, PlatformId

SYNC: Final = "sync"
"""The workflow's name, and the first part of its id: one open run a client."""
LOOK_AGAIN: Final = "look_again"
"""The signal that a sync is started with, or has when it runs already."""
BACKFILL: Final = "backfill"
SYNC_DISPATCH: Final = "sync-dispatch"
SYNC_SUMMARY: Final = "Sync the platforms of a client"

RESTING: Final = "Resting"
"""The type of the error of a step that must come again later; its detail is when."""
NOT_ACTIVE: Final = "NotActive"
"""The type of the error of a step whose connection expired or was disconnected meanwhile."""
REJECTED: Final = "CredentialsRejected"
REFUSED: Final = "RequestRefused"
BUSY: Final = "PlatformBusy"


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


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionRef:
    """A connection, and whose platform it is to."""

    tenant_id: str
    company_id: str
    connection_id: str
    platform: PlatformId

    @property
    def name(self) -> str:
        """The platform's name, for people."""
        return PLATFORMS[self.platform].display_name

    @property
    def is_ad_platform(self) -> bool:
        return PLATFORMS[self.platform].is_ad_platform


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyConnections:
    """Find a client's active connections, those to ad platforms alone where it says so."""

    tenant_id: str
    company_id: str
    only_ads: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyedConnections:
    """The client's name, and what there is to pull from."""

    client_name: str
    connections: tuple[ConnectionRef, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BeginPull:
    """Get ready to pull: the days that a sync needs, or the last so many `days` of a backfill."""

    of: ConnectionRef
    days: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Consecutive days of a connection on one level, which are pulled and stored as one."""

    level: Level
    first: date
    last: date

    def __str__(self) -> str:
        what = "campaigns" if self.level is Level.CAMPAIGN else "account"
        return f"{what} {self.first} to {self.last}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """What has to be pulled, in this order."""

    windows: tuple[Window, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PullWindow:
    """Pull one window."""

    of: ConnectionRef
    window: Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulled:
    """How many rows were stored."""

    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteGap:
    """Write down why a window could not be pulled."""

    of: ConnectionRef
    window: Window
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EndPull:
    """Write down how the pull of a connection went; a backfill tells of its failures alone."""

    of: ConnectionRef
    at: datetime
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BackfillProgress:
    """How far a backfill is, over all connections."""

    connections: int
    windows: int
    windows_done: int
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchSyncs:
    """Start the daily sync of every client, of all tenants, that is due in this stretch of time."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchedSyncs:
    """How many syncs were started, of the tenants up to which, and whose could not be."""

    syncs: int = 0
    after: str = ""
    missed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchedHour:
    """Up to when everybody who is due was told, which is where the next run of it begins."""

    until: datetime
    syncs: int
