"""Calendar months: shifting a day by some of them."""

import calendar
from datetime import date
from typing import Final

MONTHS_A_YEAR: Final = 12


def add_months(day: date, months: int) -> date:
    """Shift by whole months, to the month's last day where it is shorter; time ends in 9999."""
    years, month = divmod(day.year * MONTHS_A_YEAR + day.month - 1 + months, MONTHS_A_YEAR)
    if years > date.max.year:
        return date.max
    if years < date.min.year:
        return date.min
    last_day = calendar.monthrange(years, month + 1)[1]
    return date(years, month + 1, min(day.day, last_day))
