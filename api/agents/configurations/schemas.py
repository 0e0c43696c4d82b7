"""Agents on the wire."""

from typing import Annotated, Any

from pydantic import ConfigDict, Field

from api.http.bodies import Omissible, Patch, Positive, left_out
from api.http.wire import Absent, Camel, Int, Moment, Money
from models.contracts.agent_checks import AgentCheckResult
from models.queries.agents.agent_configs import ConfiguredAgent
from models.rules.vocabulary import AgentStatus

_SUMMARY: dict[str, Any] = {
    "id": "01K9AGT0000000000000000001",
    "role": "copywriter",
    "status": "running",
    "runningCount": 2,
    "model": "claude-sonnet-4-5",
    "adapterType": "claude",
    "toolNames": ["read_activity_output", "request_approval", "web_fetch"],
    "skillIds": [],
    "maxCostUsdPerActivity": 5,
    "concurrency": 3,
    "isGlobalDefault": True,
}


class AgentSummaryOut(Camel):
    """An agent role as the tenant has configured it."""

    model_config = ConfigDict(json_schema_extra={"examples": [_SUMMARY]})

    id: str
    role: str
    status: AgentStatus
    running_count: int
    model: str
    adapter_type: str = Field(description="claude, openai or ollama")
    tool_names: list[str]
    skill_ids: list[str]
    max_cost_usd_per_activity: Absent[Money] = None
    concurrency: int
    is_global_default: bool = Field(description="Inherited from the master, not customised.")
    last_error_at: Absent[Moment] = None
    last_error_message: Absent[str] = None

    @classmethod
    def of(cls, agent: ConfiguredAgent, *, adapter: str, model: str) -> "AgentSummaryOut":
        return cls(**_summary(agent, adapter=adapter, model=model))


class AdapterConfigOut(Camel):
    """How an agent's adapter is run; the values of its environment are never shown."""

    model: str
    prompt_template: str
    timeout_sec: int
    max_turns_per_run: int
    env: dict[str, str] = Field(description="Each variable reads [redacted].")


class AgentDetailOut(AgentSummaryOut):
    """An agent role with its adapter's configuration."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    **_SUMMARY,
                    "adapterConfig": {
                        "model": "claude-sonnet-4-5",
                        "promptTemplate": "You are the copywriter of {{ campaign_name }}.",
                        "timeoutSec": 600,
                        "maxTurnsPerRun": 20,
                        "env": {"ANTHROPIC_API_KEY": "[redacted]"},
                    },
                    "updatedOn": "2026-03-01T08:00:00.000Z",
                }
            ]
        }
    )

    adapter_config: AdapterConfigOut
    updated_on: Moment

    @classmethod
    def in_full(
        cls,
        agent: ConfiguredAgent,
        *,
        adapter: str,
        model: str,
        prompt_template: str,
        env: dict[str, str],
    ) -> "AgentDetailOut":
        config = AdapterConfigOut(
            model=agent.model or model,
            prompt_template=prompt_template,
            timeout_sec=agent.timeout_sec,
            max_turns_per_run=agent.max_turns,
            env=env,
        )
        summary = _summary(agent, adapter=adapter, model=model)
        return cls(**summary, adapter_config=config, updated_on=agent.updated_on)


def _summary(agent: ConfiguredAgent, *, adapter: str, model: str) -> dict[str, Any]:
    return {
        "id": agent.id,
        "role": agent.role,
        "status": agent.status,
        "running_count": agent.running,
        "model": agent.model or model,
        "adapter_type": adapter,
        "tool_names": list(agent.tool_names),
        "skill_ids": [],
        "max_cost_usd_per_activity": agent.max_cost_usd,
        "concurrency": agent.concurrency,
        "is_global_default": not agent.customised,
        "last_error_at": agent.last_error_at,
        "last_error_message": agent.last_error_message,
    }


class AdapterConfigPatch(Patch):
    """What may be overridden of an adapter's configuration."""

    prompt_template: Annotated[str, Field(max_length=100_000)] | None = Field(
        default_factory=left_out, description="Null brings the default back."
    )
    timeout_sec: Omissible[Annotated[Int, Field(ge=10, le=3600)]] = Field(default_factory=left_out)
    max_turns_per_run: Omissible[Annotated[Int, Field(ge=1, le=200)]] = Field(
        default_factory=left_out
    )


class AgentPatch(Patch):
    """What a tenant may override of an agent's configuration."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"concurrency": 5, "adapterConfig": {"timeoutSec": 900}},
            ]
        }
    )

    model: Omissible[str] = Field(default_factory=left_out)
    max_cost_usd_per_activity: Positive | None = Field(
        default_factory=left_out, description="Null lifts the bound."
    )
    tool_names: Omissible[list[str]] = Field(
        default_factory=left_out, description="Replaces the whole list."
    )
    concurrency: Omissible[Annotated[Int, Field(ge=1, le=10)]] = Field(default_factory=left_out)
    adapter_config: Omissible[AdapterConfigPatch] = Field(default_factory=left_out)


class AgentTestIn(Camel):
    """Nothing: a test needs no words."""

    model_config = ConfigDict(json_schema_extra={"examples": [{}]})


class AgentTestCheckOut(Camel):
    """One thing that was tried."""

    name: str
    ok: bool
    detail: Absent[str] = None


class AgentTestOut(Camel):
    """What came of an adapter's health check."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "ok": True,
                    "message": "claude-sonnet-4-5 answers.",
                    "checks": [
                        {"name": "api_key_set", "ok": True},
                        {"name": "model_reachable", "ok": True},
                    ],
                }
            ]
        }
    )

    ok: bool
    message: str
    checks: list[AgentTestCheckOut]

    @classmethod
    def of(cls, result: AgentCheckResult) -> "AgentTestOut":
        checks = [
            AgentTestCheckOut(name=line.name, ok=line.ok, detail=line.detail)
            for line in result.checks
        ]
        return cls(ok=result.ok, message=result.message, checks=checks)
