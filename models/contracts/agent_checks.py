"""What crosses Temporal about the health check of an agent's adapter."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckAgent:
    """Check the adapter of one agent role, with the model that the tenant gave it."""

    tenant_id: str
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckLine:
    """One thing that was tried: cli_installed, api_key_set or model_reachable."""

    name: str
    ok: bool
    detail: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentCheckResult:
    """What came of the check; `message` is for people."""

    ok: bool
    message: str
    checks: tuple[CheckLine, ...]


def unanswered(seconds: int) -> AgentCheckResult:
    """The result of a check that did not end in time: what has not answered has failed."""
    message = f"The check did not end within {seconds} seconds."
    line = CheckLine(name="model_reachable", ok=False, detail=message)
    return AgentCheckResult(ok=False, message=message, checks=(line,))
