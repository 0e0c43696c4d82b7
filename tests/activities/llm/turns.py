"""Builders of turns for tests of the language-model adapters."""

from typing import Any

from activities.ports import Message, Text, ToolSpec, TurnRequest

NOTE = ToolSpec(
    name="note",
    description="Keep a note.",
    input_schema={"type": "object", "properties": {"text": {"type": "string"}}},
)


def make_request(**overrides) -> TurnRequest:
    return TurnRequest(
        **{
            "model": "claude-haiku-4-5",
            "system": "You write for a marketing agency.",
            "messages": (said("Write a sentence."),),
            "tools": (),
            "max_output_tokens": 500,
            **overrides,
        }
    )


def said(text: str, role: str = "user") -> Message:
    return Message(role=role, blocks=(Text(text=text),))


async def turn(llm, request) -> list[Any]:
    return [part async for part in llm.stream_turn(request)]
