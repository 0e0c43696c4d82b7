from decimal import Decimal

import pytest

from models.rules.clients.health import is_low, turns_low
from models.rules.clients.vocabulary import ClientStatus


def decimal(value):
    return None if value is None else Decimal(value)


@pytest.mark.parametrize(
    ("status", "score", "low"),
    [
        (ClientStatus.ACTIVE, "49.99", True),
        (ClientStatus.ACTIVE, "50", False),
        (ClientStatus.DORMANT, "10", False),
        (ClientStatus.ACTIVE, None, False),
    ],
)
def test_low_health_is_of_active_clients_under_fifty(status, score, low):
    assert is_low(status, decimal(score)) is low


@pytest.mark.parametrize(
    ("previous", "score", "told"),
    [
        (None, "49.99", True),
        ("50", "49.99", True),
        ("49.99", "10", False),
        ("80", "50", False),
        (None, "50", False),
    ],
)
def test_somebody_is_told_when_a_score_falls_under_fifty(previous, score, told):
    assert turns_low(decimal(previous), Decimal(score)) is told
