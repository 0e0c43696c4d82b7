#!/bin/sh
# Creates or updates Temporal's two schemas; runs to its end before the server starts.
set -eu

tool() {
    temporal-sql-tool --plugin postgres12 --endpoint "$POSTGRES_SEEDS" --port "$DB_PORT" \
        --user "$POSTGRES_USER" --password "$SQL_PASSWORD" "$@"
}

for database in temporal temporal_visibility; do
    tool --database "$database" create-database
    # Leaves a database alone that is further already.
    tool --database "$database" setup-schema --version 0.0
done
tool --database temporal update-schema \
    --schema-dir /etc/temporal/schema/postgresql/v12/temporal/versioned
tool --database temporal_visibility update-schema \
    --schema-dir /etc/temporal/schema/postgresql/v12/visibility/versioned
