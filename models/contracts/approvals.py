"""What crosses Temporal about approvals."""

from dataclasses import dataclass
from datetime import datetime

from models.contracts.actors import Actor
from models.rules.vocabulary import Resolution, WakeReason


@dataclass(frozen=True, slots=True, kw_only=True)
class AwaitApproval:
    """Wait for one approval. Its row exists, or `reopen` makes it from an expired one."""

    tenant_id: str
    campaign_id: str
    approval_id: str
    title: str = ""
    expires_at: datetime | None = None
    options: tuple[str, ...] = ()
    reopens_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReopenApproval:
    """Ask an expired approval anew for the same activities."""

    actor: Actor
    expires_in_hours: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolveApproval:
    """What an admin decides; the note is required unless it is an approval.

    The id tells a repeat of this decision from another that says the same.
    """

    id: str
    actor: Actor
    resolution: Resolution
    selected_option: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedApproval:
    """The answer to a resolution; `re_enqueued` counts the activities that go on."""

    approval_id: str
    resolution: Resolution
    re_enqueued: int
    activity_ids: tuple[str, ...] = ()
    found: bool = False
    """Another decision was in the record already when this ending was to be written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseApproval:
    """End a pending approval without a decision of its own: archived, or the cap was raised."""

    wake_reason: WakeReason
    actor: Actor | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalSettled:
    """Signal to linked activities: how their approval ended."""

    approval_id: str
    wake_reason: WakeReason


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalStep:
    """A step's argument that names an approval and a moment of the workflow's clock."""

    tenant_id: str
    approval_id: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """What the wait needs to know of an approval's row."""

    title: str
    expires_at: datetime
    options: tuple[str, ...] = ()
    activity_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Remind(ApprovalStep):
    """Announce that an approval will expire."""

    hours_left: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Decide(ApprovalStep):
    """Record how an approval ends: by a decision, or by being closed."""

    decision: ResolveApproval | None = None
    closing: CloseApproval | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reopen(ApprovalStep):
    """Make the row of an approval that asks an expired one anew."""

    reopens_id: str
    asked: ReopenApproval
