"""What of a client is computed when it is read, as SQL: overdue QBRs and stale scores.

Source: clients/qbrs.yaml, rules.overdue, and clients/tier_scores.yaml, rules.staleness. The same as
`models/rules/clients/qbr_dates.py` and `tiers.py` compute, with the clock in `bounds`.
"""

from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Date,
    DateTime,
    Integer,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal,
)

from models.rules.clients.qbr_dates import CADENCE_MONTHS, UNTIERED
from models.rules.clients.tiers import STALE_AFTER
from models.rules.clients.vocabulary import ClientStatus
from models.tables.clients import Client

_TODAY = bindparam("today", type_=Date)
_STALE_BEFORE = bindparam("stale_before", type_=DateTime(timezone=True))


def bounds(now: datetime) -> dict[str, date | datetime]:
    """What statements with these columns are bound to."""
    return {"today": now.astimezone(UTC).date(), "stale_before": now - STALE_AFTER}


def is_qbr_overdue() -> ColumnElement[bool]:
    """Whether the QBR of an active client was due before today; null where none is due."""
    return and_(_is_active(), _due_date() < _TODAY)


def qbr_overdue_days() -> ColumnElement[int]:
    """For how many days the QBR has been overdue, 0 when it is not."""
    # Without a due date there is nothing to be the greater one.
    days = func.greatest(_TODAY - _due_date(), _fixed(0), type_=Integer)
    return case((_is_active(), days), else_=_fixed(0))


def is_score_stale() -> ColumnElement[bool]:
    """Whether a client with a track was judged by a person too long ago."""
    stale = and_(Client.tier_track.is_not(None), Client.tier_scored_at < _STALE_BEFORE)
    return func.coalesce(stale, False)


def _is_active() -> ColumnElement[bool]:
    return Client.status == _fixed(ClientStatus.ACTIVE.value)


def _due_date() -> ColumnElement[date]:
    cadence = case(
        *((Client.tier == _fixed(tier.value), _fixed(n)) for tier, n in CADENCE_MONTHS.items()),
        else_=_fixed(CADENCE_MONTHS[UNTIERED]),
    )
    # Like add_months it ends on the last day of a month that is too short.
    after_cadence: ColumnElement[Any] = Client.last_qbr_date + func.make_interval(
        _fixed(0), cadence
    )
    return func.coalesce(Client.next_qbr_date, cast(after_cadence, Date))


def _fixed(value: int | str) -> BindParameter[Any]:
    """A constant of the statement, written out: bound, each would be sent with each request."""
    return literal(value, literal_execute=True)
