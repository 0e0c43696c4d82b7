"""What crosses Temporal while a model writes about a client: ids and small facts, never words."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from models.rules.clients.qbrs import QbrPreparation


class TextKind(StrEnum):
    """What is written."""

    QBR = "qbr"
    AI_SUMMARY = "ai_summary"
    INSIGHT = "insight"
    ANSWER = "answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteAbout:
    """Write a text about a client, for a person of the tenant."""

    tenant_id: str
    company_id: str
    principal_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PrepareQbr(WriteAbout):
    """Prepare a QBR, from everything that happened or from the results of the quarter."""

    kind: QbrPreparation = QbrPreparation.AI


@dataclass(frozen=True, slots=True, kw_only=True)
class GatherSources:
    """Gather what a text is made from, for the run of a workflow; `at` is when it began."""

    tenant_id: str
    company_id: str
    run_id: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """The input is in the record; a text `is_current` when nothing has to be written."""

    input_hash: str
    sources: int
    is_current: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CallModel:
    """Ask the model for the text, for the first time or again."""

    tenant_id: str
    run_id: str
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """What a call took."""

    output_tokens: int
    cost_usd: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What was wrong with an answer, in a few words; nothing when it can be stored."""

    fault: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreText:
    """Store what passed the checks."""

    tenant_id: str
    company_id: str
    run_id: str
    principal_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscardText:
    """Put away what is left of a text that was given up."""

    tenant_id: str
    run_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TextStored:
    """The text is stored: `id` is that of the QBR, or of the company that a summary is of."""

    id: str
