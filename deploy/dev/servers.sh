# Finds or starts a PostgreSQL and a RabbitMQ: running ones, else installed ones on private ports, else Debian's packages where
# they may be installed, else Docker, else it stops and says what to install. Says what it did. To be sourced, with `$work` set to
# a folder of its own; what has to be run to stop what it started goes through `on_stop`. What is in `$work` from an earlier time
# is gone on with: who wants new servers gives a new folder.

say() { echo "echo: $*" >&2; }
listens() { (exec 3<>"/dev/tcp/$1/$2") 2>/dev/null; }
free_port() { python3 -c 'import socket; s=socket.socket(); s.bind(("127.0.0.1",0)); print(s.getsockname()[1])' 2>/dev/null || echo $((20000 + RANDOM % 20000)); }
await() { local what=$1 tries=$2; shift 2; until "$@" >/dev/null 2>&1; do tries=$((tries - 1)); [ $tries -gt 0 ] || { say "$what did not become ready"; return 1; }; sleep 0.5; done; }
may_install() { command -v apt-get >/dev/null && [ "$(id -u)" -eq 0 ]; }
has_docker() { command -v docker >/dev/null && docker info >/dev/null 2>&1; }
install() { say "installing $*"; apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$@" >/dev/null; }

pg_bin() { local d; for d in $(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -Vr) $(dirname "$(command -v initdb 2>/dev/null || echo /nowhere/x)"); do [ -x "$d/initdb" ] && { echo "$d"; return; }; done; return 1; }
pg_answers() { command -v psql >/dev/null && psql -qAtc 'select 1' "$1" >/dev/null 2>&1; }

start_postgres() {
  local bin port user; bin=$(pg_bin); port=$(free_port)
  # initdb refuses to run as root.
  if [ "$(id -u)" -eq 0 ]; then user="setpriv --reuid=postgres --regid=postgres --clear-groups"; chown postgres "$work"; else user=""; fi
  mkdir -p "$work/pg"; [ -z "$user" ] || chown postgres "$work/pg"; chmod 755 "$work"
  [ -e "$work/pg/PG_VERSION" ] || $user "$bin/initdb" -D "$work/pg" -U postgres -A trust >"$work/initdb.log" 2>&1
  $user "$bin/pg_ctl" -D "$work/pg" -o "-p $port -k $work -c listen_addresses=127.0.0.1 -c max_connections=300" -l "$work/pg/log" -w start >/dev/null
  on_stop "$user '$bin/pg_ctl' -D '$work/pg' -m immediate stop >/dev/null 2>&1"
  export ECHO_TEST_DATABASE_URL="postgres://postgres@127.0.0.1:$port/postgres"
  say "started a PostgreSQL of its own on port $port"
}

find_postgres() {
  if [ -n "${ECHO_TEST_DATABASE_URL:-}" ]; then say "PostgreSQL: ECHO_TEST_DATABASE_URL"; return; fi
  local url=postgres://postgres@127.0.0.1:5432/postgres
  if pg_answers "$url"; then export ECHO_TEST_DATABASE_URL=$url; say "PostgreSQL: the one running on port 5432"; return; fi
  if pg_bin >/dev/null; then start_postgres; return; fi
  if may_install; then install postgresql; start_postgres; return; fi
  if has_docker; then
    local port; port=$(free_port)
    docker run -d --rm --name "echo-test-pg-$$" -e POSTGRES_HOST_AUTH_METHOD=trust -p "127.0.0.1:$port:5432" postgres:15 -c max_connections=300 >/dev/null
    on_stop "docker stop -t 1 echo-test-pg-$$ >/dev/null 2>&1"
    await PostgreSQL 60 docker exec "echo-test-pg-$$" pg_isready -U postgres
    export ECHO_TEST_DATABASE_URL="postgres://postgres@127.0.0.1:$port/postgres"; say "PostgreSQL: in Docker on port $port"; return
  fi
  say "the tests need PostgreSQL 14 or newer: install the package 'postgresql', or name a server in ECHO_TEST_DATABASE_URL"; exit 1
}

start_rabbitmq() {
  local port dist server; port=$(free_port); dist=$(free_port)
  server=$(command -v rabbitmq-server || echo /usr/lib/rabbitmq/bin/rabbitmq-server)
  mkdir -p "$work/mq"; chmod 777 "$work" "$work/mq"
  # The name of its data: the same every time, and another one for another folder.
  export RABBITMQ_NODENAME="echo$(cksum <<<"$work" | cut -d' ' -f1)@localhost" RABBITMQ_NODE_PORT=$port RABBITMQ_DIST_PORT=$dist RABBITMQ_MNESIA_BASE="$work/mq" \
    RABBITMQ_LOG_BASE="$work/mq" RABBITMQ_PID_FILE="$work/mq/pid" RABBITMQ_ENABLED_PLUGINS_FILE="$work/mq/plugins" RABBITMQ_NODE_IP_ADDRESS=127.0.0.1
  echo '[].' >"$work/mq/plugins"
  "$server" -detached >/dev/null 2>&1
  on_stop "kill \$(cat '$work/mq/pid') 2>/dev/null"
  await RabbitMQ 120 listens 127.0.0.1 "$port"
  export ECHO_TEST_AMQP_URL="amqp://guest:guest@127.0.0.1:$port/%2f"
  say "started a RabbitMQ of its own on port $port"
}

find_rabbitmq() {
  if [ -n "${ECHO_TEST_AMQP_URL:-}" ]; then say "RabbitMQ: ECHO_TEST_AMQP_URL"; return; fi
  if listens 127.0.0.1 5672; then export ECHO_TEST_AMQP_URL=amqp://guest:guest@127.0.0.1:5672/%2f; say "RabbitMQ: the one running on port 5672"; return; fi
  if command -v rabbitmq-server >/dev/null || [ -x /usr/lib/rabbitmq/bin/rabbitmq-server ]; then start_rabbitmq; return; fi
  if may_install; then install rabbitmq-server; start_rabbitmq; return; fi
  if has_docker; then
    local port; port=$(free_port)
    docker run -d --rm --name "echo-test-mq-$$" -p "127.0.0.1:$port:5672" rabbitmq:3 >/dev/null
    on_stop "docker stop -t 1 echo-test-mq-$$ >/dev/null 2>&1"
    await RabbitMQ 120 docker exec "echo-test-mq-$$" rabbitmq-diagnostics -q check_port_connectivity
    export ECHO_TEST_AMQP_URL="amqp://guest:guest@127.0.0.1:$port/%2f"; say "RabbitMQ: in Docker on port $port"; return
  fi
  say "the tests need RabbitMQ 3.10 or newer: install the package 'rabbitmq-server', or name a broker in ECHO_TEST_AMQP_URL"; exit 1
}

