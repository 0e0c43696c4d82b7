"""Rounding: once, at the end, half away from zero, on exact values.

Source: clients/common.yaml, rules.rounding. Money, percentages and scores have 2 places, unitless
ratios 4. A quotient is kept as a `Fraction`, so that no digit is lost before the rounding.
"""

from decimal import Context, Decimal
from fractions import Fraction
from typing import Final

SCORE_PLACES: Final = 2
RATIO_PLACES: Final = 4
_WIDE: Final = Context(prec=200_000)
"""More digits than PostgreSQL's numbers have: nothing is lost to the context."""


def rounded(value: Decimal | Fraction | int, places: int = SCORE_PLACES) -> Decimal:
    """Round half away from zero; zero has no sign."""
    above, below = value.as_integer_ratio()
    return _whole_parts(above, below, places)


def quotient(
    above: Decimal | Fraction | int,
    below: Decimal | Fraction | int,
    places: int = SCORE_PLACES,
    *,
    factor: int = 1,
) -> Decimal:
    """Give factor * above / below, rounded as `rounded` does."""
    # In whole numbers: a fraction costs many times what one division does.
    (a, b), (c, d) = above.as_integer_ratio(), below.as_integer_ratio()
    return _whole_parts(a * d * factor, b * c, places)


def _whole_parts(above: int, below: int, places: int) -> Decimal:
    if below < 0:
        above, below = -above, -below
    whole, rest = divmod(abs(above) * 10**places, below)
    whole += 2 * rest >= below
    return _WIDE.scaleb(Decimal(-whole if above < 0 else whole), -places)


def has_places(value: Decimal, places: int = SCORE_PLACES) -> bool:
    """Tell whether a finite number is written exactly with this many places."""
    scale: int = 10**places
    return (Fraction(value) * scale).denominator == 1
