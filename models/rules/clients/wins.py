"""Wins: which of them a window holds, and how snoozing changes what they are.

Source: clients/wins.yaml, rules.window and rules.snooze. `won_at` is a day, a snooze ends at a
moment.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from models.errors import Invalid, ProblemItem
from models.rules.clients.vocabulary import WinStatus
from models.rules.moments import iso_seconds

LISTED: Final = frozenset(WinStatus) - {WinStatus.DISMISSED}
"""What the list shows unless it is asked for other statuses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What a win is, and until when if it sleeps."""

    status: WinStatus
    snoozed_until: datetime | None = None


def in_window(won_at: date, *, since: date | None, until: date | None) -> bool:
    """Tell whether a win is in a window that begins with `since` and ends before `until`."""
    return (since is None or won_at >= since) and (until is None or won_at < until)


def shown(standing: Standing, now: datetime) -> Standing:
    """What a win is now: one whose time has come is suggested again."""
    if standing.status is not WinStatus.SNOOZED:
        return standing
    if standing.snoozed_until is not None and standing.snoozed_until > now:
        return standing
    return Standing(status=WinStatus.SUGGESTED)


def changed(
    standing: Standing,
    *,
    status: WinStatus | None,
    sends_until: bool,
    until: datetime | None,
    now: datetime,
) -> Standing:
    """What an update makes of a win; `sends_until` tells a null from nothing.

    Raises:
        Invalid: a win would sleep without an end in the future.
    """
    standing = shown(standing, now)
    if status is None:
        status = _implied(standing.status, sends_until, until)
    if status is not WinStatus.SNOOZED:
        return Standing(status=status)
    ends = until if sends_until else standing.snoozed_until
    if ends is None or ends <= now:
        why = "A win is snoozed until a moment in the future."
        value = iso_seconds(ends) if ends is not None else None
        raise Invalid(why, ProblemItem(location="body.snoozed_until", message=why, value=value))
    return Standing(status=WinStatus.SNOOZED, snoozed_until=ends)


def _implied(status: WinStatus, sends_until: bool, until: datetime | None) -> WinStatus:
    """The status that the end of a snooze stands for where the update names none."""
    if not sends_until:
        return status
    if until is not None:
        return WinStatus.SNOOZED
    return WinStatus.SUGGESTED if status is WinStatus.SNOOZED else status
