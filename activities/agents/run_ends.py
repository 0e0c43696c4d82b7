"""How an agent's run ends: in an output, a question, subtasks, a review, a hand-over, an error."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection
from temporalio import activity

from activities.agents.runs import leave_slot, workflow_run
from activities.agents.turn_opening import GO_ON, close_open_attempts
from models.contracts.agent_activities import Ending, EndRun, RunEnd, SubtaskOrder
from models.db.database import Database, at_once
from models.db.rows import AnyRow
from models.errors import NotFound
from models.queries.agents import agent_activities_write as agent_activities
from models.queries.agents import approvals_write as approvals
from models.queries.agents import hand_overs, runs_write, stream
from models.rules import activities as rules
from models.rules.approvals import EXPIRY, policy_needs_approval
from models.rules.vocabulary import (
    ActivityStatus,
    ActivityType,
    ApprovalType,
    CampaignStatus,
    OutputFormat,
    RiskLevel,
    RunError,
    RunStatus,
    WakeReason,
)


class RunEndSteps:
    """Closes runs and says where their activity stands after it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @activity.defn(name="agent_activity.end_run")
    async def end(self, end: EndRun) -> RunEnd:
        """Close the run in one transaction with all that follows from how it ended."""
        async with self._database.tenant(end.tenant_id) as db:
            row = await agent_activities.locked(db, end.activity_id)
            if row is None:
                raise NotFound("There is no such activity.")
            if row.generation >= end.generation:
                recorded = await _recorded(db, row)
                next_in_line = await leave_slot(db, row, end.at) if row.agent_role else None
                return replace(recorded, next_in_line=next_in_line)
            # The role's lock first and the tenant's feed after it, in the order of `begin`.
            next_in_line = await leave_slot(db, row, end.at) if row.agent_role else None
            result = await _Closing(db, row, end).result()
            return replace(result, next_in_line=next_in_line)


class _Closing:
    """One run's end, inside its transaction."""

    def __init__(self, db: AsyncConnection, row: AnyRow, end: EndRun) -> None:
        self._db = db
        self._row = row
        self._end = end

    async def result(self) -> RunEnd:
        end = self._end
        if end.error is not None:
            return await self._failed(end.error, end.message)
        if self._row.campaign_status == CampaignStatus.ARCHIVED and self._goes_on():
            return await self._put_away()
        if end.ending is Ending.NONE:
            return await self._output()
        calls = await runs_write.tool_calls(self._db, end.run_id)
        asked = [call for call in calls if call.ending == end.ending and not call.is_error]
        match end.ending:
            case Ending.PLAN:
                return await self._done(_plan_in_words(asked[-1].input))
            case Ending.VERDICT:
                verdict = asked[-1].input
                done = await self._done(str(verdict.get("feedback", "")))
                return replace(done, agrees=bool(verdict.get("agrees")))
            case Ending.APPROVAL:
                return await self._question(asked[0].input)
            case Ending.HAND_OVER:
                return await self._hand_over(asked[0].input)
            case _:
                return await self._children()

    def _goes_on(self) -> bool:
        """Tell whether the activity is to go on after this run: after a question, for instance."""
        if self._end.ending is Ending.NONE:
            return policy_needs_approval(ActivityType(self._row.type)) is not None
        return self._end.ending not in {Ending.PLAN, Ending.VERDICT}

    async def _put_away(self) -> RunEnd:
        """Keep what was written: in an archived campaign nobody is asked, and nothing begun."""
        text = await self._text()
        kept: dict[str, Any] = {}
        if text:
            kept["output_id"], _ = await self._store(text)
        await self._rest(ActivityStatus.BLOCKED, WakeReason.CAMPAIGN_ARCHIVED, **kept)
        return RunEnd(status=ActivityStatus.BLOCKED, wake_reason=WakeReason.CAMPAIGN_ARCHIVED)

    async def _failed(self, error: RunError, message: str) -> RunEnd:
        row = self._row
        await close_open_attempts(self._db, self._end.run_id, self._end.at)
        status = RunStatus.TIMEOUT if error is RunError.TIMEOUT else RunStatus.FAILED
        await self._close_run(status, error, message)
        noted = {"last_error": error, "last_error_message": message[:2000]}
        if error is RunError.CANCELLED:
            reason = WakeReason.CAMPAIGN_ARCHIVED
            await self._move(ActivityStatus.BLOCKED, reason, **noted)
            return RunEnd(status=ActivityStatus.BLOCKED, wake_reason=reason)
        if rules.retries_left(row.auto_retries + 1, error):
            noted["auto_retries"] = row.auto_retries + 1
            await self._move(ActivityStatus.ASSIGNED, WakeReason.AUTO_RETRY, **noted)
            return RunEnd(status=ActivityStatus.ASSIGNED, wake_reason=WakeReason.AUTO_RETRY)
        await self._move(ActivityStatus.FAILED, None, **noted)
        await self._log("error", {"error": error})
        await agent_activities.announce_failed(self._db, row, error, row.auto_retries)
        return RunEnd(status=ActivityStatus.FAILED)

    async def _output(self) -> RunEnd:
        text = await self._text()
        if not text:
            return await self._failed(RunError.MODEL_ERROR, "The run ended without an output.")
        kind = policy_needs_approval(ActivityType(self._row.type))
        if kind is None:
            return await self._done(text)
        output_id, content_hash = await self._store(text)
        question = {
            "type": kind,
            "riskLevel": self._row.risk,
            "title": f"Approve: {self._row.title}",
            "description": None,
            "options": None,
        }
        return await self._ask(question, output_id, content_hash)

    async def _done(self, text: str) -> RunEnd:
        async with at_once(self._db):
            output_id, _ = await self._store(text)
            await self._close_run(RunStatus.COMPLETED)
            ended = {"output_id": output_id, "completed_at": self._end.at}
            await self._move(ActivityStatus.DONE, None, **ended)
            await self._log("completed", {"status": ActivityStatus.DONE})
            await agent_activities.announce_done(self._db, self._row)
        return RunEnd(status=ActivityStatus.DONE)

    async def _question(self, asked: dict[str, Any]) -> RunEnd:
        text = await self._text()
        if text:
            return await self._ask(asked, *await self._store(text))
        worded = json.dumps(asked, sort_keys=True)
        return await self._ask(asked, None, hashlib.sha256(worded.encode()).hexdigest())

    async def _ask(self, asked: dict[str, Any], output_id: str | None, content_hash: str) -> RunEnd:
        end, row = self._end, self._row
        expires_at = end.at + EXPIRY
        options = tuple(asked.get("options") or ())
        await approvals.ask(
            self._db,
            tenant_id=row.tenant_id,
            approval_id=end.approval_id,
            campaign_id=row.campaign_id,
            activity_ids=[row.id],
            kind=ApprovalType(asked["type"]),
            risk=RiskLevel(asked["riskLevel"]),
            title=str(asked["title"])[:200],
            description=asked.get("description"),
            options=options,
            content_hash=content_hash,
            cost_so_far=row.spent_usd,
            created_by=row.assignee_id,
            at=end.at,
            expires_at=expires_at,
        )
        kept: dict[str, Any] = {} if output_id is None else {"output_id": output_id}
        await self._rest(ActivityStatus.AWAITING_APPROVAL, approval_id=end.approval_id, **kept)
        return RunEnd(
            status=ActivityStatus.AWAITING_APPROVAL,
            approval_id=end.approval_id,
            approval_title=str(asked["title"])[:200],
            approval_options=options,
            expires_at=expires_at,
        )

    async def _hand_over(self, asked: dict[str, Any]) -> RunEnd:
        text = await self._text()
        if text:
            output_id, _ = await self._store(text)
        target = await hand_overs.target(self._db, self._row, str(asked["to"]))
        note = f"\n\nHanded over by {self._row.agent_role}: {asked.get('note', '')}"
        kept: dict[str, Any] = {"output_id": output_id} if text else {}
        await self._rest(
            ActivityStatus.REASSIGNED,
            WakeReason.HANDED_OVER,
            agent_role=target.role,
            assignee_id=target.principal_id,
            input_prompt=self._row.input_prompt + note,
            **kept,
        )
        return RunEnd(status=ActivityStatus.REASSIGNED, wake_reason=WakeReason.HANDED_OVER)

    async def _children(self) -> RunEnd:
        review = self._end.ending is Ending.REVIEW
        status = ActivityStatus.AWAITING_REVIEW if review else ActivityStatus.AWAITING_SUBTASK
        text = await self._text()
        kept: dict[str, Any] = {}
        if text:
            kept["output_id"], _ = await self._store(text)
        await self._rest(status, **kept)
        new = await agent_activities.subtasks(
            self._db, self._row.id, statuses=[ActivityStatus.CREATED]
        )
        await agent_activities.assign(
            self._db,
            [one.id for one in new],
            WakeReason.PLANNED,
            self._end.at,
            by=workflow_run(),
        )
        return RunEnd(status=status, subtasks=_orders(new))

    async def _rest(
        self, status: ActivityStatus, reason: WakeReason | None = None, **values: Any
    ) -> None:
        """Close the run well, with the activity going on later."""
        async with at_once(self._db):
            await self._close_run(RunStatus.COMPLETED)
            await self._move(status, reason, **values)
            await self._log("completed", {"status": status})

    async def _move(self, status: ActivityStatus, reason: WakeReason | None, **values: Any) -> None:
        await agent_activities.move(
            self._db,
            self._row.id,
            generation=self._end.generation,
            status=status,
            wake_reason=reason,
            at=self._end.at,
            workflow_run_id=workflow_run(),
            **values,
        )

    async def _close_run(
        self, status: RunStatus, error: RunError | None = None, message: str = ""
    ) -> None:
        end, row = self._end, self._row
        await runs_write.close_run(
            self._db, end.run_id, status=status, at=end.at, error=error, message=message
        )
        if row.agent_role is not None and error is not RunError.CANCELLED:
            worded = None if error is None else f"{error}: {message}"
            await runs_write.note_outcome(
                self._db, row.tenant_id, row.agent_role, at=end.at, error=worded
            )

    async def _log(self, kind: str, payload: dict[str, Any]) -> None:
        await stream.append(
            self._db,
            tenant_id=self._row.tenant_id,
            activity_id=self._row.id,
            run_id=self._end.run_id,
            turn=None,
            attempt=None,
            entries=[(kind, payload)],
        )

    async def _store(self, text: str) -> tuple[str, str]:
        return await agent_activities.store_output(
            self._db,
            tenant_id=self._row.tenant_id,
            activity_id=self._row.id,
            run_id=self._end.run_id,
            text=text,
            format=OutputFormat.MARKDOWN,
            at=self._end.at,
        )

    async def _text(self) -> str:
        rows = await runs_write.messages_of_run(self._db, self._row.id, self._end.run_id)
        return final_text(rows)


def final_text(rows: Sequence[Any]) -> str:
    """The words of a run's last answer; one that was cut at the token limit is put together."""
    parts: list[str] = []
    goes_on = True
    for row in reversed(rows):
        words = "".join(block["text"] for block in row.blocks if block["kind"] == "text")
        if row.role != "assistant":
            # A note may stand beside the word to go on; the answer is one all the same.
            goes_on = goes_on or words == GO_ON
        elif goes_on:
            parts.append(words)
            goes_on = False
        else:
            break
    return "".join(reversed(parts)).strip()


def _plan_in_words(plan: dict[str, Any]) -> str:
    lines = [
        f"- **{item.get('title')}** ({item.get('type')}, {item.get('role')}"
        f"{', ×' + str(item['quantity']) if item.get('quantity', 1) != 1 else ''})"
        for item in plan.get("activities", [])
    ]
    return "\n".join(["# Plan", "", *lines])


def _orders(rows: Sequence[AnyRow]) -> tuple[SubtaskOrder, ...]:
    return tuple(
        SubtaskOrder(activity_id=row.id, title=row.title, role=row.agent_role) for row in rows
    )


async def _recorded(db: AsyncConnection, row: AnyRow) -> RunEnd:
    """The end as it was written before a crash kept the workflow from hearing of it."""
    reason = WakeReason(row.wake_reason) if row.wake_reason else None
    result = RunEnd(
        status=ActivityStatus(row.status),
        wake_reason=reason,
        agrees=None if row.verdict is None else bool(row.verdict.get("agrees")),
    )
    if result.status is ActivityStatus.AWAITING_APPROVAL:
        asked = await approvals.locked(db, row.approval_id)
        assert asked is not None
        return replace(
            result,
            approval_id=asked.id,
            approval_title=asked.title,
            approval_options=tuple(asked.options or ()),
            expires_at=asked.expires_at,
        )
    waits = {ActivityStatus.AWAITING_SUBTASK, ActivityStatus.AWAITING_REVIEW}
    if result.status in waits:
        fresh = [ActivityStatus.CREATED, ActivityStatus.ASSIGNED]
        new = await agent_activities.subtasks(db, row.id, statuses=fresh)
        return replace(result, subtasks=_orders(new))
    return result
