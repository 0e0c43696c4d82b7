"""Who stands behind a command, for the audit log."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """A principal and where the call came from; `type` is human, agent or system."""

    id: str
    type: str
    name: str = ""
    ip: str | None = None


SYSTEM = Actor(id="system", type="system", name="Throughline")
