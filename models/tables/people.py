"""Tenants, their principals, and what they are told."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base, Created, Money, TenantRow


class Tenant(Base):
    """An agency or a marketing team; it owns everything else.

    `monthly_cap_usd` bounds what all its campaigns together may spend in a calendar month (UTC).
    `currency` is what revenue is reported in.
    """

    __tablename__ = "tenant"
    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    monthly_cap_usd: Mapped[Money | None]
    currency: Mapped[str] = mapped_column(server_default="USD")
    created_on: Mapped[Created]

    __table_args__ = (CheckConstraint("currency ~ '^[A-Z]{3}$'", name="currency"),)


class Principal(TenantRow, Base):
    """A person or an agent of a tenant; a person's id is the `sub` of their tokens."""

    __tablename__ = "principal"
    id: Mapped[str] = mapped_column(primary_key=True)
    type: Mapped[str]
    name: Mapped[str]
    email: Mapped[str | None]
    role: Mapped[str]
    status: Mapped[str] = mapped_column(server_default="active")
    last_active_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    created_on: Mapped[Created]

    __table_args__ = (
        CheckConstraint("type in ('human', 'agent')", name="type"),
        CheckConstraint("status in ('active', 'inactive', 'terminated')", name="status"),
        Index("ix_principal_tenant_id_type_name", "tenant_id", "type", "name"),
        Index(
            "uq_principal_agent_role", "tenant_id", "role",
            unique=True, postgresql_where="type = 'agent'",
        ),
    )  # fmt: skip


class Notification(TenantRow, Base):
    """Something a person should see; delivery by mail comes on top of it.

    On the wire `kind` is type and `subject` title. `payload` names what it is about.
    """

    __tablename__ = "notification"
    id: Mapped[str] = mapped_column(primary_key=True)
    principal_id: Mapped[str]
    kind: Mapped[str]
    subject: Mapped[str] = mapped_column(Text)
    body: Mapped[str | None]
    link: Mapped[str | None]
    """Where in the product it leads, as a path."""
    company_id: Mapped[str | None] = mapped_column(ForeignKey("company.id"))
    payload: Mapped[dict[str, Any]] = mapped_column(JSONB)
    read_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    created_on: Mapped[Created]

    __table_args__ = (
        Index("ix_notification_principal", "tenant_id", "principal_id", "created_on"),
    )
