"""Row-level security, grants of the application's role, and what sweeps may see.

Every table with a `tenant_id` gets a FORCEd policy that denies when `app.tenant_id` is unset.
The audit log and the ledger can be appended to and read, never changed.
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TENANT_TABLES = (
    "activity_dependency", "activity_stream", "activity_template", "agent_activity",
    "agent_config", "agent_run", "agent_slot", "approval", "approval_activity", "attachment",
    "audit_entry", "campaign", "channel", "comment", "deliverable", "deliverable_period", "event",
    "event_counter", "idempotency_key", "ledger_entry", "llm_turn", "notification", "output",
    "principal", "run_event", "tenant_spend", "tool_call", "transcript_message",
)  # fmt: skip
APPEND_ONLY = ("audit_entry", "ledger_entry")
APP = "throughline_app"


def _wall(table: str, column: str) -> None:
    op.execute(f"alter table {table} enable row level security")
    op.execute(f"alter table {table} force row level security")
    rule = f"{column} = current_setting('app.tenant_id', true)"
    op.execute(f"create policy tenant_wall on {table} using ({rule}) with check ({rule})")


def upgrade() -> None:
    op.execute(
        f"do $$ begin if not exists (select from pg_roles where rolname = '{APP}') then "
        f"create role {APP} nologin; end if; end $$"
    )
    op.execute(f"grant usage on schema public to {APP}")
    for table in TENANT_TABLES:
        _wall(table, "tenant_id")
        rights = "select, insert" if table in APPEND_ONLY else "select, insert, update, delete"
        op.execute(f"grant {rights} on {table} to {APP}")
    _wall("tenant", "id")
    op.execute(f"grant select, insert, update on tenant to {APP}")
    op.execute(f"grant select on price to {APP}")
    op.execute(f"grant usage on all sequences in schema public to {APP}")
    # Sweeps go tenant by tenant, each inside its wall; all they learn from outside is the ids.
    op.execute(
        "create function tenant_ids() returns setof text language sql stable security definer "
        "set search_path = public as 'select id from tenant order by id'"
    )
    op.execute("revoke all on function tenant_ids() from public")
    op.execute(f"grant execute on function tenant_ids() to {APP}")


def downgrade() -> None:
    op.execute("drop function tenant_ids()")
    for table in (*TENANT_TABLES, "tenant"):
        op.execute(f"drop policy tenant_wall on {table}")
        op.execute(f"alter table {table} no force row level security")
        op.execute(f"alter table {table} disable row level security")
    op.execute(f"revoke all on all tables in schema public from {APP}")
