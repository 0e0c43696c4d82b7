"""Companies that the tenant works for, their people, and what is done with them.

Source: clients/clients.yaml, rules.detail and rules.list. Projects, deals and meetings hold what a
client's page counts and names; their own areas will fill in the rest.
"""

from datetime import date

from sqlalchemy import (
    CheckConstraint,
    Computed,
    ForeignKey,
    Index,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base, Created, Moment, TenantRow


class Company(TenantRow, Base):
    """Somebody the tenant works for; groups of companies are one level deep.

    `name_key` is what lists sort by and search in. It folds case by Unicode and is compared by code
    point, whatever the locale of the cluster.
    """

    __tablename__ = "company"
    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    name_key: Mapped[str] = mapped_column(
        Text(collation="C"), Computed('lower(name collate "pg_c_utf8")', persisted=True)
    )
    website: Mapped[str | None]
    parent_company_id: Mapped[str | None] = mapped_column(ForeignKey("company.id"))
    created_at: Mapped[Created]
    updated_at: Mapped[Created]

    __table_args__ = (
        CheckConstraint("parent_company_id <> id", name="parent"),
        UniqueConstraint("id", "name_key"),
        Index("ix_company_by_name", "tenant_id", "name_key", "id"),
        Index(
            "ix_company_parent", "parent_company_id", "name_key",
            postgresql_where="parent_company_id is not null",
        ),
    )  # fmt: skip


class Contact(TenantRow, Base):
    """A person outside the tenant; `last_interaction_at` follows the interactions."""

    __tablename__ = "contact"
    id: Mapped[str] = mapped_column(primary_key=True)
    company_id: Mapped[str | None] = mapped_column(ForeignKey("company.id"))
    name: Mapped[str]
    email: Mapped[str | None]
    phone: Mapped[str | None]
    title: Mapped[str | None]
    is_primary: Mapped[bool] = mapped_column(server_default=text("false"))
    last_interaction_at: Mapped[Moment | None]
    archived_at: Mapped[Moment | None]
    created_at: Mapped[Created]
    updated_at: Mapped[Created]

    __table_args__ = (
        Index(
            "ix_contact_listed", "company_id", text("is_primary desc"), "name", "id",
            postgresql_where="archived_at is null",
        ),
        Index("ix_contact_company", "company_id", "created_at", "id"),
    )  # fmt: skip


class Project(TenantRow, Base):
    """Work under one name, for a company or not; one that is under way is active."""

    __tablename__ = "project"
    id: Mapped[str] = mapped_column(primary_key=True)
    company_id: Mapped[str | None] = mapped_column(ForeignKey("company.id"))
    name: Mapped[str]
    status: Mapped[str] = mapped_column(server_default="active")
    created_at: Mapped[Created]
    updated_at: Mapped[Created]

    __table_args__ = (Index("ix_project_company", "company_id", "status"),)


class Deal(TenantRow, Base):
    """Something that may be sold to a company: open until it is won or lost."""

    __tablename__ = "deal"
    id: Mapped[str] = mapped_column(primary_key=True)
    company_id: Mapped[str] = mapped_column(ForeignKey("company.id"))
    name: Mapped[str]
    status: Mapped[str] = mapped_column(server_default="open")
    created_at: Mapped[Created]
    updated_at: Mapped[Created]

    __table_args__ = (
        CheckConstraint("status in ('open', 'won', 'lost')", name="status"),
        Index("ix_deal_company", "company_id", "status"),
    )


class Meeting(TenantRow, Base):
    """A meeting with a company; one of a day that is yet to come has not taken place."""

    __tablename__ = "meeting"
    id: Mapped[str] = mapped_column(primary_key=True)
    company_id: Mapped[str] = mapped_column(ForeignKey("company.id"))
    title: Mapped[str]
    held_on: Mapped[date]
    notes: Mapped[str | None]
    created_at: Mapped[Created]

    __table_args__ = (Index("ix_meeting_company", "company_id", "held_on"),)
