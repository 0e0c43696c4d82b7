"""Connections of clients to platforms, their numbers by day, and what was made of those.

The tables of days are partitioned by year. Their parts are in a schema of their own, which the
application's role cannot enter: it reaches them through the wall of the table alone. A part is made
when the first day of its year comes in, by a function of the owner's.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from models.migrations.walls import APP, raise_wall

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_NOW = sa.text("clock_timestamp()")
_DAY_PARTS = """
create function ensure_day_parts(first_day date, last_day date) returns void
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    parent text;
    part text;
    year int;
begin
    for year in extract(year from first_day)::int .. extract(year from last_day)::int loop
        foreach parent in array array['campaign_daily', 'creative_daily', 'metric_snapshot'] loop
            part := format('%s_%s', parent, year);
            -- Asked by a query: a name that was looked up before is remembered as missing.
            continue when exists (
                select from pg_tables where schemaname = 'day_parts' and tablename = part
            );
            perform pg_advisory_xact_lock(hashtext('day_parts'));
            continue when exists (
                select from pg_tables where schemaname = 'day_parts' and tablename = part
            );
            -- Made first and attached then, which locks nobody out of the table.
            execute format('create table day_parts.%I (like public.%I including all)', part, parent);
            execute format(
                'alter table public.%I attach partition day_parts.%I for values from (%L) to (%L)',
                parent, part, make_date(year, 1, 1), make_date(year + 1, 1, 1)
            );
        end loop;
    end loop;
end $$
"""
_TABLES = (
    "ad_campaign",
    "ad_creative",
    "campaign_daily",
    "campaign_reach",
    "creative_daily",
    "metric_snapshot",
    "platform_connection",
    "result_insight",
    "result_question",
    "connection_day",
    "quota_lease",
)


def upgrade() -> None:
    op.create_table(
        "ad_campaign",
        sa.Column("company_id", sa.Text(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("campaign_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("objective", sa.Text(), nullable=True),
        sa.Column("daily_budget", sa.Numeric(precision=18, scale=6), nullable=True),
        sa.Column("lifetime_budget", sa.Numeric(precision=18, scale=6), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=_NOW, nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "status in ('active', 'paused', 'ended', 'removed', 'unknown')",
            name=op.f("ck_ad_campaign_status"),
        ),
        sa.ForeignKeyConstraint(
            ["company_id"], ["client.company_id"], name=op.f("fk_ad_campaign_company_id")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_ad_campaign_tenant_id")
        ),
        sa.PrimaryKeyConstraint(
            "company_id", "platform", "campaign_id", name=op.f("pk_ad_campaign")
        ),
    )
    op.create_table(
        "ad_creative",
        sa.Column("company_id", sa.Text(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("creative_id", sa.Text(), nullable=False),
        sa.Column("campaign_id", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=_NOW, nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["company_id"], ["client.company_id"], name=op.f("fk_ad_creative_company_id")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_ad_creative_tenant_id")
        ),
        sa.PrimaryKeyConstraint(
            "company_id", "platform", "creative_id", name=op.f("pk_ad_creative")
        ),
    )
    op.create_index(
        "ix_ad_creative_campaign",
        "ad_creative",
        ["company_id", "platform", "campaign_id"],
        unique=False,
    )
    op.create_table(
        "campaign_daily",
        sa.Column("company_id", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("campaign_id", sa.Text(), nullable=False),
        sa.Column("spend", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("impressions", sa.BigInteger(), nullable=False),
        sa.Column("clicks", sa.BigInteger(), nullable=False),
        sa.Column("conversions", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("conversion_value", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("reach", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["company_id"], ["client.company_id"], name=op.f("fk_campaign_daily_company_id")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_campaign_daily_tenant_id")
        ),
        sa.PrimaryKeyConstraint(
            "company_id", "day", "platform", "campaign_id", name=op.f("pk_campaign_daily")
        ),
        postgresql_partition_by="RANGE (day)",
    )
    op.create_table(
        "campaign_reach",
        sa.Column("company_id", sa.Text(), nullable=False),
        sa.Column("period_start", sa.Date(), nullable=False),
        sa.Column("period_end", sa.Date(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("campaign_id", sa.Text(), nullable=False),
        sa.Column("reach", sa.BigInteger(), nullable=False),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["company_id"], ["client.company_id"], name=op.f("fk_campaign_reach_company_id")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_campaign_reach_tenant_id")
        ),
        sa.PrimaryKeyConstraint(
            "company_id",
            "period_start",
            "period_end",
            "platform",
            "campaign_id",
            name=op.f("pk_campaign_reach"),
        ),
    )
    op.create_table(
        "creative_daily",
        sa.Column("company_id", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("creative_id", sa.Text(), nullable=False),
        sa.Column("spend", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("conversions", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["company_id"], ["client.company_id"], name=op.f("fk_creative_daily_company_id")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_creative_daily_tenant_id")
        ),
        sa.PrimaryKeyConstraint(
            "company_id", "day", "platform", "creative_id", name=op.f("pk_creative_daily")
        ),
        postgresql_partition_by="RANGE (day)",
    )
    op.create_table(
        "metric_snapshot",
        sa.Column("company_id", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("metric_key", sa.Text(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("value", sa.Numeric(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["company_id"], ["client.company_id"], name=op.f("fk_metric_snapshot_company_id")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_metric_snapshot_tenant_id")
        ),
        sa.PrimaryKeyConstraint(
            "company_id",
            "day",
            "metric_key",
            "platform",
            "account_id",
            name=op.f("pk_metric_snapshot"),
        ),
        postgresql_partition_by="RANGE (day)",
    )
    op.create_table(
        "platform_connection",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("company_id", sa.Text(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("connected_by_user_id", sa.Text(), nullable=True),
        sa.Column("connected_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_synced_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_sync_error", sa.Text(), nullable=True),
        sa.Column("store_url", sa.Text(), nullable=True),
        sa.Column("account_id", sa.Text(), nullable=True),
        sa.Column("display_name", sa.Text(), nullable=True),
        sa.Column("time_zone", sa.Text(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("scopes", ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("token_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sealed_credentials", sa.LargeBinary(), nullable=True),
        sa.Column("key_id", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=_NOW, nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=_NOW, nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "(status = 'disconnected') = (sealed_credentials is null)",
            name=op.f("ck_platform_connection_credentials"),
        ),
        sa.CheckConstraint(
            "source in ('manual', 'oauth', 'import')", name=op.f("ck_platform_connection_source")
        ),
        sa.CheckConstraint(
            "status in ('active', 'expired', 'disconnected')",
            name=op.f("ck_platform_connection_status"),
        ),
        sa.CheckConstraint(
            "(sealed_credentials is null) = (key_id is null)",
            name=op.f("ck_platform_connection_key_id"),
        ),
        sa.ForeignKeyConstraint(
            ["company_id"], ["client.company_id"], name=op.f("fk_platform_connection_company_id")
        ),
        sa.ForeignKeyConstraint(
            ["connected_by_user_id"],
            ["principal.id"],
            name=op.f("fk_platform_connection_connected_by_user_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_platform_connection_tenant_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_platform_connection")),
    )
    op.create_index(
        "ix_platform_connection_listed",
        "platform_connection",
        ["company_id", "platform", "created_at"],
        unique=False,
    )
    op.create_index(
        "uq_platform_connection_active",
        "platform_connection",
        ["company_id", "platform"],
        unique=True,
        postgresql_where="status = 'active'",
    )
    op.create_table(
        "result_insight",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("company_id", sa.Text(), nullable=False),
        sa.Column("period_type", sa.Text(), nullable=False),
        sa.Column("period_start", sa.Date(), nullable=False),
        sa.Column("period_end", sa.Date(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("content_json", JSONB(), nullable=False),
        sa.Column("health_score", sa.SmallInteger(), nullable=True),
        sa.Column("overall_health", sa.Text(), nullable=True),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("prompt_version", sa.Text(), nullable=False),
        sa.Column("input_hash", sa.Text(), nullable=False),
        sa.Column("generated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "health_score between 0 and 100", name=op.f("ck_result_insight_health_score")
        ),
        sa.ForeignKeyConstraint(
            ["company_id"], ["client.company_id"], name=op.f("fk_result_insight_company_id")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_result_insight_tenant_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_result_insight")),
    )
    op.create_index(
        "ix_result_insight_newest", "result_insight", ["company_id", "generated_at"], unique=False
    )
    op.create_table(
        "result_question",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("company_id", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("model", sa.Text(), nullable=True),
        sa.Column("prompt_version", sa.Text(), nullable=True),
        sa.Column("input_hash", sa.Text(), nullable=True),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["asked_by"], ["principal.id"], name=op.f("fk_result_question_asked_by")
        ),
        sa.ForeignKeyConstraint(
            ["company_id"], ["client.company_id"], name=op.f("fk_result_question_company_id")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_result_question_tenant_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_result_question")),
    )
    op.create_index(
        "ix_result_question_asked",
        "result_question",
        ["tenant_id", "asked_by", "asked_at"],
        unique=False,
    )
    op.create_table(
        "connection_day",
        sa.Column("connection_id", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "(state = 'missing') = (as_of is null)", name=op.f("ck_connection_day_as_of")
        ),
        sa.CheckConstraint(
            "level in ('account', 'campaign')", name=op.f("ck_connection_day_level")
        ),
        sa.CheckConstraint(
            "state in ('missing', 'provisional', 'final')", name=op.f("ck_connection_day_state")
        ),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["platform_connection.id"],
            name=op.f("fk_connection_day_connection_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_connection_day_tenant_id")
        ),
        sa.PrimaryKeyConstraint("connection_id", "level", "day", name=op.f("pk_connection_day")),
    )
    op.create_index(
        "ix_connection_day_open",
        "connection_day",
        ["connection_id", "level", "day"],
        unique=False,
        postgresql_where="state <> 'final'",
    )
    op.create_table(
        "quota_lease",
        sa.Column("connection_id", sa.Text(), nullable=False),
        sa.Column("tokens", sa.Numeric(), nullable=False),
        sa.Column("refilled_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("resting_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=_NOW, nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.CheckConstraint("tokens >= 0", name=op.f("ck_quota_lease_tokens")),
        sa.ForeignKeyConstraint(
            ["connection_id"], ["platform_connection.id"], name=op.f("fk_quota_lease_connection_id")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_quota_lease_tenant_id")
        ),
        sa.PrimaryKeyConstraint("connection_id", name=op.f("pk_quota_lease")),
    )
    op.execute("create schema day_parts")
    op.execute(_DAY_PARTS)
    op.execute("revoke all on function ensure_day_parts from public")
    op.execute(f"grant execute on function ensure_day_parts to {APP}")
    for table in _TABLES:
        raise_wall(table)


def downgrade() -> None:
    op.drop_table("quota_lease")
    op.drop_index(
        "ix_connection_day_open", table_name="connection_day", postgresql_where="state <> 'final'"
    )
    op.drop_table("connection_day")
    op.drop_index("ix_result_question_asked", table_name="result_question")
    op.drop_table("result_question")
    op.drop_index("ix_result_insight_newest", table_name="result_insight")
    op.drop_table("result_insight")
    op.drop_index(
        "uq_platform_connection_active",
        table_name="platform_connection",
        postgresql_where="status = 'active'",
    )
    op.drop_index("ix_platform_connection_listed", table_name="platform_connection")
    op.drop_table("platform_connection")
    op.drop_table("metric_snapshot")
    op.drop_table("creative_daily")
    op.drop_table("campaign_reach")
    op.drop_table("campaign_daily")
    op.drop_index("ix_ad_creative_campaign", table_name="ad_creative")
    op.drop_table("ad_creative")
    op.drop_table("ad_campaign")
    op.execute("drop function ensure_day_parts")
    op.execute("drop schema day_parts cascade")
