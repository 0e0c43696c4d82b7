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

_TEMPLATES: Final[Mapping[TextKind, str]] = {
    TextKind.QBR: "qbr_prep.j2",
    TextKind.AI_SUMMARY: "ai_summary.j2",
}
_FACTS: Final[Mapping[str, Any]] = {
    "longest_list": LONGEST_LIST,
    "least": SUMMARY_WORDS[0],
    "most": SUMMARY_WORDS[1],
    "longest": SUMMARY_LONGEST,
}
_ASK: Final[Mapping[TextKind, str]] = {
    TextKind.QBR: "Draft the QBR.",
    TextKind.AI_SUMMARY: "Write the summary.",
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
    """The sources as data, and the question."""
    sources = json.dumps(given, ensure_ascii=False, indent=1)
    return f"Today is {today.isoformat()}.\n\n{fence(sources, 'sources')}\n\n{_ASK[kind]}"


def again_message(complaint: str) -> str:
    """What the model is told of an answer that cannot be taken."""
    return f"{complaint}\n\nWrite the whole answer again."
