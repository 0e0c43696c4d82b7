"""Days of the ledger are found by its key: the index of those that are open served no query."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_connection_day_open", "connection_day")


def downgrade() -> None:
    op.create_index(
        "ix_connection_day_open",
        "connection_day",
        ["connection_id", "level", "day"],
        postgresql_where=sa.text("state <> 'final'"),
    )
