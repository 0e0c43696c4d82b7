"""An answer to a question about the numbers: a model's words, and what they rest on.

Source: clients/results.yaml, rules.ask. The model names what it rests on, by metric and period;
the server writes that line itself, so that every answer says truthfully which days it speaks of.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from models.rules.clients.qbr_words import Part, Words
from models.rules.results.named import Facts

ANSWER_WORDS: Final = 400
"""How many words an answer has at most, the line of its sources included."""
SAID_WORDS: Final = 300
"""How many of them are the model's."""
MOST_CITES: Final = 8
QUESTION: Final = "question"
"""The member that is no fact: what it says, nobody may repeat as one."""
_LISTS: Final = {
    "campaigns": "quarter", "daily_spend": "last_30_days", "goals": "today",
    "wins": "last_90_days", "connections": "today", "insight": "insight",
}  # fmt: skip


class Cite(Part):
    """What an answer rests on: a metric key or the name of a list, and a period."""

    of: str
    period: str


class AnswerWords(Part):
    """All the words of an answer; `is_answered` is false where the facts do not hold it."""

    is_answered: bool
    answer: Words
    cites: list[Cite]


def facts_of(given: Facts) -> dict[str, Any]:
    """What an answer may rest on: everything but the question."""
    return {name: value for name, value in given.items() if name != QUESTION}


def valid_cites(cites: Iterable[Cite], given: Facts) -> list[Cite]:
    """Those that name something that was given, each once."""
    known = _citable(given)
    found = dict.fromkeys((one.of, one.period) for one in cites)
    kept = [Cite(of=of, period=period) for of, period in found if (of, period) in known]
    return kept[:MOST_CITES]


def with_sources(answer: str, cites: Iterable[Cite], given: Facts) -> str:
    """The answer with a line that says what it rests on, and which days that is of."""
    by_period: dict[str, list[str]] = {}
    for one in cites:
        by_period.setdefault(one.period, []).append(one.of)
    if by_period:
        parts = [f"{', '.join(of)} ({_days(given, period)})" for period, of in by_period.items()]
        return f"{answer}\n\nSource: {'; '.join(parts)}."
    return f"{answer}\n\nLooked at: everything stored for the {_days(given, 'quarter')}."


def _citable(given: Facts) -> set[tuple[str, str]]:
    metrics: Mapping[str, Iterable[Facts]] = given["metrics"]
    found = {(one["metric_key"], period) for period, several in metrics.items() for one in several}
    for name, period in _LISTS.items():
        if period in given["periods"]:
            found.add((name, period))
    return found


def _days(given: Facts, name: str) -> str:
    days = given["periods"][name]
    said = name.replace("_", " ")
    if days["start"] == days["end"]:
        return f"{said}, {days['end']}"
    return f"{said}, {days['start']} to {days['end']}"
