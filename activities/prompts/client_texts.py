"""What a model is told that writes about a client: one system prompt a kind, and the sources.

Everything that anybody wrote is in the one block of data that the system prompt declares.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import date
from functools import cache
from typing import Any, Final

from activities.prompts import sandbox
from activities.prompts.untrusted import fence
from models.contracts.client_texts import TextKind
from models.rules.clients.ai_texts import SUMMARY_LONGEST, SUMMARY_WORDS
from models.rules.clients.qbrs import LONGEST_LIST
from models.rules.results import insight_words
from models.rules.results.answer_words import QUESTION, SAID_WORDS, facts_of
from models.rules.results.insight_words import CONTENT_WORDS

_TEMPLATES: Final[Mapping[TextKind, str]] = {
    TextKind.QBR: "qbr_prep.j2",
    TextKind.AI_SUMMARY: "ai_summary.j2",
    TextKind.INSIGHT: "insight.j2",
    TextKind.ANSWER: "answer.j2",
}
_FACTS: Final[Mapping[str, Any]] = {
    "longest_list": LONGEST_LIST,
    "least": SUMMARY_WORDS[0],
    "most": SUMMARY_WORDS[1],
    "longest": SUMMARY_LONGEST,
    "content_least": CONTENT_WORDS[0],
    "content_most": CONTENT_WORDS[1],
    "insight_list": insight_words.LONGEST_LIST,
    "answer_words": SAID_WORDS,
}
_ASK: Final[Mapping[TextKind, str]] = {
    TextKind.QBR: "Draft the QBR.",
    TextKind.AI_SUMMARY: "Write the summary.",
    TextKind.INSIGHT: "Comment on the results.",
    TextKind.ANSWER: "Answer the question.",
}
_VERSION_LENGTH: Final = 10


@cache
def system_prompt(kind: TextKind) -> str:
    """What the model is, what it gets, and how it answers."""
    return sandbox.run(sandbox.environment().get_template(_TEMPLATES[kind]), _FACTS)


@cache
def prompt_version(kind: TextKind) -> str:
    """A name for the prompt as it is worded now, by which a stored text can be traced to it."""
    worded = f"{system_prompt(kind)}\x00{_ASK[kind]}"
    digest = hashlib.sha256(worded.encode()).hexdigest()[:_VERSION_LENGTH]
    return f"{kind.replace('_', '-')}-{digest}"


def first_message(kind: TextKind, given: Mapping[str, Any], today: date) -> str:
    """The sources as data, and what to do with them; a question is data of its own."""
    sources = json.dumps(facts_of(given), ensure_ascii=False, indent=1)
    parts = [f"Today is {today.isoformat()}.", fence(sources, "sources")]
    if QUESTION in given:
        parts.append(fence(given[QUESTION], QUESTION))
    return "\n\n".join([*parts, _ASK[kind]])


def again_message(complaint: str) -> str:
    """What the model is told of an answer that cannot be taken."""
    return f"{complaint}\n\nWrite the whole answer again."
