"""The Stripe account of a tenant, its key sealed, and how far a link's invoices are imported."""

import sqlalchemy as sa
from alembic import op

from models.migrations.walls import raise_wall

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_NOW = sa.text("clock_timestamp()")


def upgrade() -> None:
    op.create_table(
        "stripe_account",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("sealed_key", sa.LargeBinary(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("connected_at", sa.DateTime(timezone=True), server_default=_NOW, nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name="fk_stripe_account_tenant_id"),
        sa.PrimaryKeyConstraint("tenant_id", name="pk_stripe_account"),
    )
    raise_wall("stripe_account")
    op.add_column(
        "stripe_link", sa.Column("imported_at", sa.DateTime(timezone=True), nullable=True)
    )


def downgrade() -> None:
    op.drop_column("stripe_link", "imported_at")
    op.drop_table("stripe_account")
