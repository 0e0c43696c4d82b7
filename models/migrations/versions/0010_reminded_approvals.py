"""What an approval's people were last reminded of, so that a repeated step reminds nobody twice."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("approval", sa.Column("reminded_hours_left", sa.Integer(), nullable=True))


def downgrade() -> None:
    op.drop_column("approval", "reminded_hours_left")
