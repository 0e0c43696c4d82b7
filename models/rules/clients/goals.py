"""Goals: which way is better, how far a goal has come, and when it is reached.

Source: clients/goals.yaml, rules.direction and rules.progress. Values are in the metric's own unit:
money in whole currency units, percentages as 2.5 for 2.5 %.
"""

from decimal import Context, Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Final

from models.rules.clients.metrics import METRICS, MetricDirection
from models.rules.clients.rounding import rounded

_EXACT: Final = Context(prec=200)
"""More digits than the values of goals have; the usual context rounds at 28."""


class GoalDirection(StrEnum):
    """What is better for a goal."""

    HIGHER = "higher"
    LOWER = "lower"


def direction(metric: str, *, target: Decimal, baseline: Decimal | None) -> GoalDirection:
    """Which way is better: as the registry has it, else towards the target from the baseline.

    Spend counts as higher; a registered metric without a direction is told by its baseline.
    """
    match METRICS[metric].direction if metric in METRICS else MetricDirection.NONE:
        case MetricDirection.HIGHER | MetricDirection.PACING:
            return GoalDirection.HIGHER
        case MetricDirection.LOWER:
            return GoalDirection.LOWER
        case MetricDirection.NONE:
            falls = baseline is not None and target < baseline
            return GoalDirection.LOWER if falls else GoalDirection.HIGHER


def progress_pct(
    *, target: Decimal, baseline: Decimal | None, current: Decimal | None, direction: GoalDirection
) -> Decimal | None:
    """How much of the way is made, in percent to 2 places, neither floored nor capped."""
    if current is None:
        return None
    way, made = Fraction(target), Fraction(current)
    if baseline is not None and baseline != target:
        start = Fraction(baseline)
        made, way = made - start, way - start
    elif direction is GoalDirection.LOWER:
        made, way = way, made
    return rounded(made / way * 100) if way else None


def is_reached(*, target: Decimal, current: Decimal, direction: GoalDirection) -> bool:
    """Tell whether the present value is at the target or beyond it."""
    return current <= target if direction is GoalDirection.LOWER else current >= target


def gained(value: Decimal, baseline: Decimal | None) -> Decimal | None:
    """How far the value lies from the baseline, to the last digit."""
    return None if baseline is None else _EXACT.subtract(value, baseline)


def reached_in_words(metric: str, value: Decimal, unit: str | None) -> str:
    """What is said of a goal that is reached: `Goal reached: conversion value at 5000 EUR`."""
    name = metric.replace("_", " ") if metric in METRICS else metric
    return f"Goal reached: {name} at {in_words(value, unit)}"


def in_words(value: Decimal, unit: str | None) -> str:
    """A value in its unit as people write it, without an exponent or idle zeros."""
    number = f"{(value or Decimal()).normalize(_EXACT):f}"
    if not unit:
        return number
    return f"{number}%" if unit == "%" else f"{number} {unit}"
