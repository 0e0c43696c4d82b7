"""The ledger of a company can be listed, and a sum of amounts is wider than one of them."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_revenue_entry_listed", "revenue_entry", ["company_id", "counted_on", "id"])
    op.alter_column("tier_scoring", "annual_total", type_=sa.Numeric(24, 6))


def downgrade() -> None:
    op.alter_column("tier_scoring", "annual_total", type_=sa.Numeric(18, 6))
    op.drop_index("ix_revenue_entry_listed", table_name="revenue_entry")
