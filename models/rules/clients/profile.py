"""The client profile: which fields a caller may change, and what its history says of a change.

Source: clients/clients.yaml, clients.update, and clients/common.yaml, rules.history. Days are
written YYYY-MM-DD, moments in UTC to the second.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType
from typing import Final

from models.errors import Invalid, ProblemItem
from models.rules.clients.vocabulary import HistoryKind
from models.rules.moments import iso_seconds

FIELDS: Final[Mapping[str, HistoryKind]] = MappingProxyType(
    {
        "status": HistoryKind.STATUS_CHANGED,
        "assigned_dm_id": HistoryKind.ASSIGNED_DM_CHANGED,
        "next_qbr_date": HistoryKind.NEXT_QBR_DATE_CHANGED,
        "last_qbr_date": HistoryKind.LAST_QBR_DATE_CHANGED,
        "onboarding_started_at": HistoryKind.ONBOARDING_STARTED_AT_CHANGED,
        "onboarding_completed_at": HistoryKind.ONBOARDING_COMPLETED_AT_CHANGED,
        "offboarding_started_at": HistoryKind.OFFBOARDING_STARTED_AT_CHANGED,
        "offboarding_completed_at": HistoryKind.OFFBOARDING_COMPLETED_AT_CHANGED,
    }
)
"""The fields that can be changed, each with its event."""

Value = str | date | datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A field that has another value than before; both are as JSON has them."""

    kind: HistoryKind
    field: str
    old_value: str | None
    new_value: str | None


def changes(before: Mapping[str, Value], after: Mapping[str, Value]) -> list[Change]:
    """One change for each field of `after` whose value is new."""
    return [
        Change(kind=kind, field=name, old_value=_json(before[name]), new_value=_json(after[name]))
        for name, kind in FIELDS.items()
        if name in after and after[name] != before[name]
    ]


def check_times(before: Mapping[str, Value], sent: Mapping[str, Value]) -> None:
    """See to it that with what is sent nothing is completed before it started.

    Raises:
        Invalid: onboarding or offboarding would end before it begins.
    """
    profile = {**before, **sent}
    items = []
    for phase in ("onboarding", "offboarding"):
        starts, completes = f"{phase}_started_at", f"{phase}_completed_at"
        started, completed = profile.get(starts), profile.get(completes)
        if isinstance(started, datetime) and isinstance(completed, datetime):
            if completed < started:
                items.append(
                    _refused(completes, f"It lies before {starts}.", completed)
                    if completes in sent
                    else _refused(starts, f"It lies after {completes}.", started)
                )
    if items:
        raise Invalid("What is completed has started before.", *items)


def _refused(field: str, why: str, value: datetime) -> ProblemItem:
    return ProblemItem(location=f"body.{field}", message=why, value=iso_seconds(value))


def _json(value: Value) -> str | None:
    if isinstance(value, datetime):
        return iso_seconds(value)
    return value.isoformat() if isinstance(value, date) else value
