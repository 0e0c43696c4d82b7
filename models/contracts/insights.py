"""What crosses Temporal while a model writes about a client's numbers: ids and days alone."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from models.rules.clients.vocabulary import PeriodType


class InsightOutcome(StrEnum):
    """What became of an insight that was asked for."""

    WRITTEN = "written"
    CURRENT = "current"
    """The newest one was made of the same."""
    NO_NUMBERS = "no_numbers"
    NO_MODEL = "no_model"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteInsight:
    """Write an insight about the period that ends on a day; None: the last one that is stored."""

    tenant_id: str
    company_id: str
    period_type: PeriodType
    period_end: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GatherInsight:
    """Gather what an insight is made from, for the run of a workflow."""

    tenant_id: str
    company_id: str
    run_id: str
    at: datetime
    period_type: PeriodType
    period_end: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class InsightGathered:
    """The input is in the record; with an `outcome` there is nothing to write."""

    outcome: InsightOutcome | None = None
    sources: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreInsight:
    """Store what passed the checks."""

    tenant_id: str
    company_id: str
    run_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InsightWritten:
    """What became of it, and its id where it was written."""

    outcome: InsightOutcome
    id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarterSeen:
    """What there is for a QBR from results; without a model it is put together from a template."""

    has_model: bool
    needs_insight: bool
