"""Rounding: once, at the end, half away from zero, on exact values.

Source: clients/common.yaml, rules.rounding. Money, percentages and scores have 2 places, unitless
ratios 4. A quotient is kept as a `Fraction`, so that no digit is lost before the rounding.
"""

from decimal import Decimal
from fractions import Fraction
from typing import Final

SCORE_PLACES: Final = 2
RATIO_PLACES: Final = 4


def rounded(value: Decimal | Fraction | int, places: int = SCORE_PLACES) -> Decimal:
    """Round half away from zero; zero has no sign."""
    scaled = abs(Fraction(value)) * 10**places
    whole, rest = divmod(scaled.numerator, scaled.denominator)
    whole += 2 * rest >= scaled.denominator
    # Built from digits: arithmetic on decimals would round to the context's precision.
    sign = 1 if value < 0 < whole else 0
    return Decimal((sign, tuple(int(digit) for digit in str(whole)), -places))


def has_places(value: Decimal, places: int = SCORE_PLACES) -> bool:
    """Tell whether a finite number is written exactly with this many places."""
    scale: int = 10**places
    return (Fraction(value) * scale).denominator == 1
