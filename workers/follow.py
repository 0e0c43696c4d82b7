"""Following one campaign through the REST API until it is finished, stuck or left alone."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import httpx

from workers.api_client import Activity, Api, ApiRefused, Approval
from workers.progress import Snapshot, View

_LOOK_EVERY: Final = 1.0
_QUIET: Final = 45.0
_SERVER_FAULT: Final = 500
# A stream opens before its run does, so that the words of a short run are seen too.
_AT_WORK: Final = frozenset({"assigned", "reassigned", "in_progress"})
_RESTING: Final = frozenset({"done", "failed", "blocked", "created"})

Asked = Callable[[Approval], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How it ended; `reasons` is empty when everything was done."""

    snapshot: Snapshot
    reasons: Sequence[str] = ()


@dataclass(slots=True)
class Follower:
    """Looks at a campaign whenever something happens, at least once a second."""

    api: Api
    campaign_id: str
    view: View
    asked: Asked
    _streams: dict[str, "asyncio.Task[None]"] = field(default_factory=dict)
    _seen: set[str] = field(default_factory=set)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> Outcome:
        """Show everything until nothing moves any more, or the caller cancels."""
        listening = asyncio.create_task(self._listen())
        try:
            return await self._until_settled()
        finally:
            tasks = [listening, *self._streams.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _until_settled(self) -> Outcome:
        changed_at, last, settled = time.monotonic(), None, 0
        while True:
            snapshot = await self._look()
            if snapshot is not None:
                state = fingerprint(snapshot)
                if state != last:
                    changed_at, last = time.monotonic(), state
                # The plan's activities may appear a moment after the campaign turns active.
                settled = settled + 1 if is_settled(snapshot) else 0
                quiet = time.monotonic() - changed_at > _QUIET
                if settled >= 2 or (quiet and is_resting(snapshot)):
                    return Outcome(snapshot=snapshot, reasons=await self._reasons(snapshot))
            await self._pause()

    async def _look(self) -> Snapshot | None:
        try:
            snapshot = await self._read()
            self.view.show(snapshot)
            self._follow_words(snapshot)
            for approval in snapshot.approvals:
                if approval.id not in self._seen:
                    await self.asked(approval)
                    self._seen.add(approval.id)
        except (httpx.TransportError, ApiRefused) as error:
            if isinstance(error, ApiRefused) and error.status < _SERVER_FAULT:
                raise
            return None  # The API is being started again; the next look tells.
        return snapshot

    async def _read(self) -> Snapshot:
        campaign, activities, pending = await asyncio.gather(
            self.api.campaign(self.campaign_id),
            self.api.activities(self.campaign_id),
            self.api.pending_approvals(),
        )
        ours = {activity.id for activity in activities}
        approvals = [
            approval
            for approval in pending
            if any(linked.id in ours for linked in approval.linked_activities)
        ]
        return Snapshot(campaign=campaign, activities=activities, approvals=approvals)

    async def _pause(self) -> None:
        self._wake.clear()
        try:
            await asyncio.wait_for(self._wake.wait(), _LOOK_EVERY)
        except TimeoutError:
            return
        await asyncio.sleep(0.1)  # Several events often come together: one look serves them all.

    async def _listen(self) -> None:
        async for event in self.api.events("/events/stream"):
            if event.name == "budget_alert" and event.content["campaignId"] == self.campaign_id:
                spent, cap = event.content["spentUsd"], event.content["capUsd"]
                self.view.note(f"Budget: ${spent} of ${cap} are spent", "yellow")
            self._wake.set()

    def _follow_words(self, snapshot: Snapshot) -> None:
        for activity in snapshot.activities:
            task = self._streams.get(activity.id)
            if activity.status in _AT_WORK:
                # A stream that has ended is not opened again for the run that it showed.
                if task is None:
                    self._streams[activity.id] = asyncio.create_task(self._words(activity))
            elif task is not None and task.done():
                del self._streams[activity.id]

    async def _words(self, activity: Activity) -> None:
        try:
            async for event in self.api.events(f"/activities/{activity.id}/stream"):
                if event.name == "text_delta":
                    self.view.words(activity, event.content["delta"])
                elif event.name == "tool_call":
                    self.view.note(f"{activity.agent_role} uses {event.content['name']}", "dim")
        except ApiRefused as error:
            self.view.note(f"The words of {activity.title!r} cannot be read: {error}", "yellow")
        self._wake.set()

    async def _reasons(self, snapshot: Snapshot) -> list[str]:
        reasons = []
        for activity in snapshot.activities:
            if activity.status == "failed":
                errors = await self.api.run_errors(activity.id)
                reasons.append(f"{activity.title}: failed ({errors[0] if errors else 'unknown'})")
            elif activity.status != "done":
                why = f" ({activity.wake_reason})" if activity.wake_reason else ""
                reasons.append(f"{activity.title}: {activity.status}{why}")
        return reasons


def fingerprint(snapshot: Snapshot) -> tuple[object, ...]:
    """What changes whenever the campaign gets on."""
    states = tuple((item.id, item.status, item.wake_reason) for item in snapshot.activities)
    return snapshot.campaign.status, states, tuple(item.id for item in snapshot.approvals)


def is_settled(snapshot: Snapshot) -> bool:
    """Whether all work that there is has ended, well or not."""
    statuses = {activity.status for activity in snapshot.activities}
    if snapshot.campaign.status == "draft":
        return statuses == {"failed"}
    return bool(statuses) and len(snapshot.activities) > 1 and statuses <= {"done", "failed"}


def is_resting(snapshot: Snapshot) -> bool:
    """Whether nothing runs and nobody is asked: left alone, this would stay as it is."""
    statuses = {activity.status for activity in snapshot.activities}
    return bool(statuses) and statuses <= _RESTING and not snapshot.approvals
