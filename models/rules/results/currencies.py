"""Currencies of results: amounts are never converted, and one currency comes first.

Source: clients/results.yaml, rules.currency.
"""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from fractions import Fraction

_CODE = re.compile(r"^[A-Z]{3}$")


def primary_currency(
    spend: Mapping[str, Decimal | Fraction],
    store_revenue: Mapping[str, Decimal | Fraction],
    *,
    reporting: str,
) -> str:
    """The currency with the largest spend, else the largest revenue of the shop, else ours."""
    for amounts in (spend, store_revenue):
        if amounts:
            return min(amounts, key=lambda code: (-amounts[code], code))
    return reporting


def in_order(codes: Iterable[str], primary: str) -> list[str]:
    """The primary currency first, the others by code."""
    return sorted(set(codes), key=lambda code: (code != primary, code))


def goal_currency(unit: str | None, primary: str) -> str:
    """The currency that a goal of money is meant for."""
    return unit if unit is not None and _CODE.match(unit) else primary
