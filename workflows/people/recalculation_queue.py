"""The queue of a recalculation: who waits for which scope, and who is still owed a result.

Source: clients/tier_scores.yaml, rules.recalculation, and clients/common.yaml, rules.workflows.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from models.contracts.revenue import Carried, Entry, Progress, Recalculate, Recalculated

KEPT: Final = timedelta(minutes=1)
"""How long a result is kept for callers who went without it: they were told to come back in ten
seconds, and are to meet the run that they asked for rather than begin another."""


class RecalculationQueue:
    """Scopes in the order in which they were asked for; the first that has not ended is worked.

    Two callers of the same scope share it while it waits. One of all clients is shared while it is
    under way too, which one of some companies is not: it may have passed what has changed since.
    """

    def __init__(self, carried: Carried | None) -> None:
        self._entries = {one.number: one for one in carried.entries} if carried else {}
        self._next = carried.next_number if carried else 1

    def carried(self) -> Carried:
        """What the next run of the workflow goes on with."""
        return Carried(entries=tuple(self._entries.values()), next_number=self._next)

    def join(self, caller: str, asked: Recalculate) -> int:
        """Find the caller's place, a new one at the end where it shares none."""
        entry = self._own(caller) or self._shared(asked)
        if entry is None:
            entry = Entry(number=self._next, company_ids=asked.company_ids)
            self._next += 1
        if asked.patience_s is not None and caller not in entry.callers:
            # Who asks for what somebody left without is taken for the one who left.
            entry = replace(entry, callers=(*entry.callers, caller), gone=max(entry.gone - 1, 0))
        self._entries[entry.number] = entry
        return entry.number

    def result(self, number: int) -> Recalculated | None:
        """What came of a scope; None while it has not ended."""
        entry = self._entries[number]
        assert entry.progress is not None or entry.ended_at is None
        return entry.progress.result if entry.progress and entry.ended_at else None

    def answered(self, number: int, caller: str) -> None:
        """Let a caller go who has got the result."""
        self._release(number, caller, gone=0)

    def left(self, number: int, caller: str) -> None:
        """Remember that a caller has run out of patience."""
        self._release(number, caller, gone=1)

    def current(self) -> Entry | None:
        """The scope to work on, if there is any."""
        return next((one for one in self._entries.values() if one.ended_at is None), None)

    def advance(self, number: int, progress: Progress) -> None:
        """Note how far a scope is."""
        self._entries[number] = replace(self._entries[number], progress=progress)

    def end(self, number: int, at: datetime) -> None:
        """Note that a scope is done."""
        self._entries[number] = replace(self._entries[number], ended_at=at)

    def owed_until(self, now: datetime) -> datetime | None:
        """Until when a result is kept for somebody; drops those that nobody waits for any more."""
        kept = [
            (number, one.ended_at + KEPT)
            for number, one in self._entries.items()
            if one.ended_at is not None
        ]
        for number, until in kept:
            entry = self._entries[number]
            if until <= now or not (entry.callers or entry.gone):
                del self._entries[number]
        return max((until for number, until in kept if number in self._entries), default=None)

    def _own(self, caller: str) -> Entry | None:
        """The place that the caller had before the workflow continued as new."""
        return next((one for one in self._entries.values() if caller in one.callers), None)

    def _shared(self, asked: Recalculate) -> Entry | None:
        waits = asked.patience_s is not None
        for one in self._same(asked):
            if one.ended_at is not None:
                if waits and one.gone:
                    return one
            elif one.progress is None or one.company_ids is None:
                return one
        return None

    def _same(self, asked: Recalculate) -> Iterator[Entry]:
        wanted = _set(asked.company_ids)
        return (one for one in self._entries.values() if _set(one.company_ids) == wanted)

    def _release(self, number: int, caller: str, *, gone: int) -> None:
        entry = self._entries[number]
        self._entries[number] = replace(
            entry,
            callers=tuple(one for one in entry.callers if one != caller),
            gone=entry.gone + gone,
        )


def _set(company_ids: tuple[str, ...] | None) -> frozenset[str] | None:
    return None if company_ids is None else frozenset(company_ids)
