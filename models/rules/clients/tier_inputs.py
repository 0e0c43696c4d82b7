"""What a person says when scoring a client: sent and stored scores, and the revenue override.

Source: clients/tier_scores.yaml, the errors of client_tiers.update, rules.dimensions.partial and
rules.override. On the wire a dimension is `<dimension>_score`.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from models.errors import Invalid, ProblemItem
from models.rules.clients.rounding import has_places
from models.rules.clients.tiers import HUMAN, Dimension, Scores, human_dimensions
from models.rules.clients.vocabulary import TierTrack

LOWEST: Final = Decimal(1)
HIGHEST: Final = Decimal(5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """A score in place of the computed one, and why."""

    value: Decimal
    reason: str


def resolved(track: TierTrack, *, sent: Scores, stored: Scores) -> dict[Dimension, Decimal]:
    """All human scores that are known from now on; the other track's stay for when it is back.

    Raises:
        Invalid: a score is out of range or of the other track, or one of this track is missing.
    """
    own = human_dimensions(track)
    items = [
        *(_item(name, "This score belongs to the other track.", sent[name])
          for name in HUMAN if name in sent and name not in own),
        *(_item(name, "A score is from 1 to 5, with at most 2 decimals.", sent[name])
          for name in own if name in sent and not is_score(sent[name])),
        *(_item(name, "This score is neither sent nor stored.", None)
          for name in own if name not in sent and name not in stored),
    ]  # fmt: skip
    if items:
        raise Invalid("The scores do not fit the track.", *items)
    return {**stored, **sent}


def overridden(
    present: Override | None, *, sends_value: bool, value: Decimal | None, reason: str | None
) -> Override | None:
    """The override from now on: absent keeps it, null removes it, a number needs a reason.

    Raises:
        Invalid: a number without a reason, out of range, or a reason without a number.
    """
    if value is None:
        if reason is not None:
            raise _invalid("override_reason", "A reason needs a revenue_override.", reason)
        return None if sends_value else present
    if not is_score(value):
        raise _invalid("revenue_override", "From 1 to 5, with at most 2 decimals.", value)
    if reason is None or not reason.strip():
        raise _invalid("override_reason", "Say why the revenue score is overridden.", reason)
    return Override(value=value, reason=reason)


def is_score(value: Decimal) -> bool:
    """Tell whether a person may give this as a score."""
    return LOWEST <= value <= HIGHEST and has_places(value)


def _item(dimension: Dimension, message: str, value: Decimal | None) -> ProblemItem:
    return _problem(f"{dimension}_score", message, value)


def _problem(member: str, message: str, value: Decimal | str | None) -> ProblemItem:
    plain = float(value) if isinstance(value, Decimal) else value
    return ProblemItem(location=f"body.{member}", message=message, value=plain)


def _invalid(member: str, message: str, value: Decimal | str | None) -> Invalid:
    return Invalid(message, _problem(member, message, value))
