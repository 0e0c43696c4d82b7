"""When QBRs are due: the cadence of tiers, what is overdue, and how dates move on.

Source: clients/qbrs.yaml, rules.cadence, rules.overdue, rules.next_date, rules.preparation and the
effects of record and present. Everything is days in UTC; months are shifted by `add_months`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType
from typing import Final

from models.errors import Invalid, ProblemItem
from models.rules.clients.vocabulary import ClientStatus, QbrStatus, Tier
from models.rules.months import add_months

CADENCE_MONTHS: Final[Mapping[Tier, int]] = MappingProxyType(
    {Tier.PLATINUM: 3, Tier.CORE: 4, Tier.STANDARD: 6, Tier.REVIEW: 12}
)
UNTIERED: Final = Tier.STANDARD
"""Whose cadence a client without a tier has."""
NOTICE: Final = timedelta(days=14)
PREPARED_WITHOUT_ONE: Final = timedelta(days=90)
"""How far the preparation of a client's first QBR looks back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overdue:
    """Whether a QBR is overdue, and for how many days."""

    is_qbr_overdue: bool
    qbr_overdue_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class QbrDates:
    """A client's two dates."""

    last_qbr_date: date | None
    next_qbr_date: date | None


def after_cadence(last: date, tier: Tier | None) -> date:
    """The day that is one cadence of the tier after a QBR."""
    return add_months(last, CADENCE_MONTHS[tier or UNTIERED])


def next_qbr_on_change(tier: Tier, *, last: date | None, today: date) -> date:
    """The next date of a client whose tier has changed; nobody becomes overdue by it."""
    return max(after_cadence(last or today, tier), today + NOTICE)


def due_date(*, next_qbr: date | None, last: date | None, tier: Tier | None) -> date | None:
    """The day on which a QBR is due, if any is known."""
    if next_qbr is not None:
        return next_qbr
    return after_cadence(last, tier) if last is not None else None


def overdue(
    status: ClientStatus,
    *,
    next_qbr: date | None,
    last: date | None,
    tier: Tier | None,
    today: date,
) -> Overdue:
    """Tell whether an active client's QBR was due before today."""
    due = due_date(next_qbr=next_qbr, last=last, tier=tier)
    if status is not ClientStatus.ACTIVE or due is None or due >= today:
        return Overdue(is_qbr_overdue=False, qbr_overdue_days=0)
    return Overdue(is_qbr_overdue=True, qbr_overdue_days=(today - due).days)


def next_date(
    *,
    body: date | None,
    stored: date | None,
    future: date | None,
    client_next: date | None,
    new_last: date | None,
    tier: Tier | None,
) -> date | None:
    """The client's next date after a QBR was recorded or presented.

    `stored` is on the QBR, `future` is the day of one recorded ahead; `new_last` is the client's
    last date as it is from now on.
    """
    given = body or stored or future
    if given is not None:
        return given
    if new_last is not None and (client_next is None or client_next <= new_last):
        return after_cadence(new_last, tier)
    return client_next


def check_next(next_qbr: date | None, *, after: date) -> None:
    """See to it that the next QBR that was sent lies after the one that it follows.

    Raises:
        Invalid: it lies on the same day, or before it.
    """
    if next_qbr is not None and next_qbr <= after:
        why = f"It has to be after {after.isoformat()}."
        item = ProblemItem(location="body.next_qbr_date", message=why, value=next_qbr.isoformat())
        raise Invalid("The next QBR has to be after this one.", item)


def recorded_status(held_on: date, today: date) -> QbrStatus:
    """A QBR of today or earlier is recorded, a future one is planned."""
    return QbrStatus.RECORDED if held_on <= today else QbrStatus.DRAFT


def on_record(
    present: QbrDates, *, held_on: date, body: date | None, tier: Tier | None, today: date
) -> QbrDates:
    """The client's dates after a QBR was recorded; `body` is the next date that was sent."""
    planned = recorded_status(held_on, today) is QbrStatus.DRAFT
    last = present.last_qbr_date
    if not planned:
        last = max(held_on, last) if last is not None else held_on
    following = next_date(
        body=body, stored=None, future=held_on if planned else None,
        client_next=present.next_qbr_date, new_last=last, tier=tier,
    )  # fmt: skip
    return QbrDates(last_qbr_date=last, next_qbr_date=following)


def on_present(
    present: QbrDates,
    *,
    held_on: date,
    body: date | None,
    stored: date | None,
    tier: Tier | None,
    today: date,
) -> QbrDates:
    """The client's dates after a QBR was presented; `stored` is the next date on the QBR."""
    last = presented_on(held_on, today)
    following = next_date(
        body=body, stored=stored, future=None,
        client_next=present.next_qbr_date, new_last=last, tier=tier,
    )  # fmt: skip
    return QbrDates(last_qbr_date=last, next_qbr_date=following)


def presented_on(held_on: date, today: date) -> date:
    """The day that counts as the review's: its own, or today when that lies in the future."""
    return min(held_on, today)


def preparation_window(last: date | None, today: date) -> tuple[date, date]:
    """Since when and until when a QBR is prepared, both days included."""
    return last or today - PREPARED_WITHOUT_ONE, today
