"""What every table shares: the metadata, naming, and the mixin that makes a row a tenant's."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, ClassVar

from sqlalchemy import DateTime, ForeignKey, MetaData, Numeric, Text, func
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

Id = Annotated[str, mapped_column(Text)]
Money = Annotated[Decimal, mapped_column(Numeric(18, 6))]
Score = Annotated[Decimal, mapped_column(Numeric(3, 2))]
Moment = Annotated[datetime, mapped_column(DateTime(timezone=True))]
Created = Annotated[
    datetime, mapped_column(DateTime(timezone=True), server_default=func.clock_timestamp())
]


class Base(DeclarativeBase):
    """All tables of Throughline."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar = {str: Text}


class TenantRow:
    """A row that belongs to one tenant; row-level security is derived from this mixin."""

    tenant_id: Mapped[str] = mapped_column(Text, ForeignKey("tenant.id"))
