"""What crosses Temporal about agent activities and their runs."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from models.contracts.actors import Actor
from models.rules.vocabulary import (
    ActivityStatus,
    CommentType,
    OutputFormat,
    RunError,
    WakeReason,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CarryOutActivity:
    """Start (or go on with) an activity's workflow.

    `wake_reason` is why it is enqueued; None with `resume`: take the state from the record.
    """

    tenant_id: str
    campaign_id: str
    activity_id: str
    title: str = ""
    role: str | None = None
    parent_id: str | None = None
    wake_reason: WakeReason | None = None
    resume: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """An activity's state as the record has it, for a workflow that goes on from there."""

    status: ActivityStatus
    wake_reason: WakeReason | None
    title: str
    role: str | None
    parent_id: str | None
    approval_id: str | None
    generation: int
    auto_retries: int
    run_id: str | None
    """The run that is open (suspended or cut off), if any."""
    next_turn: int
    waits_for: tuple[str, ...]
    """Subtasks that are neither done nor failed."""
    archived: bool
    paused: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryActivity:
    """An admin wants a failed activity tried again."""

    actor: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class CompleteActivity:
    """A person hands in the result of an activity that was theirs."""

    actor: Actor
    is_admin: bool
    output: str
    format: OutputFormat


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """A principal named in a comment: an agent by its role's principal, or a person."""

    type: str
    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AddComment:
    """A comment that may wake its activity; the id is minted by the caller."""

    actor: Actor
    comment_id: str
    text: str
    type: CommentType
    mentions: tuple[Mention, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityRef:
    """A step's argument that names an activity and a moment of the workflow's clock."""

    tenant_id: str
    campaign_id: str
    activity_id: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Move(ActivityRef):
    """Project a change of state; `generation` orders the changes of one activity."""

    generation: int
    status: ActivityStatus
    wake_reason: WakeReason | None = None


class BeginOutcome(StrEnum):
    """What came of the wish to run."""

    RUN = "run"
    FINISHED = "finished"
    """What was approved is carried out; there is nothing left to do."""
    HUMAN = "human"
    QUEUED = "queued"
    HELD = "held"


@dataclass(frozen=True, slots=True, kw_only=True)
class BeginRun(ActivityRef):
    """Take a slot of the agent and open a run (or go on with the one that was suspended)."""

    generation: int
    cause: WakeReason
    """What the run is about. A pause or a budget hold in between does not change it."""
    run_id: str
    resumes: bool = False
    approval_id: str | None = None
    """The approval whose decision is the cause."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """The answer to `BeginRun`; `held_by` says what holds it when the outcome is held."""

    outcome: BeginOutcome
    run_id: str | None = None
    next_turn: int = 1
    max_turns: int = 0
    timeout_sec: int = 0
    held_by: WakeReason | None = None
    cap: Decimal | None = None
    """The cap that is reached, when it is that which holds."""
    next_in_line: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspend(ActivityRef):
    """Hold an activity between two turns; its run stays open and goes on later.

    `for_good`: the campaign is archived, so that the run ends instead.
    """

    generation: int
    held_by: WakeReason
    for_good: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry(ActivityRef):
    """Record an admin's wish to try a failed activity again."""

    generation: int
    retry: RetryActivity
    run_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Complete(ActivityRef):
    """Record a person's result."""

    generation: int
    complete: CompleteActivity


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment(ActivityRef):
    """Record a comment that reaches its activity through the workflow."""

    comment: AddComment


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeTurn(ActivityRef):
    """Ask the model for turn `number` of the run."""

    run_id: str
    number: int
    seconds_left: float
    """What is left of the run's working time; outages between turns do not count."""


class TurnOutcome(StrEnum):
    """What a turn ended in."""

    TOOLS = "tools"
    OUTPUT = "output"
    AGAIN = "again"
    """The answer was cut at the token limit, or a plan is still missing: another turn follows."""
    BUDGET_EXHAUSTED = "budget_exhausted"
    CONTENDED = "contended"
    """The cap's rest is reserved by turns under way; worth another try soon."""
    HELD = "held"
    """The campaign is paused or archived: this was the checkpoint."""
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What the workflow learns of a turn: ids and small facts, never words."""

    outcome: TurnOutcome
    tool_calls: tuple[str, ...] = ()
    cost_usd: str = "0"
    seconds: float = 0
    error: RunError | None = None
    message: str = ""
    held_by: WakeReason | None = None
    cap: Decimal | None = None
    """The cap that is reached, when it is that which holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallTool(ActivityRef):
    """Make one tool call of the turn."""

    run_id: str
    call_id: str


class Ending(StrEnum):
    """What a tool call does to its run, if anything."""

    NONE = "none"
    PLAN = "plan"
    APPROVAL = "approval"
    SUBTASKS = "subtasks"
    REVIEW = "review"
    HAND_OVER = "hand_over"
    VERDICT = "verdict"


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolOutcome:
    """What the workflow learns of a tool call."""

    name: str
    ending: Ending = Ending.NONE
    is_error: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EndRun(ActivityRef):
    """Close the run: with what it ended in, or with an error.

    `approval_id` is minted by the workflow in case one is needed.
    """

    generation: int
    run_id: str
    ending: Ending
    approval_id: str
    error: RunError | None = None
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubtaskOrder:
    """A subtask or review that the workflow must start."""

    activity_id: str
    title: str
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnd:
    """Where the activity stands after its run, and what must be started because of it."""

    status: ActivityStatus
    wake_reason: WakeReason | None = None
    approval_id: str | None = None
    approval_title: str = ""
    approval_options: tuple[str, ...] = ()
    expires_at: datetime | None = None
    subtasks: tuple[SubtaskOrder, ...] = ()
    next_in_line: str | None = None
    """The activity that got the slot which this run gave back."""
    agrees: bool | None = None
    """The verdict of a reviewing activity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityEnded:
    """Signal to the campaign (and the parent): an activity came to rest."""

    activity_id: str
    status: ActivityStatus
    agrees: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetHold:
    """Signal to the campaign: this activity is held because the cap, as it saw it, is reached."""

    activity_id: str
    cap: Decimal | None
