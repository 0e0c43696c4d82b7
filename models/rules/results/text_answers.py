"""What becomes of a model's words about results: something to store, or a fault it is told.

Source: clients/results.yaml, rules.insight.output and rules.ask, and clients/common.yaml, rules.ai.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from pydantic import ValidationError

from models.rules.clients.text_answers import Verdict, invented, misshapen, unfenced
from models.rules.results.answer_words import (
    ANSWER_WORDS,
    SAID_WORDS,
    AnswerWords,
    facts_of,
    valid_cites,
    with_sources,
)
from models.rules.results.insight_words import (
    CONTENT_WORDS,
    InsightWords,
    health_of,
    insight_content,
)


def read_insight(answer: str, given: Mapping[str, Any], today: date) -> Verdict:
    """Read the words of an insight, and fill in every number, status and id from the input."""
    try:
        words = InsightWords.model_validate_json(unfenced(answer))
    except ValidationError as error:
        return misshapen(error)
    least, most = CONTENT_WORDS
    length = len(words.content.split())
    if not least <= length <= most:
        told = f"content has {length} words; it must have {least} to {most}."
        return Verdict(fault="its length is wrong", complaint=told)
    health = health_of(given["metrics"])
    return invented(words.texts(), given, today) or Verdict(
        output={
            "content": words.content,
            "content_json": insight_content(words, given),
            "health_score": health.health_score,
            "overall_health": health.overall_health,
        }
    )


def read_answer(answer: str, given: Mapping[str, Any], today: date) -> Verdict:
    """Read an answer; numbers of the question are not facts."""
    try:
        words = AnswerWords.model_validate_json(unfenced(answer))
    except ValidationError as error:
        return misshapen(error)
    cites = valid_cites(words.cites, given)
    if words.is_answered and not cites:
        told = (
            "cites names nothing that was given. Name each metric and list that the answer rests "
            "on, with its period, or set is_answered to false."
        )
        return Verdict(fault="it does not say what it rests on", complaint=told)
    whole = with_sources(words.answer, cites, given)
    if len(words.answer.split()) > SAID_WORDS or len(whole.split()) > ANSWER_WORDS:
        told = f"The answer is too long; it may have {SAID_WORDS} words."
        return Verdict(fault="its length is wrong", complaint=told)
    return invented([words.answer], facts_of(given), today) or Verdict(output={"answer": whole})
