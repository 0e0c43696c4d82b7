"""The pull of one connection, which a sync and a backfill share: window by window, rest by rest.

A platform that has had enough of us costs a durable sleep, and nothing of what was done.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, CancelledError

from activities.platforms.pull_records import PullRecordSteps
from activities.platforms.pulls import PullSteps
from models.contracts.platforms import (
    BUSY,
    NOT_ACTIVE,
    REFUSED,
    REJECTED,
    RESTING,
    BeginPull,
    ConnectionRef,
    EndPull,
    NoteGap,
    PullWindow,
    Window,
)
from models.errors import BY_CODE
from workflows import policies
from workflows.steps import record

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")

_JITTER_S: Final = 10
_LEAST_REST: Final = timedelta(seconds=30)
_MOST_REST: Final = timedelta(minutes=15)
_SHOWN: Final = frozenset({REJECTED, REFUSED, BUSY, RESTING, *BY_CODE})
"""Errors whose messages are made to be shown."""


class ConnectionPull:
    """One connection on its way. `tell` is called when there is news of it."""

    def __init__(self, of: ConnectionRef, tell: Callable[[], None]) -> None:
        self.of = of
        self._tell = tell
        self._doing = "begins"
        self._rested = timedelta(0)
        self.windows = 0
        self.windows_done = 0
        self.rows = 0
        self.error: str | None = None
        self.ended_at: datetime | None = None
        self._is_over = False

    async def sync(self) -> None:
        """Bring the connection up to date, and write down how that went."""
        if await self._all(days=None, with_reach=True):
            await self._end()
        self.ended_at = workflow.now()

    async def backfill(self, days: int) -> None:
        """Load so many days before today; only a failure is written down at the connection."""
        if await self._all(days=days, with_reach=False) and self.error is not None:
            await self._end()

    @property
    def in_words(self) -> str:
        """Where it stands, for operators."""
        counts = f"{self.windows_done} of {self.windows} windows, {self.rows:,} rows"
        return f"{self.of.name}: {self._doing}; {counts}"

    async def _all(self, *, days: int | None, with_reach: bool) -> bool:
        """Pull everything; False when the connection is active no more."""
        begin = BeginPull(of=self.of, days=days)
        begun = await self._try(PullSteps.begin, begin, "begin")
        if begun is not None:
            self.windows = len(begun.windows)
            if self.of.is_ad_platform:
                await self._count(PullSteps.campaigns, self.of, "campaigns and creatives")
            for window in begun.windows:
                await self._window(window)
            if self.of.is_ad_platform and with_reach:
                await self._count(PullSteps.reach, self.of, "reach")
        if self._is_over:
            self._say("is not active any more")
            return False
        self._say("done" if self.error is None else f"failed: {self.error}")
        return True

    async def _window(self, window: Window) -> None:
        pull = PullWindow(of=self.of, window=window)
        if await self._count(PullSteps.window, pull, str(window)):
            self.windows_done += 1

    async def _count(
        self, step: Callable[[Any, Asked], Awaitable[Any]], asked: Asked, words: str
    ) -> bool:
        pulled = await self._try(step, asked, words)
        if pulled is None:
            return False
        self.rows += pulled.rows
        return True

    async def _try(
        self, step: Callable[[Any, Asked], Awaitable[Answer]], asked: Asked, words: str
    ) -> Answer | None:
        """Take a step; None where it failed, and once the connection is not to be asked again."""
        if self._is_over:
            return None
        try:
            return await self._persist(step, asked, words)
        except ActivityError as failed:
            if isinstance(failed.cause, CancelledError):
                raise
            error = _message(failed, self.of)
            # The first one is told: what follows is often of its making.
            self.error = self.error or error
            self._is_over = _type(failed) in (NOT_ACTIVE, REJECTED)
            if isinstance(asked, PullWindow) and not self._is_over:
                gap = NoteGap(of=self.of, window=asked.window, error=error)
                await record(PullRecordSteps.note_gap, gap, f"Note the gap: {words}")
            return None

    async def _persist(
        self, step: Callable[[Any, Asked], Awaitable[Answer]], asked: Asked, words: str
    ) -> Answer:
        """Take a step, and again each time that the platform had to rest before it."""
        policy = policies.with_summary(policies.PULL, f"{self.of.name}: {words}")
        least = timedelta(0)
        while True:
            self._say(words)
            try:
                return await workflow.execute_activity_method(step, asked, **policy)
            except ActivityError as failed:
                until = _resting_until(failed)
                if until is None or self._rested > policies.REST_PATIENCE:
                    raise
                await self._rest(until, least)
                # A platform that always asks for a moment more is asked ever less often.
                least = min(max(2 * least, _LEAST_REST), _MOST_REST)

    async def _rest(self, until: datetime, least: timedelta) -> None:
        # Not all that rest until the same moment are to come back at once.
        jitter = timedelta(seconds=workflow.random().uniform(0, _JITTER_S))
        pause = max(until - workflow.now(), least) + jitter
        self._rested += pause
        self._say(f"rests until {until:%H:%M} UTC")
        await workflow.sleep(pause, summary=f"{self.of.name} rests")

    async def _end(self) -> None:
        end = EndPull(of=self.of, at=workflow.now(), error=self.error)
        await record(PullRecordSteps.end, end, f"{self.of.name}: note how it went")

    def _say(self, doing: str) -> None:
        self._doing = doing
        self._tell()


def _type(failed: ActivityError) -> str | None:
    cause = failed.cause
    return cause.type if isinstance(cause, ApplicationError) else None


def _message(failed: ActivityError, of: ConnectionRef) -> str:
    """What people are told. Accidents of ours are in the log, and not in their words."""
    cause = failed.cause
    if isinstance(cause, ApplicationError) and cause.type in _SHOWN:
        return cause.message
    return f"{of.name} could not be pulled; the next sync tries again."


def _resting_until(failed: ActivityError) -> datetime | None:
    cause = failed.cause
    if not isinstance(cause, ApplicationError) or cause.type != RESTING:
        return None
    return datetime.fromisoformat(cause.details[0])
