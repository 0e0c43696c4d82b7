"""Health scores: 0 to 100 to 2 places, what counts as low, and when somebody is told.

Source: clients/health.yaml, rules.low_health and the effects of client_health.record.
"""

from decimal import Decimal
from typing import Final

from models.rules.clients.vocabulary import ClientStatus

LOW_HEALTH: Final = Decimal(50)
"""A score under this one is low."""


def is_low(status: ClientStatus, score: Decimal | None) -> bool:
    """Tell whether the badge counts the client: active, scored, and under the threshold."""
    return status is ClientStatus.ACTIVE and score is not None and score < LOW_HEALTH


def turns_low(previous: Decimal | None, score: Decimal) -> bool:
    """Tell whether a score falls under the threshold that the one before it, if any, kept."""
    return score < LOW_HEALTH and (previous is None or previous >= LOW_HEALTH)
