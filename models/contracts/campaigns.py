"""What crosses Temporal about campaigns."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from models.contracts.actors import Actor
from models.contracts.agent_activities import BudgetHold
from models.rules.vocabulary import CampaignStatus, DeliverableType


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchCampaign:
    """Start (or go on with) a campaign's workflow. `resume`: its row exists already."""

    tenant_id: str
    campaign_id: str
    resume: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverableOrder:
    """One ordered deliverable; `quantity` is per period."""

    type: DeliverableType
    quantity: int
    platform_ids: tuple[str, ...] = ()
    template_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitCampaign:
    """A brief as it was handed in; money in US dollars, dates inclusive."""

    actor: Actor
    name: str
    brief: str
    deliverables: tuple[DeliverableOrder, ...]
    budget_cap_usd: Decimal | None = None
    start_date: date | None = None
    end_date: date | None = None
    attachments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeCampaign:
    """What an admin changes; None leaves a field as it is, `lift_cap` takes the cap away."""

    actor: Actor
    name: str | None = None
    brief: str | None = None
    budget_cap_usd: Decimal | None = None
    lift_cap: bool = False
    status: CampaignStatus | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignFacts:
    """What the workflow needs to know of its row."""

    name: str
    status: CampaignStatus
    start_date: date | None
    end_date: date | None
    anchor_date: date | None
    periods_open: int
    planner_id: str
    planned: bool
    """The planner's activity is done."""
    unsettled: int = 0
    """Activities that are neither done nor failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StartOrder:
    """An activity that is ready to be carried out."""

    activity_id: str
    title: str
    role: str
    wake_reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Advance:
    """What may start now, and how much is left: `more` says that the batch was cut."""

    start: tuple[StartOrder, ...]
    more: bool
    unsettled: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """The outcome of a change: which live activities must hear of it, and what they must hear."""

    status: CampaignStatus
    wake: tuple[str, ...] = ()
    """Ids of activities that were held for the budget and may go on."""
    approved: tuple[str, ...] = ()
    """Ids of budget authorizations that the change makes pointless."""
    live: tuple[str, ...] = ()
    """Ids of activities with a workflow, for pause, resume and archive."""
    pending: tuple[str, ...] = ()
    """Ids of pending approvals, for archive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignRef:
    """A step's argument that names a campaign and a moment of the workflow's clock."""

    tenant_id: str
    campaign_id: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AdvanceCampaign(CampaignRef):
    """Hand out what is ready; `batch` names the Temporal run and its how-manieth round."""

    batch: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateCampaign(CampaignRef):
    """Store a submitted brief."""

    submitted: SubmitCampaign


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyChange(CampaignRef):
    """Write a change."""

    change: ChangeCampaign


@dataclass(frozen=True, slots=True, kw_only=True)
class PutAway(CampaignRef):
    """Archive a campaign."""

    actor: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class AskBudget(CampaignRef):
    """Ask for money beyond the cap; the id is for the approval, should one be opened."""

    hold: BudgetHold
    approval_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetAnswer:
    """The approval that must be waited for, when a new one was opened.

    `wake`: the cap has changed since the activity was held, so that it may try again.
    """

    wake: bool = False
    approval_id: str | None = None
    title: str = ""
    expires_at: datetime | None = None
