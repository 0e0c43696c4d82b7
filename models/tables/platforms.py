"""Connections of clients to platforms, what is known of their days, and what may be asked when.

Source: clients/connections.yaml. Credentials are sealed; `sealed_credentials` is empty once a
connection is disconnected.
"""

from datetime import date
from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, Numeric, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base, Created, Moment, TenantRow


class PlatformConnection(TenantRow, Base):
    """A client's account on a platform; at most one of a platform is active.

    `time_zone` and `currency` are the account's own, as the platform told them; days and amounts
    are in them.
    """

    __tablename__ = "platform_connection"
    id: Mapped[str] = mapped_column(primary_key=True)
    company_id: Mapped[str] = mapped_column(ForeignKey("client.company_id"))
    platform: Mapped[str]
    status: Mapped[str]
    source: Mapped[str]
    connected_by_user_id: Mapped[str | None] = mapped_column(ForeignKey("principal.id"))
    connected_at: Mapped[Moment]
    last_synced_at: Mapped[Moment | None]
    last_sync_error: Mapped[str | None]
    store_url: Mapped[str | None]
    account_id: Mapped[str | None]
    display_name: Mapped[str | None]
    time_zone: Mapped[str | None]
    currency: Mapped[str | None]
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    token_expires_at: Mapped[Moment | None]
    sealed_credentials: Mapped[bytes | None] = mapped_column(LargeBinary)
    key_id: Mapped[str | None]
    renewing_until: Mapped[Moment | None]
    """A lease: until then nobody but who took it renews the token."""
    created_at: Mapped[Created]
    updated_at: Mapped[Created]

    __table_args__ = (
        CheckConstraint("status in ('active', 'expired', 'disconnected')", name="status"),
        CheckConstraint("source in ('manual', 'oauth', 'import')", name="source"),
        CheckConstraint(
            "(status = 'disconnected') = (sealed_credentials is null)", name="credentials"
        ),
        CheckConstraint("(sealed_credentials is null) = (key_id is null)", name="key_id"),
        Index(
            "uq_platform_connection_active", "company_id", "platform",
            unique=True, postgresql_where="status = 'active'",
        ),
        Index("ix_platform_connection_listed", "company_id", "platform", "created_at"),
        Index(
            "ix_platform_connection_synced", "tenant_id", "company_id", "time_zone",
            postgresql_where="status = 'active'",
        ),
    )  # fmt: skip


class ConnectionDay(TenantRow, Base):
    """The gap ledger: what is known of a day of a connection, on one level.

    A day is missing until it was pulled, provisional while the platform may still restate it, and
    final afterwards. A day without a row was never asked for.
    """

    __tablename__ = "connection_day"
    connection_id: Mapped[str] = mapped_column(
        ForeignKey("platform_connection.id"), primary_key=True
    )
    level: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    state: Mapped[str]
    as_of: Mapped[Moment | None]
    """When the platform was asked last; empty while the day is missing."""
    error: Mapped[str | None]

    __table_args__ = (
        CheckConstraint("level in ('account', 'campaign')", name="level"),
        CheckConstraint("state in ('missing', 'provisional', 'final')", name="state"),
        CheckConstraint("(state = 'missing') = (as_of is null)", name="as_of"),
    )


class QuotaLease(TenantRow, Base):
    """What is left of a connection's quota, shared by all workers under the row's lock.

    `resting_until` is how long the platform asked us to stay away.
    """

    __tablename__ = "quota_lease"
    connection_id: Mapped[str] = mapped_column(
        ForeignKey("platform_connection.id"), primary_key=True
    )
    tokens: Mapped[Decimal] = mapped_column(Numeric)
    refilled_at: Mapped[Moment]
    resting_until: Mapped[Moment | None]
    updated_at: Mapped[Created]

    __table_args__ = (CheckConstraint(text("tokens >= 0"), name="tokens"),)
