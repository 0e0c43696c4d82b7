"""The wall between tenants, as a migration raises it around a new table."""

from typing import Final

from alembic import op

APP: Final = "throughline_app"
_OURS: Final = "tenant_id = current_setting('app.tenant_id', true)"


def raise_wall(table: str, *, append_only: bool = False) -> None:
    """Force a policy that denies when no tenant is set, and let the application's role in.

    What is append-only can be read and added to, never changed.
    """
    op.execute(f"alter table {table} enable row level security")
    op.execute(f"alter table {table} force row level security")
    op.execute(f"create policy tenant_wall on {table} using ({_OURS}) with check ({_OURS})")
    rights = "select, insert" if append_only else "select, insert, update, delete"
    op.execute(f"grant {rights} on {table} to {APP}")
