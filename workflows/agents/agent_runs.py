"""One agent's run: turn after turn, tools in between, until it ends or is held."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Final, Protocol

from temporalio import workflow
from temporalio.exceptions import ActivityError, TimeoutError, TimeoutType

from activities.agents.run_ends import RunEndSteps
from activities.agents.tool_calls import ToolSteps
from activities.agents.turns import TurnSteps
from models.contracts.agent_activities import (
    Begun,
    CallTool,
    Ending,
    EndRun,
    RunEnd,
    TakeTurn,
    ToolOutcome,
    Turn,
    TurnOutcome,
)
from models.rules.vocabulary import RunError, WakeReason
from workflows import policies
from workflows.agents.activity_state import Where
from workflows.steps import record

_PRECEDENCE: Final = (
    Ending.PLAN, Ending.VERDICT, Ending.HAND_OVER, Ending.APPROVAL, Ending.REVIEW, Ending.SUBTASKS,
)  # fmt: skip
_CONTENTION_PAUSE: Final = timedelta(seconds=2)
_GRACE: Final = 30
"""Seconds that a step gets beyond the run's own time-out to write down what it used."""


class Running(Protocol):
    """What the loop needs of the workflow that it runs in."""

    def _where(self) -> Where: ...
    def _new_id(self) -> str: ...
    def _next_generation(self) -> int: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspended:
    """The run stopped at a checkpoint and stays open."""

    held_by: WakeReason
    cap: Decimal | None = None


class AgentRunLoop:
    """Runs one run; what it learns are ids and small facts, never words."""

    def __init__(self, activity: Running, begun: Begun, run_id: str) -> None:
        self._activity = activity
        self._run_id = run_id
        self._turn = begun.next_turn
        self._max_turns = begun.max_turns
        self._seconds_left = float(begun.timeout_sec)

    async def run(self) -> RunEnd | Suspended:
        """Take turns until one ends the run."""
        while self._turn <= self._max_turns:
            turn = await self._take_turn()
            self._seconds_left -= turn.seconds
            if turn.outcome is TurnOutcome.CONTENDED:
                await workflow.sleep(_CONTENTION_PAUSE, summary="cap is reserved by others")
                continue
            ended = await self._ended_by(turn)
            if ended is not None:
                return ended
            self._turn += 1
        message = f"No end after {self._max_turns} turns."
        return await self._end(Ending.NONE, RunError.MODEL_ERROR, message)

    async def _ended_by(self, turn: Turn) -> RunEnd | Suspended | None:
        match turn.outcome:
            case TurnOutcome.OUTPUT:
                return await self._end(Ending.NONE)
            case TurnOutcome.ERROR:
                assert turn.error is not None
                return await self._end(Ending.NONE, turn.error, turn.message)
            case TurnOutcome.BUDGET_EXHAUSTED:
                return Suspended(held_by=WakeReason.BUDGET_EXHAUSTED, cap=turn.cap)
            case TurnOutcome.HELD if turn.held_by is WakeReason.CAMPAIGN_ARCHIVED:
                return await self._end(Ending.NONE, RunError.CANCELLED, "Campaign archived.")
            case TurnOutcome.HELD:
                return Suspended(held_by=turn.held_by or WakeReason.CAMPAIGN_PAUSED)
            case TurnOutcome.TOOLS:
                return await self._call_tools(turn.tool_calls)
            case TurnOutcome.AGAIN | TurnOutcome.CONTENDED:
                return None

    async def _take_turn(self) -> Turn:
        take = TakeTurn(
            **self._activity._where(),
            run_id=self._run_id,
            number=self._turn,
            seconds_left=self._seconds_left,
        )
        try:
            return await workflow.execute_activity_method(
                TurnSteps.take,
                take,
                start_to_close_timeout=timedelta(seconds=max(self._seconds_left, 1) + _GRACE),
                heartbeat_timeout=policies.HEARTBEAT,
                retry_policy=policies.LLM_RETRIES,
                summary=f"LLM turn {self._turn}",
            )
        except ActivityError as failed:
            timed_out = isinstance(failed.cause, TimeoutError)
            too_long = timed_out and failed.cause.type is TimeoutType.START_TO_CLOSE  # type: ignore[union-attr]
            error = RunError.TIMEOUT if too_long else RunError.MODEL_ERROR
            return Turn(outcome=TurnOutcome.ERROR, error=error, message=str(failed.cause))

    async def _call_tools(self, call_ids: tuple[str, ...]) -> RunEnd | None:
        try:
            outcomes = await asyncio.gather(*(self._call_tool(call_id) for call_id in call_ids))
        except ActivityError as failed:
            return await self._end(Ending.NONE, RunError.TOOL_ERROR, str(failed.cause))
        endings = {outcome.ending for outcome in outcomes}
        for ending in _PRECEDENCE:
            if ending in endings:
                return await self._end(ending)
        return None

    async def _call_tool(self, call_id: str) -> ToolOutcome:
        call = CallTool(**self._activity._where(), run_id=self._run_id, call_id=call_id)
        return await workflow.execute_activity_method(
            ToolSteps.call, call, **policies.with_summary(policies.TOOL, f"Tool call {call_id}")
        )

    async def _end(
        self, ending: Ending, error: RunError | None = None, message: str = ""
    ) -> RunEnd:
        end = EndRun(
            **self._activity._where(),
            generation=self._activity._next_generation(),
            run_id=self._run_id,
            ending=ending,
            approval_id=self._activity._new_id(),
            error=error,
            message=message,
        )
        return await record(RunEndSteps.end, end)
