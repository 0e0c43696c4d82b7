"""What becomes of a model's answer: a text to store, or a fault that the model is told.

Source: clients/qbrs.yaml, rules.preparation.output, clients/clients.yaml, rules.ai_summary.output,
and clients/common.yaml, rules.ai. Whatever it is, no number in it is one that no source has.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from pydantic import ValidationError

from models.rules.clients.ai_texts import SUMMARY_LONGEST, SUMMARY_WORDS
from models.rules.clients.cited_numbers import sources_of, uncited
from models.rules.clients.qbr_words import QbrWords, qbr_content
from models.rules.text import storable

MAX_CALLS: Final = 3
"""The first question, and twice again where the answer is at fault."""
_FENCE = re.compile(r"\A```(?:json)?\s*\n(?P<inside>.*)\n```\Z", re.DOTALL)
_MARKUP = re.compile(r"^\s*(?:#{1,6}\s|[-*•–]\s|\d{1,2}[.)]\s|>|\|)|\*\*|__|```", re.MULTILINE)
_UNENDED = re.compile(r"[^.!?…\"”')\]]\s*$")
_NAMED: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What an answer comes to: `output` to store, or a `fault` and the `complaint` about it."""

    output: Mapping[str, Any] | None = None
    fault: str | None = None
    complaint: str | None = None


def read_qbr(answer: str, given: Mapping[str, Any], today: date) -> Verdict:
    """Read the words of a QBR, and fill in every number, id and date from the input."""
    try:
        words = QbrWords.model_validate_json(unfenced(answer))
    except ValidationError as error:
        return misshapen(error)
    fault = invented(words.texts(), given, today)
    return fault or Verdict(output=qbr_content(words, given))


def read_summary(answer: str, given: Mapping[str, Any], today: date) -> Verdict:
    """Read a summary: plain text of the right length."""
    text = storable(answer).strip()
    least, most = SUMMARY_WORDS
    words = len(text.split())
    if not least <= words <= most:
        return Verdict(
            fault="its length is wrong",
            complaint=f"The text has {words} words; it must have {least} to {most}.",
        )
    if len(text) > SUMMARY_LONGEST:
        told = f"The text has {len(text)} characters; it may have {SUMMARY_LONGEST}."
        return Verdict(fault="its length is wrong", complaint=told)
    if _MARKUP.search(text) or any(_UNENDED.search(line) for line in text.split("\n") if line):
        told = "The text must be plain sentences, without headings, lists or markup."
        return Verdict(fault="it has headings or lists", complaint=told)
    return invented([text], given, today) or Verdict(output={"text": text})


def invented(texts: Iterable[str], given: Mapping[str, Any], today: date) -> Verdict | None:
    """The verdict on texts with numbers or dates that no source has; None where there are none."""
    missing = uncited(texts, sources_of(given, today.isoformat()))
    if not missing:
        return None
    named = "; ".join(missing)
    return Verdict(
        fault="it has numbers that no source has",
        complaint=f"These numbers or dates are in no source: {named}. Use only numbers and dates "
        "that stand in the sources, written as they are there, or none.",
    )


def unfenced(answer: str) -> str:
    """The answer without a fence around the whole of it."""
    match = _FENCE.match(answer.strip())
    return match["inside"] if match else answer.strip()


def misshapen(error: ValidationError) -> Verdict:
    """The verdict on an answer that is not of the shape."""
    found = [
        f"{'.'.join(map(str, one['loc'])) or 'the whole'}: {one['msg']}"
        for one in error.errors(include_url=False, include_input=False)[:_NAMED]
    ]
    told = f"The answer is not of the shape that was asked for. {'; '.join(found)}."
    return Verdict(fault="it is not of the shape", complaint=told)
