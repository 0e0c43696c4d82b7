"""A language model that says what a test tells it to, and remembers what it was asked."""

import asyncio
import re
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from activities.ports import (
    Check,
    LlmBusy,
    LlmRefused,
    Message,
    StopReason,
    StreamPart,
    Text,
    TextDelta,
    ToolResult,
    ToolUse,
    TurnEnd,
    TurnRequest,
    Usage,
    UsageSoFar,
)
from models.rules.roles import ROLES

TASK = re.compile(r"^# Your task: (?P<title>.*) \((?P<kind>\w+)\)$", re.MULTILINE)
DELIVERABLE = re.compile(r"^- id=(?P<id>\w+) type=(?P<type>\w+) quantity=(?P<n>\d+)$", re.MULTILINE)

USAGE = Usage(input_tokens=1000, output_tokens=200)
"""What a turn uses unless the reply says otherwise: $0.004 at $2 and $10 a million."""


class Gate:
    """Holds a turn back until the test opens it; `reached` tells that the turn is there."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self._opened = asyncio.Event()

    def open(self) -> None:
        self._opened.set()

    async def pass_through(self) -> None:
        self.reached.set()
        await self._opened.wait()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One turn: the words, the tools asked for, or how it goes wrong after the words."""

    text: str = ""
    tools: tuple[ToolUse, ...] = ()
    stop: StopReason | None = None
    usage: Usage = USAGE
    error: Exception | None = None
    gate: Gate | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request: whose it was, and all that was sent."""

    role: str
    kind: str
    title: str
    request: TurnRequest
    transcript: str = field(repr=False)

    @property
    def said_last(self) -> str:
        """The words of the last message."""
        return words(self.request.messages[-1:])

    @property
    def answers(self) -> list[ToolResult]:
        """What the tools gave that the last turn asked for."""
        return [one for one in self.request.messages[-1].blocks if isinstance(one, ToolResult)]

    def deliverables(self) -> dict[str, tuple[str, int]]:
        """Type to id and quantity, as a planner reads them."""
        found = DELIVERABLE.finditer(self.transcript)
        return {one["type"]: (one["id"], int(one["n"])) for one in found}


Scripted = Reply | Callable[[Asked], Reply]


class ScriptedLlm:
    """Replies by title, type or role of the activity, in that order; then makes up its own.

    Left to itself it plans one activity a deliverable, agrees with every draft, and writes a line.
    """

    name = "claude"

    def __init__(self) -> None:
        self._scripts: defaultdict[str, deque[Scripted]] = defaultdict(deque)
        self._always: dict[str, Scripted] = {}
        self.asked: list[Asked] = []

    def on(self, key: str, *replies: Scripted) -> None:
        """Answer the next turns of this title, type or role with these, in order."""
        self._scripts[key].extend(replies)

    def always(self, key: str, reply: Scripted) -> None:
        """Answer every turn of this key with the same, once its list is used up."""
        self._always[key] = reply

    def of(self, key: str) -> list[Asked]:
        """What was asked for this title, type or role."""
        return [one for one in self.asked if key in (one.title, one.kind, one.role)]

    async def stream_turn(self, request: TurnRequest) -> AsyncIterator[StreamPart]:
        asked = _read(request)
        self.asked.append(asked)
        reply = self._next(asked)
        if reply.text:
            yield TextDelta(text=reply.text)
            yield UsageSoFar(usage=reply.usage)
        if reply.gate is not None:
            await reply.gate.pass_through()
        if reply.error is not None:
            raise reply.error
        texts = (Text(text=reply.text),) if reply.text else ()
        stop = StopReason.TOOL_USE if reply.tools else StopReason.END
        yield TurnEnd(
            blocks=(*texts, *reply.tools), stop_reason=reply.stop or stop, usage=reply.usage
        )

    async def check(self, model: str) -> Sequence[Check]:
        return [Check(name="model_reachable", ok=True)]

    def _next(self, asked: Asked) -> Reply:
        keys = (asked.title, asked.kind, asked.role)
        for key in keys:
            if self._scripts[key]:
                return _call(self._scripts[key].popleft(), asked)
        for key in keys:
            if key in self._always:
                return _call(self._always[key], asked)
        return _made_up(asked, len(self.of(asked.title)))


def say(text: str, **values: Any) -> Reply:
    """Words alone."""
    return Reply(text=text, **values)


def use(name: str, text: str = "", gate: Gate | None = None, **input: Any) -> Reply:
    """One tool call, with words before it."""
    return Reply(text=text, tools=(tool(name, **input),), gate=gate)


def tool(name: str, **input: Any) -> ToolUse:
    return ToolUse(id="toolu_1", name=name, input=input)


def busy(message: str = "Overloaded", text: str = "") -> Reply:
    """The vendor cannot answer (after `text`, if any); worth another try in a moment."""
    return Reply(text=text, error=LlmBusy(message, retry_after=0.02))


def refused(message: str = "Bad request") -> Reply:
    """The vendor will not answer, however often it is asked."""
    return Reply(error=LlmRefused(message))


def plan(*items: dict[str, Any]) -> Callable[[Asked], Reply]:
    """A plan; an item whose type was ordered fulfils that deliverable."""

    def reply(asked: Asked) -> Reply:
        return use("submit_plan", activities=[_item(asked, one) for one in items])

    return reply


def words(messages: Sequence[Message]) -> str:
    """All the words of messages, results of tools included."""
    said = []
    for message in messages:
        for block in message.blocks:
            if isinstance(block, Text):
                said.append(block.text)
            elif isinstance(block, ToolResult):
                said.append(block.output)
    return "\n".join(said)


def _item(asked: Asked, given: dict[str, Any]) -> dict[str, Any]:
    ordered = asked.deliverables().get(given["type"], (None, 1))
    return {
        "key": given.get("key", given["type"]),
        "title": given.get("title", f"The {given['type']}"),
        "role": "copywriter",
        "prompt": "Do it well.",
        "deliverableId": ordered[0],
        "quantity": ordered[1],
        "dependsOn": [],
        **given,
    }


def _call(scripted: Scripted, asked: Asked) -> Reply:
    return scripted if isinstance(scripted, Reply) else scripted(asked)


def _made_up(asked: Asked, turn: int) -> Reply:
    offered = {spec.name for spec in asked.request.tools}
    if "submit_plan" in offered:
        return plan(*({"type": kind} for kind in asked.deliverables()))(asked)
    if "submit_review" in offered:
        return use("submit_review", agrees=True, feedback="Well done.")
    return say(f"{asked.title}, version {turn}.")


def _read(request: TurnRequest) -> Asked:
    transcript = words(request.messages)
    task = TASK.search(transcript)
    assert task is not None, "the transcript names no task"
    role = next(
        one.name for one in ROLES.values() if f"You are the {one.title} of" in request.system
    )
    return Asked(
        role=role,
        kind=task["kind"],
        title=task["title"],
        request=request,
        transcript=transcript,
    )
