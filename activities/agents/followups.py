"""What an agent is told when a later run goes on with its transcript."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from activities.agents.transcripts import collect_tool_results
from activities.prompts import render
from models.contracts.agent_activities import BeginRun
from models.db.rows import AnyRow
from models.queries.agents import agent_activities_write as agent_activities
from models.queries.agents import prompt_facts, runs_write
from models.rules.vocabulary import CommentType, WakeReason


async def followup_of(
    db: AsyncConnection,
    row: AnyRow,
    begin: BeginRun,
    last_run_id: str,
    thread: int,
    facts: dict[str, Any],
) -> str:
    """Close the last turn's open tool calls and say what has happened since."""
    await collect_tool_results(
        db, tenant_id=row.tenant_id, activity_id=row.id, thread=thread, run_id=last_run_id
    )
    decision = None
    if begin.approval_id is not None:
        decision = await prompt_facts.decision(db, begin.approval_id)
    said = await runs_write.messages(db, row.id, thread)
    known = any(facts["brief"] in block.get("text", "") for one in said for block in one.blocks)
    return render.followup_message(
        {
            "kind": begin.cause.value,
            "question": None if decision is None else decision.title,
            "note": None if decision is None else decision.resolution_note,
            "selected_option": None if decision is None else decision.selected_option,
            "brief": facts["brief"],
            "brief_changed": not known,
            "subtasks": await _subtasks(db, row, begin),
            "comments": await _mentions(db, row, begin),
        }
    )


async def _subtasks(db: AsyncConnection, row: AnyRow, begin: BeginRun) -> list[dict[str, Any]]:
    relevant = {
        WakeReason.SUBTASKS_DONE,
        WakeReason.SUBTASK_FAILED,
        WakeReason.REVIEW_APPROVED,
        WakeReason.REVIEW_FEEDBACK,
    }
    if begin.cause not in relevant or begin.approval_id is not None:
        return []
    found = await agent_activities.subtasks(db, row.id)
    texts = await prompt_facts.outputs_of(db, [one.id for one in found])
    return [
        {
            "id": one.id,
            "title": one.title,
            "status": one.status,
            "text": (one.verdict or {}).get("feedback") or texts.get(one.id, ""),
        }
        for one in found
    ]


async def _mentions(db: AsyncConnection, row: AnyRow, begin: BeginRun) -> list[str]:
    if begin.cause is not WakeReason.COMMENT_MENTION:
        return []
    kinds = [CommentType.COMMENT, CommentType.INTERVENTION_NOTE]
    unread = await prompt_facts.unread_comments(db, row.id, kinds=kinds)
    await prompt_facts.mark_read(db, [one.id for one in unread], begin.run_id)
    return [f"{one.author}: {one.text}" for one in unread]
