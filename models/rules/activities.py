"""The state machine of an agent activity, as the contract has it."""

from models.rules.vocabulary import ActivityStatus as S
from models.rules.vocabulary import RunError
from models.rules.vocabulary import WakeReason as W

AUTOMATIC_RUNS = 3
"""Runs in all before an activity fails; an admin's retry starts the count anew."""

AT_REST = frozenset({S.DONE, S.FAILED})
RUNNABLE = frozenset({S.ASSIGNED, S.REASSIGNED})

HELD_BY_PAUSE = frozenset({S.ASSIGNED, S.REASSIGNED, S.IN_PROGRESS})
HELD_BY_ARCHIVE = HELD_BY_PAUSE | {S.AWAITING_APPROVAL}

_WAKES: dict[S, frozenset[W]] = {
    S.AWAITING_APPROVAL: frozenset(
        {W.REVIEW_APPROVED, W.REVIEW_FEEDBACK, W.APPROVAL_EXPIRED, W.BUDGET_RAISED}
    ),
    S.AWAITING_SUBTASK: frozenset({W.SUBTASKS_DONE, W.SUBTASK_FAILED}),
    S.AWAITING_REVIEW: frozenset({W.REVIEW_APPROVED, W.REVIEW_FEEDBACK, W.SUBTASK_FAILED}),
    S.FAILED: frozenset({W.MANUAL_RETRY}),
}
_WAKES_OF_BLOCKED: dict[W | None, frozenset[W]] = {
    W.CAMPAIGN_PAUSED: frozenset({W.CAMPAIGN_RESUMED}),
    W.BUDGET_EXHAUSTED: frozenset(
        {W.BUDGET_RAISED, W.REVIEW_APPROVED, W.REVIEW_FEEDBACK, W.APPROVAL_EXPIRED}
    ),
    W.APPROVAL_EXPIRED: frozenset({W.COMMENT_MENTION, W.BUDGET_RAISED}),
    W.CHANNEL_DISCONNECTED: frozenset({W.CHANNEL_CONNECTED}),
    W.CAMPAIGN_ARCHIVED: frozenset(),
}


def wakes(status: S, held_by: W | None, reason: W) -> bool:
    """Tell whether this event concerns an activity in this state; late and doubled ones do not."""
    if status is S.BLOCKED:
        return reason in _WAKES_OF_BLOCKED.get(held_by, frozenset())
    return reason in _WAKES.get(status, frozenset())


def blocks(reason: W) -> bool:
    """Tell whether the event leaves the activity held instead of enqueued."""
    return reason is W.APPROVAL_EXPIRED


def retries_left(runs_failed: int, error: RunError) -> bool:
    """Tell whether a failed run is repeated by itself; a cost limit would only be hit again."""
    if error in {RunError.COST_LIMIT_EXCEEDED, RunError.CANCELLED}:
        return False
    return runs_failed < AUTOMATIC_RUNS


def keeps_transcript(reason: W, last_error: RunError | None) -> bool:
    """Tell whether the next run goes on with the transcript of the last.

    A question, subtasks or a vendor's outage leave a good transcript behind, and its turns are
    paid; a loop or a broken tool does not, so that run starts from a clean sheet.
    """
    if reason is W.HANDED_OVER:
        return False
    if reason in {W.AUTO_RETRY, W.MANUAL_RETRY}:
        return last_error in {RunError.TIMEOUT, RunError.MODEL_ERROR}
    return True
