"""Texts about clients while a model writes them: what it was given, and each call with its price.

Rows are here for as long as a text is written; what it has cost stays in the ledger.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, ForeignKey, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base, Created, Money, TenantRow


class TextDraft(TenantRow, Base):
    """A text under way; `run_id` is the run of the workflow that writes it.

    `given` is the input, masked and as it is hashed; `output` is what passed the checks.
    """

    __tablename__ = "text_draft"
    run_id: Mapped[str] = mapped_column(primary_key=True)
    company_id: Mapped[str] = mapped_column(ForeignKey("client.company_id"))
    kind: Mapped[str]
    today: Mapped[date]
    adapter: Mapped[str]
    model: Mapped[str]
    prompt_version: Mapped[str]
    given: Mapped[dict[str, Any]] = mapped_column(JSONB)
    input_hash: Mapped[str]
    output: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    created_at: Mapped[Created]

    __table_args__ = (Index("ix_text_draft_old", "tenant_id", "created_at"),)


class TextCall(TenantRow, Base):
    """One call of a model for a text. A settled call is never made again.

    `status` is open, settled, or cut_off: the worker died or the vendor failed, and the row holds
    what had been used by then. `number` counts the questions, `attempt` the tries at one question.
    `complaint` is what was wrong with the answer, in the words that the model is told.
    """

    __tablename__ = "text_call"
    run_id: Mapped[str] = mapped_column(
        ForeignKey("text_draft.run_id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(primary_key=True)
    attempt: Mapped[int] = mapped_column(primary_key=True)
    status: Mapped[str]
    reserved_usd: Mapped[Money]
    reserved_month: Mapped[date | None]
    answer: Mapped[str | None]
    complaint: Mapped[str | None]
    streamed_bytes: Mapped[int] = mapped_column(BigInteger, server_default="0")
    input_tokens: Mapped[int] = mapped_column(BigInteger, server_default="0")
    output_tokens: Mapped[int] = mapped_column(BigInteger, server_default="0")
    cache_write_tokens: Mapped[int] = mapped_column(BigInteger, server_default="0")
    cache_read_tokens: Mapped[int] = mapped_column(BigInteger, server_default="0")
    cost_usd: Mapped[Money] = mapped_column(server_default="0")
    started_at: Mapped[Created]
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
