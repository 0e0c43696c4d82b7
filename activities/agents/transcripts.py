"""Transcripts between the record and the port: rows of JSON blocks, messages of typed ones."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from activities.ports import Block, Message, Text, ToolResult, ToolUse
from models.queries.agents import runs_write

_UNANSWERED = {"output": "The call was cut off.", "is_error": True}


def to_json(block: Block) -> dict[str, Any]:
    """One block as it is stored; U+0000, which PostgreSQL's JSON cannot hold, is dropped."""
    if isinstance(block, Text):
        return {"kind": "text", "text": clean(block.text)}
    if isinstance(block, ToolUse):
        return {
            "kind": "tool_use", "id": clean(block.id), "name": clean(block.name),
            "input": clean_json(block.input),
        }  # fmt: skip
    return {
        "kind": "tool_result", "tool_use_id": block.tool_use_id, "output": clean(block.output),
        "is_error": block.is_error,
    }  # fmt: skip


def from_json(block: Mapping[str, Any]) -> Block:
    """One stored block as the port has it."""
    if block["kind"] == "text":
        return Text(text=block["text"])
    if block["kind"] == "tool_use":
        return ToolUse(id=block["id"], name=block["name"], input=block["input"])
    return ToolResult(
        tool_use_id=block["tool_use_id"], output=block["output"], is_error=block["is_error"]
    )


def messages_of(
    transcript: Sequence[Mapping[str, Any]], added: Sequence[Sequence[Mapping[str, Any]]] = ()
) -> tuple[Message, ...]:
    """A transcript {role, blocks} as the model is sent it, and what the user's side adds to it."""
    said = [(message["role"], message["blocks"]) for message in transcript]
    said += [("user", blocks) for blocks in added]
    return tuple(
        Message(role=role, blocks=tuple(from_json(block) for block in blocks))
        for role, blocks in said
    )


def clean(text: str) -> str:
    """Drop what PostgreSQL's text cannot hold: U+0000 and lone surrogates."""
    return text.replace("\x00", "").encode("utf-8", "ignore").decode()


def clean_json(value: Any) -> Any:
    """The same for every string inside a JSON value."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, Mapping):
        return {clean(str(name)): clean_json(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [clean_json(inner) for inner in value]
    return value


async def collect_tool_results(
    db: AsyncConnection, *, tenant_id: str, activity_id: str, thread: int, run_id: str
) -> None:
    """Store the answer to the transcript's last message, if it asked for tools."""
    rows = await runs_write.messages(db, activity_id, thread)
    calls = await runs_write.tool_calls(db, run_id)
    given = {call.id: {"output": call.output, "is_error": call.is_error} for call in calls}
    results = tool_results(rows[-1]._asdict(), given) if rows else []
    if results:
        await runs_write.add_message(
            db,
            tenant_id=tenant_id,
            activity_id=activity_id,
            thread=thread,
            run_id=run_id,
            role="user",
            blocks=results,
            seq=rows[-1].seq + 1,
        )


def tool_results(
    last: Mapping[str, Any], given: Mapping[str, Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """What the tools gave that a transcript's last message asked for, as blocks.

    Every request gets a result, also one whose call never came about: a vendor refuses a
    transcript with an open one.
    """
    if last["role"] != "assistant":
        return []
    results: list[dict[str, Any]] = []
    for block in last["blocks"]:
        if block["kind"] != "tool_use":
            continue
        answer = given.get(block["id"], _UNANSWERED)
        if answer["output"] is None:
            answer = _UNANSWERED
        results.append(to_json(ToolResult(tool_use_id=block["id"], **answer)))
    return results
