# What `up` and `down` know about the distributed stack on this machine. To be sourced in the repository's root.

state=${ECHO_DATA_DIR:-${XDG_DATA_HOME:-$HOME/.local/share}/echo}/stack
services=(echo-sandbox-carrier echo-webhook-dispatcher echo-knowledge-service echo-telephony-bridge echo-call-orchestrator echo-gateway)
say() { echo "echo: $*" >&2; }

ops_port() {
  case $1 in
    echo-gateway) echo 9080 ;; echo-call-orchestrator) echo 9081 ;; echo-telephony-bridge) echo 9082 ;;
    echo-webhook-dispatcher) echo 9083 ;; echo-knowledge-service) echo 9084 ;; echo-sandbox-carrier) echo 9085 ;;
  esac
}

http_port() { case $1 in echo-telephony-bridge) echo 8081 ;; *) echo 8080 ;; esac; }

# Keys and the sandbox's account: made once, kept for ever.
secrets() {
  local file=$state/secrets
  if [ ! -e "$file" ]; then
    (umask 077; {
      echo "ECHO_MASTER_KEYS=k1:$(head -c 32 /dev/urandom | base64 -w0)"
      echo "ECHO_JWT_KEYS=k1:$(head -c 32 /dev/urandom | base64 -w0)"
      echo "ECHO_SANDBOX_ACCOUNT_SID=AC$(head -c 16 /dev/urandom | od -An -tx1 | tr -d ' \n')"
      echo "ECHO_SANDBOX_AUTH_TOKEN=$(head -c 16 /dev/urandom | od -An -tx1 | tr -d ' \n')"
    } >"$file")
  fi
  grep -q ^STACK_PASSWORD= "$file" || echo "STACK_PASSWORD=$(head -c 16 /dev/urandom | od -An -tx1 | tr -d ' \n')" >>"$file"
  set -a; . "$file"; set +a
}

# The schema of a service; nothing for one without tables.
schema() { case $1 in echo-sandbox-carrier) ;; *) echo "${1#echo-}" | tr - _ ;; esac; }

admin() { PGOPTIONS="-c client_min_messages=warning" psql -qAtX -v ON_ERROR_STOP=1 "$@" >/dev/null; }

# A database of its own, and in it a schema for every service that only the service's own role gets into. Where
# ECHO_DATABASE_URL is given, it is taken as it is, for all.
own_roles() {
  [ -z "${ECHO_DATABASE_URL:-}" ] || return 0
  command -v psql >/dev/null || { say "needs psql: install the package 'postgresql-client', or name a database in ECHO_DATABASE_URL"; exit 1; }
  local admin_url=$ECHO_TEST_DATABASE_URL name service
  database_base=${admin_url%/*}
  database_host=${database_base##*@}
  psql -qAtXc "SELECT 1 FROM pg_database WHERE datname = 'echo'" "$admin_url" | grep -q 1 || admin -c 'CREATE DATABASE echo' "$admin_url"
  for service in "${services[@]}"; do
    name=$(schema "$service"); [ -n "$name" ] || continue
    admin "$database_base/echo" <<SQL
DO \$\$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'echo_$name') THEN CREATE ROLE "echo_$name"; END IF; END \$\$;
ALTER ROLE "echo_$name" LOGIN PASSWORD '$STACK_PASSWORD';
CREATE SCHEMA IF NOT EXISTS "$name" AUTHORIZATION "echo_$name";
SQL
  done
}

# Where a service keeps its tables.
database_url() {
  local name; name=$(schema "$1")
  if [ -n "${ECHO_DATABASE_URL:-}" ]; then echo "$ECHO_DATABASE_URL"; else echo "postgres://echo_$name:$STACK_PASSWORD@$database_host/echo"; fi
}

environment() {
  local database; database=$(database_url "$1")
  export ECHO_DATABASE_URL=$database ECHO_AMQP_URL=${ECHO_AMQP_URL:-$ECHO_TEST_AMQP_URL}
  export ECHO_CARRIER=${ECHO_CARRIER:-sandbox} ECHO_PUBLIC_URL=${ECHO_PUBLIC_URL:-http://127.0.0.1:8080}
  export ECHO_HTTP_ADDR=127.0.0.1:$(http_port "$1") ECHO_OPS_ADDR=127.0.0.1:$(ops_port "$1")
  export ECHO_BRIDGE_URLS=http://127.0.0.1:8081
}

start_service() {
  local bin; bin=$(deploy/dev/target-dir)/debug/$1
  (environment "$1"; exec setsid "$bin" serve </dev/null >>"$state/logs/$1.log" 2>&1) &
  echo "$1 $!" >>"$state/pids"
}

await_ready() {
  local bin tries; bin=$(deploy/dev/target-dir)/debug/$1
  for tries in $(seq 120); do
    if (environment "$1"; "$bin" --check-health >/dev/null 2>&1); then return 0; fi
    sleep 0.25
  done
  return 1
}

# Whether this process is still that service: a number may have gone to somebody else since.
runs() { ps -o args= -p "$2" 2>/dev/null | grep -q "/$1 serve\$"; }

any_runs() {
  local service pid
  while read -r service pid; do if runs "$service" "$pid"; then return 0; fi; done <"$state/pids"
  return 1
}
