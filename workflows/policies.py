"""Time-outs and retries by name, so that a workflow reads as what it does.

`RECORD` is for short, idempotent writes to PostgreSQL, which run as local activities: they cost a
third of the latency of a remote one (research/temporal.md, section 1). Whatever leaves PostgreSQL
(a model, a tool, the web) is a remote step of its own.
"""

from datetime import timedelta
from typing import Final

from temporalio.common import RetryPolicy
from temporalio.workflow import ActivityConfig, LocalActivityConfig

TASK_QUEUE: Final = "agents"

_RAN_OUT: Final = "TemporalTimeout:StartToClose"
"""The server's name for a step that used up all of its time."""

_FOREVER = RetryPolicy(
    initial_interval=timedelta(milliseconds=200),
    backoff_coefficient=2,
    maximum_interval=timedelta(seconds=10),
)

RECORD: Final[LocalActivityConfig] = {
    "start_to_close_timeout": timedelta(seconds=30),
    "retry_policy": _FOREVER,
}

HEARTBEAT: Final = timedelta(seconds=6)
"""How long a step may be silent before its worker counts as dead."""

BULK: Final[ActivityConfig] = {
    "start_to_close_timeout": timedelta(minutes=10),
    "heartbeat_timeout": HEARTBEAT,
    "retry_policy": _FOREVER,
}
"""Long writes that can be repeated, such as opening a period of ten thousand activities."""

LLM_RETRIES: Final = RetryPolicy(
    initial_interval=timedelta(milliseconds=200),
    backoff_coefficient=2,
    maximum_interval=timedelta(seconds=10),
    # A turn that used up its run's time is not given it again.
    non_retryable_error_types=[_RAN_OUT],
)
"""Dead workers and databases are outlived; how often a vendor may fail is the step's to count."""


def with_summary(policy: ActivityConfig, summary: str) -> ActivityConfig:
    """The policy, with words for the operator who looks at the step."""
    return {**policy, "summary": summary}


TOOL: Final[ActivityConfig] = {
    "start_to_close_timeout": timedelta(seconds=60),
    "heartbeat_timeout": HEARTBEAT,
    "retry_policy": RetryPolicy(
        initial_interval=timedelta(milliseconds=500), maximum_interval=timedelta(seconds=10),
        maximum_attempts=8,
    ),
}  # fmt: skip

CHECK: Final[ActivityConfig] = {
    "start_to_close_timeout": timedelta(seconds=30),
    "retry_policy": RetryPolicy(maximum_attempts=1),
}

TEXT: Final[ActivityConfig] = {
    # The step gives the model 60 seconds by itself, and then writes down what was used.
    "start_to_close_timeout": timedelta(seconds=75),
    "heartbeat_timeout": HEARTBEAT,
    "retry_policy": RetryPolicy(
        initial_interval=timedelta(seconds=2), backoff_coefficient=2, maximum_attempts=3
    ),
}
"""One call of a model for a text about a client: three attempts, dead workers included."""

APPROVAL_TASK_TIMEOUT: Final = timedelta(seconds=2)
"""How long a worker may keep an approval's workflow task. A decision that reaches a worker in the
moment of its death waits this long for another one; the default would be ten seconds."""

AUTO_RETRY_PAUSES: Final = (timedelta(seconds=5), timedelta(seconds=30))
"""Before the second and the third run of an activity; there is no fourth."""

SLOT_RECHECK: Final = timedelta(minutes=5)
"""How long an activity trusts that it will be told of a free slot before it looks itself."""

RESCORE: Final[ActivityConfig] = BULK
"""Batches of clients, scored anew one after the other; each is repeated without being counted
twice, and the next attempt begins where the last one was heard of."""

DISPATCH: Final[ActivityConfig] = {**BULK, "schedule_to_close_timeout": timedelta(days=1)}
"""A tenant that cannot be told is given up after a day: a schedule that skips what still runs
would else never tell the others again."""

BILLING: Final[ActivityConfig] = {
    "start_to_close_timeout": timedelta(hours=1),
    "heartbeat_timeout": timedelta(seconds=30),
    "retry_policy": RetryPolicy(
        initial_interval=timedelta(seconds=2), maximum_interval=timedelta(seconds=30),
        maximum_attempts=3,
    ),
}  # fmt: skip
"""An import from a billing system: after three attempts the rest goes on without it."""

PULL: Final[ActivityConfig] = {
    "start_to_close_timeout": timedelta(minutes=30),
    "heartbeat_timeout": HEARTBEAT,
    "retry_policy": RetryPolicy(
        initial_interval=timedelta(seconds=5), backoff_coefficient=2, maximum_attempts=5,
        non_retryable_error_types=[_RAN_OUT],
    ),
}  # fmt: skip
"""One question to a platform, such as a window of days; dead workers count as attempts. Who has not
answered within half an hour is not waited for as long again: a backfill has dozens of them."""

REST_PATIENCE: Final = timedelta(hours=24)
"""How long a pull waits in all for a platform that has had enough of us: then comes the next."""

SYNC_DISPATCH: Final[ActivityConfig] = {**BULK, "schedule_to_close_timeout": timedelta(minutes=30)}
"""Syncs that cannot be started are left to the next day before they hold up those of others."""
