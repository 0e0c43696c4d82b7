"""The offline writer: plans, reviews and drafts from templates, without a model, key or network.

It is shipped so that the main job, the demo and the tests run at once. The same request always
gets the same answer, every draft says that no model wrote it, and it costs nothing.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from activities.llm import offline_facts as reading
from activities.llm.offline_client_texts import client_text
from activities.llm.offline_facts import Facts, read_facts
from activities.llm.offline_plan import plan_activities
from activities.ports import (
    Check,
    StopReason,
    StreamPart,
    Text,
    TextDelta,
    ToolResult,
    ToolUse,
    TurnEnd,
    TurnRequest,
    Usage,
)
from models.contracts.client_texts import TextKind

_TEMPLATES = Path(__file__).parent / "offline_drafts"
_WORDS = re.compile(r"\s*\S+\s*")


class OfflineLlm:
    """The offline writer behind the `Llm` protocol; 0 words a second writes without delay."""

    def __init__(self, words_per_second: float) -> None:
        self._pause = 1 / words_per_second if words_per_second > 0 else 0.0

    @property
    def name(self) -> str:
        """The adapter's name."""
        return "offline"

    async def stream_turn(self, request: TurnRequest) -> AsyncIterator[StreamPart]:
        """Stream one turn word by word; a plan, a review or a question ends it in a tool call."""
        text, call = _answer(request)
        for word in _WORDS.findall(text):
            if self._pause:
                await asyncio.sleep(self._pause)
            yield TextDelta(text=word)
        yield TurnEnd(
            blocks=(Text(text=text),) if call is None else (Text(text=text), call),
            stop_reason=StopReason.END if call is None else StopReason.TOOL_USE,
            usage=Usage(),
        )

    async def check(self, model: str) -> Sequence[Check]:
        """Tell that it is there: it always is."""
        detail = "The offline writer answers; no language model is configured."
        return (Check(name="model_reachable", ok=True, detail=detail),)

    async def close(self) -> None:
        """Close nothing: there is no connection."""


def _answer(request: TurnRequest) -> tuple[str, ToolUse | None]:
    if (kind := request.facts.get("client_text")) is not None:
        return client_text(TextKind(kind), request.facts["given"]), None
    facts = read_facts(request)
    offered = {tool.name for tool in request.tools}
    # What was handed in once is not handed in again, or a refused plan would go round for ever.
    used = {
        block.name
        for message in request.messages
        for block in message.blocks
        if isinstance(block, ToolUse)
    }
    if "submit_plan" in offered - used:
        return _plan(request, facts)
    if "submit_review" in offered - used:
        return _review(request, facts)
    if "request_approval" in offered and _has_a_question(request, facts):
        return _question(request, facts)
    return draft(facts), None


def _plan(request: TurnRequest, facts: Facts) -> tuple[str, ToolUse]:
    plan = plan_activities(facts.deliverables, about=facts.about, brief=facts.brief)
    text = (
        f"I read the brief of {facts.about}. The plan begins with research and has "
        f"{len(plan)} activities; it covers every deliverable in full."
    )
    return text, _call(request, "submit_plan", {"activities": plan})


def _review(request: TurnRequest, facts: Facts) -> tuple[str, ToolUse]:
    subject = facts.review_of or facts.title
    words = ", ".join(_keywords(facts)[:3])
    feedback = (
        f"“{subject}” keeps to the brief ({words}). No language model was configured, so a person "
        "should check facts and tone."
    )
    verdict = {"agrees": True, "feedback": feedback}
    return f"I compared “{subject}” with the brief.", _call(request, "submit_review", verdict)


def _question(request: TurnRequest, facts: Facts) -> tuple[str, ToolUse]:
    question = {
        "type": "content_direction",
        "riskLevel": "medium",
        "title": f"Which direction should {facts.about} take?",
        "description": (
            f"The brief leaves the direction open. Everything written for "
            f"{reading.audience(facts.brief)} will follow the answer."
        ),
        "options": _angles(facts)[:2],
    }
    text = "The research shows two directions. A person should choose before anything is written."
    return text, _call(request, "request_approval", question)


def _has_a_question(request: TurnRequest, facts: Facts) -> bool:
    answered = facts.decision is not None or any(
        isinstance(block, ToolResult) for message in request.messages for block in message.blocks
    )
    return facts.asks and facts.activity_type == "research" and not answered


def _call(request: TurnRequest, name: str, given: Mapping[str, Any]) -> ToolUse:
    return ToolUse(id=f"offline_{name}_{len(request.messages)}", name=name, input=given)


def draft(facts: Facts) -> str:
    """Write the activity's draft in Markdown; its last line says that no model wrote it."""
    environment = _environment()
    names = [f"{facts.activity_type}.md.j2", "draft.md.j2"]
    rendered = environment.select_template(names).render(_context(facts))
    return re.sub(r"\n{3,}", "\n\n", rendered).strip()


def _context(facts: Facts) -> Mapping[str, Any]:
    words = _keywords(facts)
    said = reading.points(facts.brief)
    return {
        **{name: value for name, value in asdict(facts).items() if name != "asks"},
        "about": facts.about,
        "audience": reading.audience(facts.brief),
        # A decision that was taken leads; the brief's own directions come after.
        "angles": [*([facts.decision] if facts.decision else []), *_angles(facts)],
        "keywords": words,
        "points": said or [facts.title],
        "claims": reading.claims(facts.brief) or said or [facts.title],
        "findings": [
            {"title": given.title, "points": reading.points(given.text, 3)}
            for given in facts.inputs
        ],
    }


def _keywords(facts: Facts) -> list[str]:
    return reading.keywords(facts.title, facts.brief) or [facts.about.lower()]


def _angles(facts: Facts) -> list[str]:
    return reading.angles(facts.brief, _keywords(facts)[0])


@cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        undefined=StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["sentence"] = lambda text: f"{text[0].upper()}{text[1:]}" if text else ""
    return made
