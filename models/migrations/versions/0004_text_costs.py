"""What texts about clients cost: charges of the ledger that belong to a company, not a campaign."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.alter_column("ledger_entry", "campaign_id", nullable=True)
    op.alter_column("ledger_entry", "activity_id", nullable=True)
    op.add_column("ledger_entry", sa.Column("company_id", sa.Text(), nullable=True))
    op.create_foreign_key(
        "fk_ledger_entry_company_id", "ledger_entry", "company", ["company_id"], ["id"]
    )
    op.create_check_constraint(
        op.f("ck_ledger_entry_subject"),
        "ledger_entry",
        "(campaign_id is null) = (activity_id is null)"
        " and (campaign_id is null) <> (company_id is null)",
    )


def downgrade() -> None:
    # Refused by PostgreSQL while a company has charges: the ledger is never made to forget.
    op.alter_column("ledger_entry", "campaign_id", nullable=False)
    op.alter_column("ledger_entry", "activity_id", nullable=False)
    op.drop_constraint(op.f("ck_ledger_entry_subject"), "ledger_entry")
    op.drop_constraint("fk_ledger_entry_company_id", "ledger_entry")
    op.drop_column("ledger_entry", "company_id")
