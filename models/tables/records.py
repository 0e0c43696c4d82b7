"""What is written beside the work: events, the audit log, idempotency keys."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, Index, LargeBinary
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base, Created, TenantRow


class EventCounter(TenantRow, Base):
    """The counter of a tenant's events; its row lock makes commit order seq order."""

    __tablename__ = "event_counter"
    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    next_seq: Mapped[int] = mapped_column(BigInteger, server_default="1")


class Event(TenantRow, Base):
    """One event of a tenant's feed, kept for 24 hours."""

    __tablename__ = "event"
    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    kind: Mapped[str]
    payload: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_on: Mapped[Created]

    __table_args__ = (Index("ix_event_age", "created_on"),)


class AuditEntry(TenantRow, Base):
    """Who did what to which entity; secrets in `changes` read [redacted]."""

    __tablename__ = "audit_entry"
    id: Mapped[str] = mapped_column(primary_key=True)
    actor_id: Mapped[str]
    actor_type: Mapped[str]
    """human, agent, or system (timers, the reconciler)."""
    entity_type: Mapped[str]
    entity_id: Mapped[str]
    action: Mapped[str]
    changes: Mapped[dict[str, Any]] = mapped_column(JSONB)
    ip: Mapped[str | None]
    created_on: Mapped[Created]

    __table_args__ = (
        Index("ix_audit_entry_listed", "tenant_id", "created_on", "id"),
        Index("ix_audit_entry_entity", "tenant_id", "entity_type", "entity_id", "created_on"),
    )


class IdempotencyKey(TenantRow, Base):
    """A request that was sent with a key, and its answer once there is one."""

    __tablename__ = "idempotency_key"
    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    principal_id: Mapped[str] = mapped_column(primary_key=True)
    route: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    request_hash: Mapped[str]
    response_status: Mapped[int | None]
    response_body: Mapped[bytes | None] = mapped_column(LargeBinary)
    claimed_until: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    created_on: Mapped[Created]

    __table_args__ = (Index("ix_idempotency_key_age", "created_on"),)
