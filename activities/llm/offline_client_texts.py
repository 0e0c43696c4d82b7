"""What the offline writer says of a client: sentences around facts of the sources, and no others.

Each text says that no language model was configured. Names and titles are quoted only where they
are short and plain, so that the text keeps its form whatever people have typed.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from activities.llm import offline_results
from models.contracts.client_texts import TextKind
from models.rules.clients.ai_texts import SUMMARY_WORDS
from models.rules.clients.health import LOW_HEALTH
from models.rules.clients.qbrs import LONGEST_LIST
from models.rules.results.qbr_template import described

_UNCONFIGURED: Final = (
    "No language model is configured for this deployment: this was put together from the record, "
    "and a person should read the sources before anybody relies on it."
)
_FILLING: Final = (
    "Beyond this the record says little, and what it does not say is not known here.",
    "Notes of meetings and the history of the client hold the detail, and they are worth reading "
    "before the next call.",
    "It helps to write down what was agreed as soon as it is agreed, so that the next summary can "
    "tell it.",
    "Goals with a present value, a filled in success profile and regular health scores would make "
    "the picture clearer.",
    "Whoever knows the client well should add what they know to the record.",
    "Until then, treat every line of this as a starting point for a conversation, and not as its "
    "result.",
)
_ROOM: Final = 20
"""Words that are left free below the limit."""
_PLAIN: Final = re.compile(r"[^*_`#|<>\"“”]{1,90}")
_MOST_WORDS: Final = 12
_LONGEST_DETAIL: Final = 1500

Given = Mapping[str, Any]


def client_text(kind: TextKind, given: Given) -> str:
    """Write the text in the form that a model is asked for it."""
    return _WRITERS[kind](given)


def _summary(given: Given) -> str:
    least, most = SUMMARY_WORDS
    said = [_standing(given), _UNCONFIGURED, _next(given)]
    for sentence in (*_facts(given), *_FILLING):
        is_filling = sentence in _FILLING
        length = _length(said)
        if is_filling and length >= least:
            break
        if length + len(sentence.split()) <= most - _ROOM:
            said.insert(-2, sentence)
    return "\n\n".join([" ".join(said[:-2]), " ".join(said[-2:])])


def _length(sentences: Iterable[str]) -> int:
    return sum(len(sentence.split()) for sentence in sentences)


def _standing(given: Given) -> str:
    client = given["client"]
    tier = f"in the tier {client['tier']}" if client["tier"] else "without a tier so far"
    return f"{_name(given)} is a client with the status {client['status']}, {tier}."


def _next(given: Given) -> str:
    planned = given["client"]["next_qbr_date"]
    if planned:
        return (
            f"Next, prepare the QBR that is planned for {planned}, and go through the open goals."
        )
    return "Next, agree on a date for a QBR, and go through the open goals."


def _facts(given: Given) -> Iterator[str]:
    """Sentences for what is known, what weighs most first."""
    client, revenue = given["client"], given["revenue"]
    if client["health_score"] is None:
        yield "Nobody has recorded a health score yet."
    else:
        yield f"The present health score is {_figure(client['health_score'])}."
    held = client["last_qbr_date"]
    yield f"The last QBR was held on {held}." if held else "No QBR has been held so far."
    if revenue["source"] == "none":
        yield f"No revenue is on record for the last {revenue['months']} complete months."
    else:
        yield (
            f"Revenue in the last {revenue['months']} complete months comes to "
            f"{_figure(revenue['total'])} {revenue['currency']}."
        )
    yield from _newest(given)
    if (behind := _furthest_behind(given["goals"])) is not None:
        yield f"The goal furthest behind has made {_figure(behind['progress_pct'])} % of its way."
    score = client["health_score"]
    if score is not None and score < LOW_HEALTH:
        yield "That score is low, and the reason for it is the first thing to find out."


def _newest(given: Given) -> Iterator[str]:
    for win in given["wins"]["newest"][:1]:
        yield f"The newest win on record is {_quoted(win['title'], 'one')}, of {win['won_at']}."
    for meeting in given["meetings"][:1]:
        title = _quoted(meeting["title"], "one without a short title")
        yield f"The newest meeting was {title}, on {meeting['date']}."


def _furthest_behind(goals: Sequence[Given]) -> Given | None:
    known = [goal for goal in goals if goal["progress_pct"] is not None]
    return min(known, key=lambda goal: float(goal["progress_pct"]), default=None)


def _qbr(given: Given) -> str:
    period = given["period"]
    summary = (
        f"This draft for {_name(given)} looks back on {period['start']} to {period['end']}. "
        "It lists what the record holds for these days. " + _UNCONFIGURED
    )
    words = {
        "executive_summary": summary,
        "performance": [
            {
                "metric_key": one["metric_key"],
                "currency": one["currency"],
                "comment": f"{described(one)}.",
            }
            for one in given["metrics"][:LONGEST_LIST]
        ],
        "wins": [_win(win) for win in given["wins"][:LONGEST_LIST]],
        "challenges": list(_challenges(given)),
        "goals": [
            {"goal_id": goal["id"], "comment": _progress(goal)}
            for goal in given["goals"][:LONGEST_LIST]
        ],
        "recommendations": [
            {
                "title": "Go through the goals together",
                "rationale": "What is measured is easier to agree on than what is felt.",
                "priority": "medium",
                "owner": "agency",
            }
        ],
        "discussion_points": ["What has changed in your business since we last met?"],
        "next_steps": [{"title": "Check this draft against its sources", "owner": "agency"}],
    }
    return json.dumps(words, ensure_ascii=False)


def _win(win: Given) -> dict[str, Any]:
    detail = win["outcome_text"] or win["description"] or ""
    if not detail.strip() or len(detail) > _LONGEST_DETAIL:
        detail = f"It was won on {win['won_at']}."
    title = win["title"].strip()
    return {
        "win_id": win["id"],
        "title": title if 0 < len(title) <= 200 else "A win",
        "detail": detail,
    }


def _challenges(given: Given) -> Iterator[dict[str, Any]]:
    for scored in given["health_scores"][:1]:
        if scored["score"] < LOW_HEALTH:
            yield {
                "source_ids": [scored["id"]],
                "title": "The health score is low",
                "detail": f"It was last recorded as {_figure(scored['score'])}.",
            }


def _progress(goal: Given) -> str:
    if goal["progress_pct"] is None:
        return "It has no present value yet."
    return f"It has made {_figure(goal['progress_pct'])} % of its way."


def _name(given: Given) -> str:
    name = given["client"]["name"]
    return str(name) if _is_plain(name) else "This company"


def _quoted(title: str, instead: str) -> str:
    return f"“{title.strip()}”" if _is_plain(title) else instead


def _is_plain(text: str) -> bool:
    text = text.strip()
    is_short = bool(_PLAIN.fullmatch(text)) and len(text.split()) <= _MOST_WORDS
    return is_short and text.isprintable()


def _figure(value: float) -> str:
    return f"{Decimal(str(value)):f}"


_WRITERS: Final[Mapping[TextKind, Callable[[Given], str]]] = {
    TextKind.QBR: _qbr,
    TextKind.AI_SUMMARY: _summary,
    TextKind.INSIGHT: offline_results.insight,
    TextKind.ANSWER: offline_results.answer,
}
