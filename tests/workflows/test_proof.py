"""The proof is not blind: each fault that is planted in a sound record is found, in its kind."""

import pytest
from sqlalchemy import text

from models.db.database import Database
from models.queries.agents import proof
from models.queries.agents.proof import Record
from tests.workflows.studio import BLOG, Studio
from workers.prove_checks import Findings, asked_again, judge, never_asked

POST = "(select id from agent_activity where type = 'blog_post')"
DAMAGES = [
    ("lost", "update agent_activity set status = 'blocked' where type = 'blog_post'"),
    ("lost", "update agent_activity set output_id = null where type = 'blog_post'"),
    ("lost", "update agent_run set status = 'failed'"),
    ("lost", "update llm_turn set status = 'open'"),
    ("lost", f"delete from transcript_message where role = 'assistant' and activity_id = {POST}"),
    ("lost", f"delete from ledger_entry where activity_id = {POST}"),
    ("lost", "update tool_call set output = null"),
    (
        "lost",
        "with gone as (update agent_activity set period_id = null) delete from deliverable_period",
    ),
    (
        "duplicated",
        "insert into transcript_message (activity_id, thread, seq, run_id, role, blocks, tenant_id)"
        " select activity_id, thread, seq + 100, run_id, role, blocks, tenant_id"
        f" from transcript_message where role = 'assistant' and activity_id = {POST}",
    ),
    (
        "duplicated",
        "insert into event (tenant_id, seq, kind, payload) select tenant_id, seq + 100, kind,"
        " payload from event where kind = 'activity_completed'",
    ),
    ("rebilled", "update campaign set spent_usd = spent_usd + 0.000001 where not is_system"),
    ("rebilled", "update campaign set reserved_usd = 0.5 where not is_system"),
    ("rebilled", "update agent_activity set reserved_usd = 0.5"),
    ("rebilled", "update agent_run set cost_usd = 0"),
    (
        "rebilled",
        "with again as (insert into llm_turn (run_id, number, attempt, activity_id, status, model,"
        " reserved_usd, tenant_id) select run_id, number, 2, activity_id, 'settled', model, 0,"
        " tenant_id from llm_turn) insert into ledger_entry (campaign_id, activity_id, run_id,"
        " turn, attempt, agent_role, model, price_effective_from, input_tokens, output_tokens,"
        " cache_write_tokens, cache_read_tokens, cost_usd, tenant_id) select campaign_id,"
        " activity_id, run_id, turn, 2, agent_role, model, price_effective_from, 1, 1, 0, 0, 0,"
        " tenant_id from ledger_entry",
    ),
    ("approvals_lost", "update approval set status = 'pending'"),
    ("approvals_lost", "update approval set status = 'rejected'"),
    ("out_of_order", "update event set seq = seq + 100 where seq = 2"),
    ("out_of_order", "update event set kind = 'activity_failed' where kind = 'activity_started'"),
    ("out_of_order", f"delete from run_event where kind = 'text_delta' and activity_id = {POST}"),
    (
        "out_of_order",
        "update run_event set payload = jsonb_set(payload, '{delta}', '\"other words\"')"
        " where kind = 'text_delta'",
    ),
    (
        "out_of_order",
        "update run_event set seq = 1000 where kind = 'text_delta' and seq = (select min(seq)"
        " from run_event where kind = 'text_delta')",
    ),
]


class Undone(Exception):
    """Takes the damage back."""


async def damaged(owner: Database, statement: str, approved: list[str]) -> Findings:
    """What is found after damage that the application itself has no right to do."""
    found = Findings()

    async def damage() -> None:
        nonlocal found
        async with owner.system() as db:
            await db.execute(text(statement))
            found = judge(await proof.read(db), None, approved)
            raise Undone

    with pytest.raises(Undone):
        await damage()
    return found


async def finished(studio: Studio) -> tuple[Record, list[str]]:
    """The record of a campaign that went well, and the approvals that were given."""
    campaign_id = await studio.submit((BLOG, 1))
    approval = await studio.pending_approval(campaign_id)
    await studio.resolve(approval.id)
    await studio.activity(campaign_id, "blog_post", "done")
    async with studio.db.tenant(studio.tenant_id) as db:
        return await proof.read(db), [approval.id]


async def test_every_planted_fault_is_found(studio: Studio, owner_database_url: str) -> None:
    record, approved = await finished(studio)
    assert judge(record, None, approved).all() == []
    owner = Database(owner_database_url, 1)
    missed = [
        (kind, statement)
        for kind, statement in DAMAGES
        if not getattr(await damaged(owner, statement, approved), kind)
    ]
    await owner.close()
    assert missed == []


async def test_a_turn_that_is_asked_again_is_found(studio: Studio) -> None:
    record, _ = await finished(studio)
    turns = {turn.activity_id: turn for turn in record.turns}
    calls = []
    for answer in record.answers:
        words = "".join(block.get("text", "") for block in answer.blocks)
        at = turns[answer.activity_id].ended_at.timestamp() - 1
        calls.append({"digest": words[1:13], "asked_at": at})
    assert list(asked_again(record, calls)) == list(never_asked(record, calls)) == []
    late = {**calls[-1], "asked_at": calls[-1]["asked_at"] + 2}
    assert len(list(asked_again(record, [*calls, late]))) == 2
    assert len(list(asked_again(record, [*calls, calls[-1]]))) == 1
    assert len(list(never_asked(record, calls[:-1]))) == 1
