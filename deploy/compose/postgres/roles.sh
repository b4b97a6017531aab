#!/usr/bin/env bash
# Run once, by the first start of PostgreSQL's image: a schema for every service that only the service's own role gets into.
set -euo pipefail
run() { psql -qAtX -v ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" --dbname "$POSTGRES_DB" "$@"; }

run -v database="$POSTGRES_DB" <<'SQL'
REVOKE ALL ON DATABASE :"database" FROM PUBLIC;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
SQL
for schema in gateway call_orchestrator telephony_bridge webhook_dispatcher knowledge_service; do
  password=PASSWORD_${schema^^}
  run -v database="$POSTGRES_DB" -v role="echo_$schema" -v schema="$schema" -v password="${!password:?}" <<'SQL'
CREATE ROLE :"role" LOGIN PASSWORD :'password';
GRANT CONNECT ON DATABASE :"database" TO :"role";
CREATE SCHEMA :"schema" AUTHORIZATION :"role";
SQL
done
