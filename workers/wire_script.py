"""What the wire model answers: scripted replies first, then those of a tiny deterministic model."""

import hashlib
import json
import re
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from activities.llm.offline_plan import Deliverable, plan_activities

_DELIVERABLE = re.compile(
    r"\bid=(?P<id>[0-9A-HJKMNP-TV-Za-hjkmnp-tv-z]{26})\s+type=(?P<type>\w+)\s+quantity=(?P<n>\d+)"
)
_WORDS = (
    "This draft comes from the wire model and says the same for the same request so that every "
    "run can be compared with every other run word by word and none is lost"
).split()
_CHARACTERS_A_TOKEN = 4


class ToolCall(BaseModel):
    """A tool call to answer with; an `input` that is text goes out as it is, malformed or not."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    input: dict[str, Any] | str = {}


class Counters(BaseModel):
    """The counters to report; `input_tokens` excludes both cache counters."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    input_tokens: int = 0
    output_tokens: int = 0
    cache_write_tokens: int = 0
    cache_read_tokens: int = 0


class Reply(BaseModel):
    """How one call is answered, faults included.

    `status` from 400 on is an error answer. `stall` is silence: before anything is sent, or after
    `stall_after` deltas. `cut` ends the stream after `cut_after` deltas: `reset` drops the
    connection, `quiet` closes it properly too early, `error` sends the vendor's error event.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str = ""
    tools: tuple[ToolCall, ...] = ()
    stop: Literal["max_tokens", "refusal"] | None = None
    counters: Counters | None = None
    tells_counters: bool = True
    reuses_tool_index: bool = False

    status: int = 200
    error: str = "The wire model was told to fail."
    retry_after: float | None = None

    delay: float | None = None
    stall: float = 0.0
    stall_after: int | None = None
    cut: Literal["reset", "quiet", "error"] | None = None
    cut_after: int = 0


@dataclass(frozen=True)
class Prompt:
    """A request in either vendor's words, read for what the tiny model answers to."""

    body: Mapping[str, Any]

    @cached_property
    def digest(self) -> str:
        """The request's identity: a turn asked twice has the same digest twice."""
        return hashlib.sha256(json.dumps(self.body, sort_keys=True).encode()).hexdigest()

    @property
    def tools(self) -> frozenset[str]:
        """Names of the tools on offer."""
        offered = self.body.get("tools") or ()
        return frozenset((tool.get("function") or tool)["name"] for tool in offered)

    @property
    def messages(self) -> Sequence[Mapping[str, Any]]:
        """The messages as the vendor writes them."""
        return self.body.get("messages") or ()

    @property
    def answers_a_tool(self) -> bool:
        """Whether the last message carries a tool's result."""
        if not self.messages:
            return False
        last = self.messages[-1]
        return last["role"] == "tool" or any(
            block.get("type") == "tool_result" for block in _blocks(last)
        )

    @cached_property
    def text(self) -> str:
        """All that users said, for the planner's list of deliverables."""
        said = (message for message in self.messages if message["role"] == "user")
        return "\n".join(block.get("text", "") for message in said for block in _blocks(message))

    def counters(self, reply: Reply) -> Counters:
        """Plausible usage: all but the last exchange of a transcript is read from the cache."""
        if reply.counters is not None:
            return reply.counters
        parts = ("system", "tools", "messages")
        whole = _tokens({part: self.body.get(part) for part in parts})
        new = whole if len(self.messages) <= 2 else min(whole, _tokens(self.messages[-2:]))
        said = reply.text + "".join(json.dumps(tool.input) for tool in reply.tools)
        return Counters(
            input_tokens=min(new, 3),
            cache_write_tokens=max(0, new - 3),
            cache_read_tokens=whole - new,
            output_tokens=1 + len(said) // _CHARACTERS_A_TOKEN,
        )


@dataclass
class Script:
    """Replies in order, then the tiny model; `delay` seconds go before each delta by default."""

    delay: float = 0.0
    replies: deque[Reply] = field(default_factory=deque)

    def reply(self, prompt: Prompt) -> Reply:
        """Take the next reply."""
        try:
            return self.replies.popleft()
        except IndexError:
            return tiny_model(prompt)


def tiny_model(prompt: Prompt) -> Reply:
    """Plan when asked to plan, agree when asked to review, else write about thirty words."""
    if not prompt.answers_a_tool:
        if "submit_plan" in prompt.tools:
            plan = ToolCall(name="submit_plan", input={"activities": _plan(prompt.text)})
            return Reply(text=f"[{prompt.digest[:12]}] Here is the plan.", tools=(plan,))
        if "submit_review" in prompt.tools:
            verdict = {"agrees": True, "feedback": "It answers the brief."}
            return Reply(tools=(ToolCall(name="submit_review", input=verdict),))
    return Reply(text=" ".join([f"[{prompt.digest[:12]}]", *_WORDS]))


def _plan(text: str) -> list[dict[str, Any]]:
    found = {match["id"]: match for match in _DELIVERABLE.finditer(text)}
    wanted = [
        Deliverable(id=match["id"], type=match["type"], quantity=int(match["n"]))
        for match in found.values()
    ]
    return plan_activities(wanted, about="the campaign", brief=text[:500])


def _blocks(message: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    content = message.get("content") or ()
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def _tokens(value: object) -> int:
    return len(json.dumps(value)) // _CHARACTERS_A_TOKEN
