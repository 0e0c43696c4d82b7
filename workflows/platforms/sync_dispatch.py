"""Every hour: the clients that are due in it are synced, spread over it.

Source: clients/common.yaml, rules.workflows. The hour is told in small parts, so that nothing but a
moment has to be remembered: of twenty thousand clients none is named here.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

from temporalio import workflow
from temporalio.exceptions import ActivityError, CancelledError

from activities.platforms.sync_dispatch import SyncDispatchSteps
from models.contracts.platforms import SYNC_DISPATCH, DispatchedHour, DispatchSyncs
from workflows import policies

PART: Final = 3
"""The minutes that are told at once; every zone's hours begin with such a part."""
HOUR: Final = timedelta(hours=1)
LONGEST: Final = timedelta(hours=24)
"""How far back a run makes up for what was missed: each client is due once in a day."""


@workflow.defn(name=SYNC_DISPATCH)
class SyncDispatchWorkflow:
    """Begins where the run before it has stopped, and ends with the hour in which it began."""

    def __init__(self) -> None:
        self._syncs = 0

    @workflow.run
    async def run(self) -> DispatchedHour:
        """Tell everybody who is due; answers up to when."""
        now = workflow.now().astimezone(UTC)
        end = now.replace(minute=0, second=0, microsecond=0) + HOUR
        start = self._start(end)
        if start < now:
            # Whoever was due while nobody looked is told at once, and once.
            await self._tell(start, min(now, end))
            start = now
        while start < end:
            until = min(_next_part(start), end)
            await workflow.sleep(
                max(start - workflow.now(), timedelta(0)), summary="until the next are due"
            )
            await self._tell(start, until)
            start = until
        return DispatchedHour(until=end, syncs=self._syncs)

    def _start(self, end: datetime) -> datetime:
        """Where the last run stopped; without one, the beginning of this hour."""
        if not workflow.has_last_completion_result():
            return end - HOUR
        last = workflow.get_last_completion_result(DispatchedHour)
        assert last is not None
        return max(last.until, end - LONGEST)

    async def _tell(self, start: datetime, end: datetime) -> None:
        order = DispatchSyncs(start=start, end=end)
        words = f"Start the syncs due from {start:%H:%M} to {end:%H:%M} UTC"
        policy = policies.with_summary(policies.SYNC_DISPATCH, words)
        try:
            told = await workflow.execute_activity_method(
                SyncDispatchSteps.dispatch, order, **policy
            )
        except ActivityError as failed:
            if isinstance(failed.cause, CancelledError):
                raise
            # Nobody else is to wait for them: the next day's sync closes the gap.
            workflow.logger.warning("syncs not started", extra={"due": start.isoformat()})
            return
        self._syncs += told.syncs
        workflow.set_current_details(f"{self._syncs:,} syncs started up to {end:%H:%M} UTC")


def _next_part(start: datetime) -> datetime:
    whole = start.replace(second=0, microsecond=0)
    return whole + timedelta(minutes=PART - whole.minute % PART)
