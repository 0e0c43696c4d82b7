"""Companies are listed by name and met by it on import; contacts are met within their company."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_company_by_name", "company", ["tenant_id", "name_key", "id"])
    op.create_index("ix_contact_company", "contact", ["company_id", "created_at", "id"])


def downgrade() -> None:
    op.drop_index("ix_contact_company", "contact")
    op.drop_index("ix_company_by_name", "company")
