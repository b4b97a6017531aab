# shellcheck shell=bash disable=SC2154
# What `up` and `down` know about the distributed stack on this machine. To be sourced in the repository's root, after servers.sh.

state=${ECHO_DATA_DIR:-${XDG_DATA_HOME:-$HOME/.local/share}/echo}/stack
services=(echo-sandbox-carrier echo-webhook-dispatcher echo-knowledge-service echo-telephony-bridge echo-call-orchestrator echo-gateway)

# ECHO_HTTP_ADDR and ECHO_OPS_ADDR are the gateway's; the bridge's port, and the others' for operations, follow.
http=${ECHO_HTTP_ADDR:-127.0.0.1:8080}
ops=${ECHO_OPS_ADDR:-127.0.0.1:9080}
sandbox=${ECHO_SANDBOX_ADDR:-127.0.0.1:8089}
bridge=127.0.0.1:$((${http##*:} + 1))

ops_addr() {
  local after
  case $1 in
    echo-gateway) after=0 ;; echo-call-orchestrator) after=1 ;; echo-telephony-bridge) after=2 ;;
    echo-webhook-dispatcher) after=3 ;; echo-knowledge-service) after=4 ;; echo-sandbox-carrier) after=5 ;;
  esac
  echo "${ops%:*}:$((${ops##*:} + after))"
}

http_addr() { case $1 in echo-telephony-bridge) echo "$bridge" ;; *) echo "$http" ;; esac; }

# Another Echo on the same ports would answer for ours.
addresses_are_free() {
  local service address
  for address in "$http" "$bridge" "$sandbox" $(for service in "${services[@]}"; do ops_addr "$service"; done); do
    if listens "${address%:*}" "${address##*:}"; then
      say "$address is taken; choose others with ECHO_HTTP_ADDR, ECHO_OPS_ADDR and ECHO_SANDBOX_ADDR"; return 1
    fi
  done
}

random() { head -c "$1" /dev/urandom; }
hex() { od -An -tx1 | tr -d ' \n'; }

# Keys, the sandbox's account and the password of the tables: made once, kept for ever. What the user has set goes before.
secrets() {
  local file=$state/secrets line name
  if [ ! -e "$file" ]; then
    (umask 077; cat >"$file.new" <<NEW
ECHO_MASTER_KEYS=k1:$(random 32 | base64 -w0)
ECHO_JWT_KEYS=k1:$(random 32 | base64 -w0)
ECHO_SANDBOX_ACCOUNT_SID=AC$(random 16 | hex)
ECHO_SANDBOX_AUTH_TOKEN=$(random 16 | hex)
STACK_PASSWORD=$(random 16 | hex)
NEW
    )
    mv "$file.new" "$file"
  fi
  while read -r line; do
    name=${line%%=*}
    [ -n "${!name:-}" ] || export "$name=${line#*=}"
  done <"$file"
}

# Before every name that is made on the server.
prefix=${ECHO_SCHEMA_PREFIX:-}

# The schema of a service; nothing for one without tables.
schema() { case $1 in echo-sandbox-carrier) ;; *) echo "$prefix${1#echo-}" | tr - _ ;; esac; }
role() { echo "${prefix}echo_${1#"$prefix"}"; }

need_psql() {
  command -v psql >/dev/null && return
  if may_install; then install postgresql-client; return; fi
  say "psql is needed: install the package 'postgresql-client', or name a database in ECHO_DATABASE_URL"; return 1
}

admin() { PGOPTIONS="-c client_min_messages=warning" psql -wqAtX -v ON_ERROR_STOP=1 "$@"; }

# A database of its own, and in it a schema for every service that only the service's own role gets into.
own_roles() {
  local admin_url=$ECHO_TEST_DATABASE_URL database=${prefix}echo service name
  database_url=${admin_url%/*}/$database
  admin -c "SELECT 1 FROM pg_database WHERE datname = '$database'" "$admin_url" | grep -q 1 || admin -c "CREATE DATABASE \"$database\"" "$admin_url"
  for service in "${services[@]}"; do
    name=$(schema "$service"); [ -n "$name" ] || continue
    admin "$database_url" >/dev/null <<SQL
DO \$\$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '$(role "$name")') THEN CREATE ROLE "$(role "$name")"; END IF; END \$\$;
ALTER ROLE "$(role "$name")" LOGIN PASSWORD '$STACK_PASSWORD';
CREATE SCHEMA IF NOT EXISTS "$name" AUTHORIZATION "$(role "$name")";
SQL
  done
}

# Where the tables and the queues are: where ECHO_DATABASE_URL and ECHO_AMQP_URL say, for all services, else on servers that are
# found or started.
ground() {
  if [ -z "${ECHO_DATABASE_URL:-}" ]; then need_psql; find_postgres; own_roles; fi
  if [ -z "${ECHO_AMQP_URL:-}" ]; then find_rabbitmq; fi
}

# Sets what a service is told.
environment() {
  local name; name=$(schema "$1")
  export ECHO_DATABASE_URL=${ECHO_DATABASE_URL:-postgres://$(role "$name"):$STACK_PASSWORD@${database_url##*@}}
  export ECHO_AMQP_URL=${ECHO_AMQP_URL:-$ECHO_TEST_AMQP_URL}
  export ECHO_CARRIER=${ECHO_CARRIER:-sandbox} ECHO_PUBLIC_URL=${ECHO_PUBLIC_URL:-http://$http}
  export ECHO_BRIDGE_URLS=${ECHO_BRIDGE_URLS:-http://$bridge}
  ECHO_HTTP_ADDR=$(http_addr "$1"); ECHO_OPS_ADDR=$(ops_addr "$1")
  export ECHO_HTTP_ADDR ECHO_OPS_ADDR
}

# Starts a service out of the folder `$bin`.
start_service() {
  (environment "$1"; exec setsid "$bin/$1" serve </dev/null >>"$state/logs/$1.log" 2>&1) &
  echo "$1 $!" >>"$state/pids"
}

# Waits until a service that was started here is ready; fails when it ends instead or takes minutes.
await_ready() {
  for _ in $(seq 480); do
    kill -0 "$2" 2>/dev/null || return 1
    if (environment "$1"; "$bin/$1" --check-health </dev/null >/dev/null 2>&1); then return 0; fi
    sleep 0.25
  done
  return 1
}

# Whether this process is still that service.
runs() { [[ "$(command_line "$2")" == *"/$1 serve " ]]; }

# What was started and what has become of it, a line each.
list() {
  local service pid
  [ -e "$state/pids" ] || return 0
  while read -r service pid; do if runs "$service" "$pid"; then echo "$service runs"; else echo "$service has ended"; fi; done <"$state/pids"
}
