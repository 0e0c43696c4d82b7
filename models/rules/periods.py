"""Periods: the months in which a campaign's deliverables are due, and how each of them stands."""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from models.rules.months import MONTHS_A_YEAR, add_months

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """One month counted from a campaign's anchor; both dates are inclusive, the first is 0."""

    number: int
    start: date
    end: date

    @property
    def days(self) -> int:
        """How many days it has; a last period cut short by the end date has fewer."""
        return (self.end - self.start).days + 1


class PeriodStatus(StrEnum):
    """How a period stands."""

    ON_TRACK = "on_track"
    AT_RISK = "at_risk"
    MISSED = "missed"
    COMPLETED = "completed"


def period(anchor: date, number: int, end_date: date | None = None) -> Period | None:
    """Cut period `number`, from the same day of the month as the anchor, or from its last day.

    It ends on the day before the next one starts, or with the campaign; None when the campaign
    has ended before it would start. Months are counted from the anchor and not from the period
    before, so that what starts on 31 January is back on the 31st in March.
    """
    start = _months_after(anchor, number)
    if start is None or (end_date is not None and start > end_date):
        return None
    following = _months_after(anchor, number + 1)
    end = following - _DAY if following is not None else date.max
    return Period(number=number, start=start, end=end if end_date is None else min(end, end_date))


def begun(anchor: date, today: date, end_date: date | None = None) -> list[Period]:
    """List the periods that have begun by today, oldest first."""
    periods = (period(anchor, number, end_date) for number in range(_begun(anchor, today)))
    return [one for one in periods if one is not None]


def next_start(anchor: date, today: date, end_date: date | None = None) -> date | None:
    """Tell on which day after today the next period starts; None when the campaign has no more."""
    following = period(anchor, _begun(anchor, today), end_date)
    return following.start if following is not None else None


def status(
    *, target: int, completed: int, in_progress: int, period: Period, today: date
) -> PeriodStatus:
    """Tell how a period stands at some time of the day `today`.

    Ended: completed with its target reached, else missed. Running: on track once the target is
    reached, or while completed plus in progress are at least that share of the target which is
    the share of the period's days that are wholly past; else at risk. Today is not past: nothing
    is owed on the first day. Shares are compared as whole numbers, so that nothing is rounded.
    """
    reached = completed >= target
    if today > period.end:
        return PeriodStatus.COMPLETED if reached else PeriodStatus.MISSED
    days_past = max((today - period.start).days, 0)
    keeps_up = (completed + in_progress) * period.days >= target * days_past
    return PeriodStatus.ON_TRACK if reached or keeps_up else PeriodStatus.AT_RISK


def _begun(anchor: date, today: date) -> int:
    """Count the periods that have begun by today, whatever the campaign's end."""
    if today < anchor:
        return 0
    months = (today.year - anchor.year) * MONTHS_A_YEAR + today.month - anchor.month
    start = _months_after(anchor, months)
    return months + 1 if start is not None and start <= today else months


def _months_after(anchor: date, months: int) -> date | None:
    """Shift by whole months, to the month's last day where it is shorter; None past year 9999."""
    years = (anchor.month - 1 + months) // MONTHS_A_YEAR
    return add_months(anchor, months) if anchor.year + years <= date.max.year else None
