"""Who is synced every day, found by tenant: the dispatcher asks for each of them in turn."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_platform_connection_synced",
        "platform_connection",
        ["tenant_id", "company_id", "time_zone"],
        postgresql_where=sa.text("status = 'active'"),
    )


def downgrade() -> None:
    op.drop_index("ix_platform_connection_synced", "platform_connection")
