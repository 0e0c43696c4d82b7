"""Whether every number in a model's words is one that it was given.

Source: clients/common.yaml, rules.ai. A number passes when a source has it, written in whatever
way (1,250 is 1250 and 1.25k), or rounds to it in the places that are shown. Signs and units of
measure are not compared. A date passes when a source has a date that agrees in all that is said.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final

from models.ids import is_id
from models.rules.clients.numbers_in_text import (
    DAY_OF_YEAR,
    HARMLESS_MARKS,
    Day,
    Figure,
    Reading,
    read,
)

_HALF: Final = Fraction(1, 2)
_COARSEST: Final = Fraction(1, 20)
_SHOWN: Final = 12
_IDS: Final = ("id", "_id", "_ids", "input_hash")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What the sources have in numbers: values without their sign, dates, marks such as ISO9001."""

    values: frozenset[Decimal]
    days: frozenset[tuple[int | None, tuple[int, ...], int | None]]
    marks: frozenset[str]


def sources_of(*given: object) -> Sources:
    """Collect the numbers of JSON values and of their texts; ids and names of members are none."""
    values: set[Decimal] = set()
    days: set[tuple[int | None, tuple[int, ...], int | None]] = set()
    marks: set[str] = set()
    for one in given:
        for leaf in _leaves(one):
            if not isinstance(leaf, str):
                values.add(abs(Decimal(str(leaf))))
                continue
            if (match := DAY_OF_YEAR.fullmatch(leaf)) is not None:
                days.add((None, (int(match["m"]),), int(match["d"])))
                continue
            found = read(leaf, continental=True)
            marks |= found.marks
            for piece in _all(found):
                if isinstance(piece, Figure):
                    values.add(piece.value)
                else:
                    days.add((piece.year, piece.months, piece.day))
    return Sources(values=frozenset(values), days=frozenset(days), marks=frozenset(marks))


def uncited(texts: Iterable[str], sources: Sources) -> list[str]:
    """The numbers and dates that no source has, as they were written, each once, in order."""
    missing: dict[str, None] = {}
    for text in texts:
        found = read(text)
        for mark in sorted(found.marks - sources.marks - HARMLESS_MARKS):
            missing[mark] = None
        said: list[Figure | Day] = [*found.figures, *found.days]
        for piece in said:
            if not _passes(piece, sources):
                missing[piece.said.strip()] = None
        for unclear in found.ambiguous:
            if not any(all(_passes(one, sources) for one in way) for way in unclear.readings):
                missing[unclear.said.strip()] = None
    return list(missing)[:_SHOWN]


def _passes(piece: Figure | Day, sources: Sources) -> bool:
    if isinstance(piece, Day):
        return any(_agrees(piece, day) for day in sources.days)
    if piece.value in sources.values or piece.value in _years(sources):
        return True
    if piece.value == Decimal("0.5") and Decimal(50) in sources.values:
        return True
    if any(_rounds(value, piece) for value in sources.values):
        return True
    return piece.is_share and any(_rounds(value / 100, piece) for value in sources.values)


def _years(sources: Sources) -> set[Decimal]:
    return {Decimal(year) for year, _, _ in sources.days if year is not None}


def _rounds(value: Decimal, piece: Figure) -> bool:
    """Tell whether a value is the number when it is rounded, half up, to its last place.

    A rounding that changes a value by more than `_COARSEST` tells another story: 4k is not 3,600.
    """
    exact, said, unit = Fraction(value), Fraction(piece.value), Fraction(piece.unit)
    if abs(exact - said) > exact * _COARSEST:
        return False
    steps = exact / unit + _HALF
    return steps.numerator // steps.denominator == said / unit


def _agrees(said: Day, known: tuple[int | None, tuple[int, ...], int | None]) -> bool:
    year, months, day = known
    if said.year is not None and said.year != year:
        return False
    if said.day is not None and said.day != day:
        return False
    return bool(months) and set(months) <= set(said.months)


def _all(found: Reading) -> Iterator[Figure | Day]:
    yield from found.figures
    yield from found.days
    for unclear in found.ambiguous:
        for way in unclear.readings:
            yield from way


def _leaves(given: object) -> Iterator[str | int | float | Decimal]:
    """The texts and numbers of a JSON value."""
    if isinstance(given, str):
        if not is_id(given):
            yield given
    elif isinstance(given, Mapping):
        for name, inner in given.items():
            if not name.endswith(_IDS[1:]) and name != _IDS[0]:
                yield from _leaves(inner)
    elif isinstance(given, Sequence):
        for inner in given:
            yield from _leaves(inner)
    elif isinstance(given, int | float | Decimal) and not isinstance(given, bool):
        yield given
