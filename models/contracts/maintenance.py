"""What crosses Temporal about looking after the record."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """One round of maintenance, at a moment of the workflow's clock."""

    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Orphan:
    """A campaign without a workflow."""

    tenant_id: str
    campaign_id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciled:
    """How many records told something else than Temporal, and were put right."""

    activities: int = 0
    approvals: int = 0
    projected: int = 0
    restart: tuple[Orphan, ...] = ()
    """Campaigns whose workflow must be started again, from the record."""

    def in_words(self) -> str:
        """One line for the operator."""
        return (
            f"{self.activities} activities, {self.approvals} approvals and {len(self.restart)} "
            f"campaigns without a workflow; {self.projected} states projected anew"
        )
